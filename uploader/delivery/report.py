"""How one job fares, for those who show it."""

from collections.abc import Sequence
from typing import Protocol

from uploader.model import Job, Phase, Progress, RemoteFile
from uploader.supervision import FaultBarrier


class Watcher(Protocol):
    """Somebody who shows how jobs fare. Called from the worker's tasks."""

    def started(self, job: Job) -> None:
        """A worker took the job."""

    def progress(self, progress: Progress) -> None:
        """The job came further; called often."""

    async def ended(self, job: Job) -> None:
        """The job left the worker; its state (and reason, and `run_at`) say how."""


class Watchers:
    """All of them as one, who never fails: what one raises reaches neither the job nor the others."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._guarded = tuple((watcher, FaultBarrier(type(watcher).__name__)) for watcher in watchers)

    def started(self, job: Job) -> None:
        """See `Watcher`."""
        for watcher, barrier in self._guarded:
            with barrier:
                watcher.started(job)

    def progress(self, progress: Progress) -> None:
        """See `Watcher`."""
        for watcher, barrier in self._guarded:
            with barrier:
                watcher.progress(progress)

    async def ended(self, job: Job) -> None:
        """See `Watcher`."""
        for watcher, barrier in self._guarded:
            with barrier:
                await watcher.ended(job)


class Reporter:
    """Tells the watchers how one job fares."""

    def __init__(self, job: Job, watchers: Watcher) -> None:
        self.file: RemoteFile | None = None
        self._job = job
        self._watchers = watchers
        self._done_bytes = 0
        self._parked_until: float | None = None

    def __call__(self, phase: Phase, done_bytes: int) -> None:
        self._done_bytes = done_bytes
        # what is put together may have been another format, or another part, the last time
        known_bytes = None if phase is Phase.PREPARING else self._job.size_bytes
        progress = Progress(
            job_id=self._job.id,
            phase=phase,
            name=self.file.name if self.file else self._job.name,
            done_bytes=done_bytes,
            total_bytes=self.file.size_bytes if self.file else known_bytes,
            parked_until=self._parked_until,
        )
        self._watchers.progress(progress)

    def parked(self, until: float) -> None:
        """The data centre wants no parts before."""
        self._parked_until = until
        self(Phase.UPLOADING, self._done_bytes)
