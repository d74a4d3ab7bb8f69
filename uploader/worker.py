"""Carries one job from its link to the chat, and decides what becomes of it when that fails."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog
from cachetools import TTLCache

from uploader import limits, sameness
from uploader.delivery import Delivery, Errand, Reporter, Watcher, Watchers
from uploader.errors import CarrierRests, ChatUnreachable, GivesWay, LeaseLost, PeykError, Reason
from uploader.failure import CancelAsked, Exhausted, GiveUp, Rest, judge
from uploader.model import Job
from uploader.places import Place, Places, Room
from uploader.reuse import Stale
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.supervision import every
from uploader.wishes import ASK, ChoiceNeeded, Offer

#: Without a nudge, the queue is looked at this often.
POLL_S: Final = 1.0
#: Without room for one more job, it is looked for this often.
FULL_S: Final = 0.1

_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs of the queue, as many at once as there is `room` for."""

    def __init__(
        self,
        name: str,
        jobs: Jobs,
        people: People,
        delivery: Delivery,
        *,
        watchers: Sequence[Watcher],
        room: Room | None = None,
    ) -> None:
        """`name` is unique to this process and start: it fences every write."""
        self._name = name
        self._jobs = jobs
        self._people = people
        self._delivery = delivery
        self._watchers = Watchers(watchers)
        self._nudged = asyncio.Event()
        self._looks: set[asyncio.Event] = set()  # of the running jobs
        self._places = Places(room)
        self._offers: TTLCache[str, Offer] = TTLCache(limits.OFFERS_KEPT, limits.OFFER_FRESH_S)

    def nudge(self) -> None:
        """Look at the queue, and at requests to cancel, now."""
        self._nudged.set()
        for look in self._looks:
            look.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and carry jobs until `stop` is set, then wait for the running ones.

        Cancelled, it gives the running jobs back to the queue, with what Telegram has acknowledged.
        """
        async with asyncio.TaskGroup() as group:
            await every(0.0, "queue", lambda: self._take_one(group, stop), until=stop.is_set)

    async def _take_one(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Claim a job when there is room for it, or wait for one."""
        if not self._places.is_free():
            if self._places.is_full and await self._jobs.is_due():
                self._places.make_free()
            await self._wait_for_work(FULL_S)
        elif (job := await self._jobs.claim(self._name)) is None:
            await self._wait_for_work(POLL_S)
        else:
            group.create_task(self._carry(job, self._places.begin()), name=f"job-{job.id}")

    async def _wait_for_work(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._nudged.wait()
        except TimeoutError:
            return
        self._nudged.clear()

    async def _carry(self, job: Job, place: Place) -> None:
        """The guard around one job: whatever happens in it ends here as a state of the job."""
        log = _log.bind(job=job.id, host=job.link.host, attempt=job.attempt)
        log.info("job started")
        self._watchers.started(job)
        ended = job
        try:
            ended = await self._settle(job, await self._attempt(job, place))
        except asyncio.CancelledError:
            with suppress(LeaseLost):  # it ended in this very moment
                await self._jobs.release(job)
                log.info("job given back to the queue")
            raise
        except LeaseLost:
            log.warning("lease lost: another worker has the job, or it was cancelled")
        except Exception:  # a job must never take the worker with it; its lease ends, and it is tried again
            log.exception("job broke")
        finally:
            self._places.end(place)
            self.nudge()
        log.info("job left the worker", state=ended.state.value, reason=ended.reason and ended.reason.value)
        await self._watchers.ended(ended)

    async def _attempt(self, job: Job, place: Place) -> Exception | None:
        """Run the job under its lease; returns what it failed with."""
        sending = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                holding = [self._hold_lease(job, sending), self._hold_place(job, place, sending)]
                holds = [group.create_task(hold) for hold in holding]
                await self._run_job(job, place, sending)
                for hold in holds:
                    hold.cancel()
        except ExceptionGroup as errors:
            # a lost lease or a cancel decides over whatever else broke in the same moment
            decisive = errors.subgroup((LeaseLost, CancelAsked)) or errors
            return decisive.exceptions[0]
        return None

    async def _settle(self, job: Job, error: Exception | None) -> Job:
        """Record how the attempt ended; returns the job as it now stands, with what went wrong."""
        reason = None
        if isinstance(error, LeaseLost):
            raise error
        if isinstance(error, CancelAsked):
            await self._jobs.cancelled(job)
        elif isinstance(error, ChoiceNeeded) and job.batch_id is not None:
            reason = Reason.PLAYLIST  # a card asks about one thing
            await self._jobs.fail(job, reason)
        elif isinstance(error, ChoiceNeeded):
            await self._jobs.ask(job, error.offer)
        elif isinstance(error, Stale | CarrierRests):
            _log.info("begun anew, another way", job=job.id, cause=f"{type(error).__name__}: {error}")
            await self._jobs.release(job)
        elif error is not None:
            reason = await self._record(job, error)
        current = await self._jobs.get(job.id)
        return replace(current or job, reason=reason)

    async def _record(self, job: Job, error: Exception) -> Reason:
        log = _log.bind(job=job.id, host=job.link.host)
        if not isinstance(error, PeykError):
            log.error("job met an unexpected error", exc_info=error)
        chance = random.random()  # noqa: S311 - it spreads retries, and is no secret
        verdict = judge(error, job.failures, age_s=time.time() - job.created_at, chance=chance)
        log.warning("attempt failed", cause=str(error), verdict=type(verdict).__name__)
        if isinstance(verdict, GiveUp):
            await self._jobs.fail(job, verdict.reason)
        elif isinstance(error, GivesWay):
            await self._jobs.give_way(job, time.time() + error.wait_s)
        elif isinstance(verdict, Rest):
            await self._jobs.release(job, time.time() + verdict.wait_s)
        else:
            await self._jobs.retry(job, time.time() + verdict.wait_s)
        return verdict.reason

    async def _hold_lease(self, job: Job, sending: asyncio.Event) -> None:
        """Renew the lease for as long as the job runs; raises LeaseLost or CancelAsked into it."""
        look = asyncio.Event()
        self._looks.add(look)
        try:
            while True:
                look.clear()
                # once the message is on its way, a cancel comes too late
                if await self._jobs.renew(job) and not sending.is_set():
                    raise CancelAsked
                with suppress(TimeoutError):
                    async with asyncio.timeout(limits.HEARTBEAT_S):
                        await look.wait()
        finally:
            self._looks.discard(look)

    async def _hold_place(self, job: Job, place: Place, sending: asyncio.Event) -> None:
        """Raises GivesWay when the job is asked to leave, unless its message is on its way."""
        await place.asked_to_leave.wait()
        if not sending.is_set():
            raise GivesWay(limits.given_way_s(job.attempt))

    async def _run_job(self, job: Job, place: Place, sending: asyncio.Event) -> None:
        """Carry one job from its link to the person's chat."""
        if job.failures >= limits.PATIENT_ATTEMPTS:
            # workers died of it again and again: it must not take this one down too
            raise Exhausted(Reason.INTERNAL, "every attempt ended with the death of its worker")
        person = await self._people.get(job.user_id)
        if person is None:
            raise ChatUnreachable("the person is unknown to this account")
        report = Reporter(job, self._watchers)
        errand = Errand(job=job, person=person, report=report, place=place, sending=sending)
        self._offer_again(job)
        try:
            delivered = await self._delivery.carry(errand)
        except ChoiceNeeded as needed:
            same = sameness.key(job.link, account_id=0)
            if same is not None and not needed.is_private and needed.offer.kind == "film":
                self._offers[same] = needed.offer
            raise
        await self._jobs.finish(job, delivered.message_id)

    def _offer_again(self, job: Job) -> None:
        """Ask without a look at the link, if somebody else was just asked the same."""
        offer = self._offers.get(sameness.key(job.link, account_id=0) or "")
        if job.wish.format == ASK and offer is not None:
            raise ChoiceNeeded(offer)
