"""Carries one job from its link to the chat, and decides what becomes of it when that fails."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from time import monotonic
from typing import Final

import structlog
from cachetools import TTLCache

from uploader import limits, sameness
from uploader.delivery import Delivery, Errand, Lease, Reporter, Watcher, Watchers
from uploader.errors import (
    CarrierRests,
    ChatUnreachable,
    GivesWay,
    LeaseLost,
    PeykError,
    Reason,
    StorageUnavailable,
)
from uploader.failure import CancelAsked, Exhausted, GiveUp, Rest, judge
from uploader.machine import Room
from uploader.model import Delivered, Job, JobState
from uploader.places import Place, Places
from uploader.reuse import Stale
from uploader.storage.jobs import Jobs
from uploader.storage.patience import patient
from uploader.storage.people import People
from uploader.supervision import every
from uploader.transfer.failures import first_error
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
        now: Callable[[], float] = time.time,
    ) -> None:
        """`name` is unique to this process and start: it fences every write. `now` gives epoch seconds."""
        self._name = name
        self._jobs = jobs
        self._patient_jobs = patient(jobs)
        self._people = patient(people)
        self._delivery = delivery
        self._watchers = Watchers(watchers)
        self._now = now
        self._nudged = asyncio.Event()
        self._leases: dict[int, Lease] = {}  # of the jobs that run, or are written down
        self._may_have_strays = False  # jobs that are ours by the database, and do not run
        self._places = Places(room)
        self._offers: TTLCache[str, Offer] = TTLCache(limits.OFFERS_KEPT, limits.OFFER_FRESH_S)

    def nudge(self, cancelled: Iterable[Job] = ()) -> None:
        """Look at the queue now, and whether those that were `cancelled` run here."""
        self._nudged.set()
        for job in cancelled:
            if (lease := self._leases.get(job.id)) is not None:
                lease.look.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim and carry jobs until `stop` is set, then wait for the running ones.

        Cancelled, it gives the running jobs back to the queue, with what Telegram has acknowledged.
        """
        async with asyncio.TaskGroup() as group:
            await every(0.0, "queue", lambda: self._take_one(group, stop), until=stop.is_set)

    async def _take_one(self, group: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Claim a job when there is room for it, or wait for one."""
        asked_at = monotonic()
        if not self._places.is_free():
            if self._places.is_full and await self._jobs.is_due():
                self._places.make_free()
            await self._wait_for_work(FULL_S)
        elif (job := await self._claim()) is None:
            await self._wait_for_work(POLL_S)
        else:
            lease = self._leases[job.id] = Lease(self._jobs, job, asked_at)
            group.create_task(self._carry(job, lease, self._places.begin()), name=f"job-{job.id}")

    async def _claim(self) -> Job | None:
        if any(lease.has_ended() for lease in self._leases.values()):
            return None  # it would be claimed as that of a dead worker, before we wrote down what came of it
        if self._may_have_strays:
            await self._jobs.put_back(self._name, but=[*self._leases])
            self._may_have_strays = False
        try:
            return await self._jobs.claim(self._name)
        except StorageUnavailable:
            self._may_have_strays = True  # it may have been done, and only its answer be lost
            raise

    async def _wait_for_work(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._nudged.wait()
        except TimeoutError:
            return
        self._nudged.clear()

    async def _carry(self, job: Job, lease: Lease, place: Place) -> None:
        """The guard around one job: whatever happens in it ends here as a state of the job."""
        log = _log.bind(job=job.id, host=job.link.host, attempt=job.attempt)
        log.info("job started")
        ended, outcome = job, None
        try:
            self._watchers.started(job)
            outcome = await self._attempt(job, lease, place)
            ended = await self._settle(self._patient_jobs, job, lease, outcome)
        except asyncio.CancelledError:
            await self._leave(job, lease, outcome)
            raise
        except LeaseLost:
            log.warning("lease lost: another worker has the job, or it was cancelled")
        except Exception:  # a job must never take the worker with it; its lease ends, and it is tried again
            log.exception("job broke")
        finally:
            del self._leases[job.id]
            self._places.end(place)
            self.nudge()
        log.info("job left the worker", state=ended.state.value, reason=ended.reason and ended.reason.value)
        await self._watchers.ended(ended)

    async def _attempt(self, job: Job, lease: Lease, place: Place) -> Delivered | Exception:
        """Run the job under its lease; returns what came of it."""
        try:
            async with asyncio.TaskGroup() as group:
                holding = lease.hold(), self._hold_place(job, lease, place)
                holds = [group.create_task(hold) for hold in holding]
                delivered = await self._run_job(job, lease, place)
                for hold in holds:
                    hold.cancel()
        except ExceptionGroup as errors:
            # a lost lease or a cancel decides over whatever else broke in the same moment
            decisive = errors.subgroup((LeaseLost, CancelAsked)) or errors
            error: Exception = first_error(decisive)
            return error
        return delivered

    async def _leave(self, job: Job, lease: Lease, outcome: Delivered | Exception | None) -> None:
        """The engine stops: write down what came of the job, or that it did not get so far."""
        try:
            async with asyncio.timeout(limits.LAST_WRITE_S):
                await self._settle(self._jobs, job, lease, outcome)
            _log.info("job left at the stop", job=job.id, is_ended=outcome is not None)
        except (LeaseLost, StorageUnavailable, TimeoutError) as error:
            _log.warning("job left as it is: its lease ends by itself", job=job.id, cause=str(error))

    async def _settle(self, jobs: Jobs, job: Job, lease: Lease, outcome: Delivered | Exception | None) -> Job:
        """Record how the attempt ended; returns the job as it now stands, with what went wrong.

        Raises LeaseLost: it is another worker's.
        """
        reason = None
        try:
            if lease.unsaved is not None and not isinstance(outcome, Delivered):
                await jobs.checkpoint(job, lease.unsaved)
            reason = await self._record(jobs, job, outcome)
        except LeaseLost:
            current = await jobs.get(job.id)
            if current is None or current.state is JobState.RUNNING or current.attempt != job.attempt:
                raise
            return current  # it was recorded before, and only the answer was lost
        return replace(await jobs.get(job.id) or job, reason=reason)

    async def _record(self, jobs: Jobs, job: Job, outcome: Delivered | Exception | None) -> Reason | None:
        """Record it; returns what went wrong."""
        match outcome:
            case Delivered(message_id=message_id):
                await jobs.finish(job, message_id)
            case None:
                await jobs.release(job)
            case LeaseLost():
                raise outcome
            case CancelAsked():
                await jobs.cancelled(job)
            case ChoiceNeeded() if job.batch_id is not None:
                await jobs.fail(job, Reason.PLAYLIST)  # a card asks about one thing
                return Reason.PLAYLIST
            case ChoiceNeeded(offer=offer):
                await jobs.ask(job, offer)
            case Stale() | CarrierRests():
                _log.info("begun anew, another way", job=job.id, cause=f"{type(outcome).__name__}: {outcome}")
                await jobs.release(job)
            case _:
                return await self._record_failure(jobs, job, outcome)
        return None

    async def _record_failure(self, jobs: Jobs, job: Job, error: Exception) -> Reason | None:
        log = _log.bind(job=job.id, host=job.link.host)
        if not isinstance(error, PeykError):
            log.error("job met an unexpected error", exc_info=error)
        chance = random.random()  # noqa: S311 - it spreads retries, and is no secret
        verdict = judge(error, job.failures, age_s=self._now() - job.created_at, chance=chance)
        log.warning("attempt failed", cause=str(error), verdict=type(verdict).__name__)
        if isinstance(verdict, GiveUp):
            await jobs.fail(job, verdict.reason)
        elif isinstance(error, GivesWay):
            await jobs.give_way(job, self._now() + error.wait_s)
        elif isinstance(verdict, Rest):
            await jobs.release(job, self._now() + verdict.wait_s)
        else:
            await jobs.retry(job, self._now() + verdict.wait_s)
        # who waits is told nothing of our database: by now it answers, and the job goes on
        return None if isinstance(error, StorageUnavailable) else verdict.reason

    async def _hold_place(self, job: Job, lease: Lease, place: Place) -> None:
        """Raises GivesWay when the job is asked to leave, unless its message is on its way."""
        await place.asked_to_leave.wait()
        if not lease.sending.is_set():
            raise GivesWay(limits.given_way_s(job.attempt))

    async def _run_job(self, job: Job, lease: Lease, place: Place) -> Delivered:
        """Carry one job from its link to the person's chat."""
        if job.failures >= limits.PATIENT_ATTEMPTS:
            # workers died of it again and again: it must not take this one down too
            raise Exhausted(Reason.INTERNAL, "every attempt ended with the death of its worker")
        person = await self._people.get(job.user_id)
        if person is None:
            raise ChatUnreachable("the person is unknown to this account")
        report = Reporter(job, self._watchers)
        errand = Errand(job=job, person=person, report=report, lease=lease, place=place)
        self._offer_again(job)
        try:
            return await self._delivery.carry(errand)
        except ChoiceNeeded as needed:
            same = sameness.key(job.link, account_id=0)
            if same is not None and not needed.is_private and needed.offer.kind == "film":
                self._offers[same] = needed.offer
            raise

    def _offer_again(self, job: Job) -> None:
        """Ask without a look at the link, if somebody else was just asked the same."""
        offer = self._offers.get(sameness.key(job.link, account_id=0) or "")
        if job.wish.format == ASK and offer is not None:
            raise ChoiceNeeded(offer)
