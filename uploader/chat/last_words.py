"""Sees to it that people are told how their jobs ended, whatever died or did not answer meanwhile."""

from collections.abc import Callable
from typing import Final

from uploader import limits
from uploader.chat.progress import StatusMessages
from uploader.model import Job
from uploader.storage.owed import Owed
from uploader.supervision import FaultBarrier, Helpers, every

LOOK_S: Final = 1.0


class LastWords:
    """Looks for what is owed, and says it. Any engine may say it: it is said once."""

    def __init__(self, status: StatusMessages, owed: Owed, now: Callable[[], float]) -> None:
        self._status = status
        self._owed = owed
        self._now = now
        self._barrier = FaultBarrier("last word about a job")
        self._being_told: set[int] = set()  # jobs: while Telegram does not answer, a word takes minutes

    async def run(self) -> None:
        """Look for as long as the engine runs; each chat has its own pace, and holds up no other."""
        async with Helpers() as helpers:

            async def look() -> None:
                for job in await self._owed.due():
                    if job.id in self._being_told:
                        continue
                    self._being_told.add(job.id)
                    helpers.start(self._tell(job), name=f"last word about job {job.id}")

            await every(LOOK_S, "last words", look)

    async def _tell(self, job: Job) -> None:
        try:
            with self._barrier:
                await self._status.tell(job)
            with self._barrier:
                if self._now() - job.updated_at > limits.OWED_KEPT_S:
                    await self._owed.said(job)
        finally:
            self._being_told.discard(job.id)
