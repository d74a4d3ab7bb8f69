"""Carries one job from its link to the chat, and decides what becomes of it when that fails."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

import structlog

from uploader import limits
from uploader.captions import Captions
from uploader.errors import (
    ChatUnreachable,
    LeaseLost,
    PartsLost,
    PeykError,
    Reason,
    StorageUnavailable,
    TransferError,
)
from uploader.failure import CancelAsked, Exhausted, GiveUp, Rest, judge
from uploader.model import Checkpoint, Delivered, Job, Person, Phase, Progress, RemoteFile, Uploaded
from uploader.reuse import Reuse, Stale
from uploader.sources import Sources
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.transfer import UploadPool, all_but, pictured, upload

#: Without a nudge, the queue is looked at this often.
POLL_S: Final = 1.0

_log = structlog.get_logger(__name__)


class Watcher(Protocol):
    """Somebody who shows how jobs fare. Called from the worker's tasks; must not fail."""

    def started(self, job: Job) -> None:
        """A worker took the job."""

    def progress(self, progress: Progress) -> None:
        """The job came further; called often."""

    async def ended(self, job: Job) -> None:
        """The job left the worker; its state (and reason, and `run_at`) say how."""


class Worker:
    """Runs up to `limits.RUNNING_JOBS` jobs of the queue at once."""

    def __init__(
        self,
        name: str,
        *,
        jobs: Jobs,
        people: People,
        sources: Sources,
        pool: UploadPool,
        gateway: Gateway,
        reuse: Reuse,
        captions: Captions,
        watchers: Sequence[Watcher],
    ) -> None:
        """`name` is unique to this process and start: it fences every write."""
        self._name = name
        self._jobs = jobs
        self._people = people
        self._sources = sources
        self._pool = pool
        self._gateway = gateway
        self._reuse = reuse
        self._captions = captions
        self._watchers = watchers
        self._nudged = asyncio.Event()
        self._looks: set[asyncio.Event] = set()  # of the running jobs
        self._slots = asyncio.Semaphore(limits.RUNNING_JOBS)

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
            while not stop.is_set():
                await self._slots.acquire()
                job = None if stop.is_set() else await self._claim()
                if job is None:
                    self._slots.release()
                    await self._wait_for_work()
                else:
                    group.create_task(self._carry(job), name=f"job-{job.id}")

    async def _claim(self) -> Job | None:
        try:
            return await self._jobs.claim(self._name)
        except StorageUnavailable as error:
            _log.error("the database does not answer", cause=str(error))
            return None

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._nudged.wait()
        except TimeoutError:
            return
        self._nudged.clear()

    async def _carry(self, job: Job) -> None:
        """The guard around one job: whatever happens in it ends here as a state of the job."""
        log = _log.bind(job=job.id, host=job.link.host, attempt=job.attempt)
        log.info("job started")
        for watcher in self._watchers:
            watcher.started(job)
        ended = job
        try:
            ended = await self._settle(job, await self._attempt(job))
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
            self._slots.release()
            self.nudge()
        log.info("job left the worker", state=ended.state.value, reason=ended.reason and ended.reason.value)
        for watcher in self._watchers:
            await watcher.ended(ended)

    async def _attempt(self, job: Job) -> Exception | None:
        """Run the job under its lease; returns what it failed with."""
        sending = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                lease = group.create_task(self._hold_lease(job, sending))
                await self._run_job(job, sending)
                lease.cancel()
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
        elif isinstance(error, Stale):
            _log.info("no file to share: it is fetched", job=job.id, cause=str(error))
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

    async def _run_job(self, job: Job, sending: asyncio.Event) -> None:
        """Carry one job from its link to the person's chat."""
        if job.failures >= limits.PATIENT_ATTEMPTS:
            # workers died of it again and again: it must not take this one down too
            raise Exhausted(Reason.INTERNAL, "every attempt ended with the death of its worker")
        report = _Reporter(job, self._watchers)
        person = await self._people.get(job.user_id)
        if person is None:
            raise ChatUnreachable("the person is unknown to this account")
        report(Phase.OPENING, 0)
        if job.link_key is not None and job.fetching is None:
            delivered = await self._share(job, person, report, sending)
        else:
            delivered = await self._fetch(job, person, report, sending)
        await self._jobs.finish(job, delivered.message_id)

    async def _share(
        self, job: Job, person: Person, report: "_Reporter", sending: asyncio.Event
    ) -> Delivered:
        """Give the person what was delivered to somebody else."""
        file = await self._reuse.find(job, lambda: self._sources.open(job.link))
        await self._jobs.note_file(job, file.name, file.size_bytes)
        report(Phase.FINISHING, file.size_bytes)
        caption = self._captions.of_kept(job, file)
        return await self._reuse.send(file, person, await self._about_to_send(job, sending), caption)

    async def _fetch(
        self, job: Job, person: Person, report: "_Reporter", sending: asyncio.Event
    ) -> Delivered:
        """Carry the file from its source."""
        async with self._sources.open(job.link) as remote:
            await self._jobs.note_file(job, remote.name, remote.size_bytes)
            if job.fetching is not None and not remote.fresh_s:
                await self._jobs.keep_apart(job)
            report.file = remote
            try:
                uploaded = await self._upload(job, remote, report, job.checkpoint)
                report(Phase.FINISHING, uploaded.size_bytes)
                facts = None if remote.facts is None else await remote.facts()
                uploaded = await pictured(uploaded, facts, self._pool)
                random_id = await self._about_to_send(job, sending)
                delivered = await self._deliver(job, person, remote, uploaded, random_id, report)
            except PartsLost:
                await self._jobs.forget_checkpoint(job)
                raise
            if remote.fresh_s:
                await self._reuse.keep(job, remote, facts, delivered)
            return delivered

    async def _about_to_send(self, job: Job, sending: asyncio.Event) -> int:
        """The last look before something is sent: whoever lost the lease must not send."""
        random_id = await self._jobs.reserve_random_id(job, new_random_id())
        sending.set()
        if await self._jobs.renew(job):
            raise CancelAsked
        return random_id

    async def _upload(
        self, job: Job, remote: RemoteFile, report: "_Reporter", checkpoint: Checkpoint | None
    ) -> Uploaded:
        async def save(checkpoint: Checkpoint) -> None:
            await self._jobs.checkpoint(job, checkpoint)

        return await upload(
            remote,
            self._pool,
            checkpoint=checkpoint,
            save=save,
            report=lambda done_bytes: report(Phase.UPLOADING, done_bytes),
            parked=report.parked,
        )

    async def _deliver(
        self,
        job: Job,
        person: Person,
        remote: RemoteFile,
        uploaded: Uploaded,
        random_id: int,
        report: "_Reporter",
    ) -> Delivered:
        """Send the message, and see that Telegram holds what was sent. Parts that it lost it gets again."""
        caption = self._captions.of_upload(job, uploaded)
        for _ in range(limits.PARTS_SENT_AGAIN):
            try:
                delivered = await self._gateway.deliver(person, uploaded, random_id, caption)
            except PartsLost as lost:
                checkpoint = all_but(lost.part, uploaded, remote.validator, self._pool.account)
                if checkpoint is None:
                    raise
                _log.warning("parts lost: sent again", job=job.id, part=lost.part)
                again = await self._upload(job, remote, report, checkpoint)
                uploaded = await pictured(again, uploaded.facts, self._pool)
                report(Phase.FINISHING, uploaded.size_bytes)
            else:
                await self._compare(job, uploaded, delivered)
                return delivered
        raise PartsLost(Reason.UPLOAD_FAILED, "one after the other")

    async def _compare(self, job: Job, uploaded: Uploaded, delivered: Delivered) -> None:
        """A file that is not whole must not stay in the chat; what it is called is Telegram's own affair."""
        if delivered.size_bytes not in {None, uploaded.size_bytes} and delivered.message_id is not None:
            await self._gateway.withdraw(delivered.message_id)
            await self._jobs.forget_random_id(job)
            held = f"Telegram holds {delivered.size_bytes} of {uploaded.size_bytes} bytes"
            raise TransferError(Reason.UPLOAD_FAILED, held)
        if delivered.name not in {None, uploaded.name}:
            _log.info("Telegram changed the name of the file", job=job.id)


class _Reporter:
    """Tells the watchers how one job fares."""

    def __init__(self, job: Job, watchers: Sequence[Watcher]) -> None:
        self.file: RemoteFile | None = None
        self._job = job
        self._watchers = watchers
        self._done_bytes = 0
        self._parked_until: float | None = None

    def __call__(self, phase: Phase, done_bytes: int) -> None:
        self._done_bytes = done_bytes
        progress = Progress(
            job_id=self._job.id,
            phase=phase,
            name=self.file.name if self.file else self._job.name,
            done_bytes=done_bytes,
            total_bytes=self.file.size_bytes if self.file else self._job.size_bytes,
            parked_until=self._parked_until,
        )
        for watcher in self._watchers:
            watcher.progress(progress)

    def parked(self, until: float) -> None:
        """The data centre wants no parts before."""
        self._parked_until = until
        self(Phase.UPLOADING, self._done_bytes)
