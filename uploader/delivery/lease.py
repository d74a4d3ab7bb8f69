"""The lease on one job, as its worker holds it: for as long as it lasts, though the database be away."""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from uploader import limits
from uploader.errors import StorageUnavailable
from uploader.failure import CancelAsked
from uploader.model import Checkpoint, Job
from uploader.storage.jobs import Jobs
from uploader.supervision import heed_cancel

#: The worker stops so long before anybody else may claim the job.
_MARGIN_S: Final = 3.0
#: A renewal that comes late, as after the machine slept, is tried all the same: for so long.
_LEAST_S: Final = 1.0
_AGAIN_S: Final = 0.5
#: A checkpoint that takes longer is kept for later: the upload waits for it.
_CHECKPOINT_S: Final = 2.0

_log = structlog.get_logger(__name__)


class Lease:
    """While `sending` is set, the message is on its way: a cancel, and the lease's end, come too late."""

    def __init__(self, jobs: Jobs, job: Job, asked_at: float) -> None:
        """`asked_at`: when the claim of `job` began (monotonic)."""
        self.sending = asyncio.Event()
        self.look = asyncio.Event()  # set: renew now, and see whether a cancel was asked for
        self.unsaved: Checkpoint | None = None  # newer than that in the job's row
        self._jobs = jobs
        self._job = job
        self._until = asked_at + limits.LEASE_S - _MARGIN_S

    def has_ended(self) -> bool:
        """Whether another worker may claim the job soon, or did."""
        return monotonic() >= self._until

    async def hold(self) -> None:
        """Renew for as long as the job runs.

        Raises:
            LeaseLost: another worker has the job.
            StorageUnavailable: it could not be renewed before its end, and nothing was sent.
            CancelAsked
        """
        while True:
            heed_cancel()
            self.look.clear()
            try:
                if await self.renew() and not self.sending.is_set():
                    raise CancelAsked
            except StorageUnavailable:
                if not self.sending.is_set():
                    raise
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.HEARTBEAT_S):
                    await self.look.wait()

    async def renew(self) -> bool:
        """Renew it, by several tries if need be; returns whether the job shall be cancelled.

        Raises:
            LeaseLost: another worker has the job.
            StorageUnavailable: it has ended, as far as we know.
        """
        while True:
            asked_at = monotonic()
            try:
                async with asyncio.timeout(max(_LEAST_S, self._until - asked_at)):
                    is_cancelled = await self._jobs.renew(self._job)
            except (StorageUnavailable, TimeoutError) as error:
                if monotonic() >= self._until:
                    raise StorageUnavailable("the lease could not be renewed before its end") from error
                await asyncio.sleep(_AGAIN_S)
            else:
                self._until = asked_at + limits.LEASE_S - _MARGIN_S
                return is_cancelled

    async def begin_sending(self) -> None:
        """The last look before something is sent: whoever lost the lease must not send.

        Raises:
            LeaseLost, StorageUnavailable, CancelAsked
        """
        self.sending.set()
        if await self.renew():
            raise CancelAsked

    async def save(self, checkpoint: Checkpoint) -> None:
        """Keep how far the upload came: in the row, or for when the database answers again.

        Raises LeaseLost.
        """
        try:
            async with asyncio.timeout(_CHECKPOINT_S):
                await self._jobs.checkpoint(self._job, checkpoint)
        except (StorageUnavailable, TimeoutError):
            self.unsaved = checkpoint
        else:
            self.unsaved = None
