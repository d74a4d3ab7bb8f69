"""The cards of albums: asked about once all files of one have come, which Telegram sends one by one.

https://core.telegram.org/api/files#albums-grouped-media
"""

import time
from collections.abc import Callable
from typing import Final

from uploader.chat.progress import StatusMessages
from uploader.model import Job, JobState
from uploader.storage.jobs import Jobs
from uploader.supervision import FaultBarrier, Helpers, every

#: No file of an album comes so long after the one before it; one that does changes the card.
QUIET_S: Final = 1.0
TICK_S: Final = 0.25


class AlbumCards:
    """Only waits: what came is in rows, and `StatusMessages.ask_again` shows what died with an engine."""

    def __init__(
        self, jobs: Jobs, status: StatusMessages, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._status = status
        self._clock = clock
        self._due: dict[int, float] = {}  # by the numbers of jobs; each is gone within moments
        self._barrier = FaultBarrier("card of an album")

    def soon(self, job: Job) -> None:
        """One more file of the album that this job asks about has come."""
        self._due[job.id] = self._clock() + QUIET_S

    async def run(self) -> None:
        """Show the cards for as long as the engine runs. One that waits for its chat holds up no other."""
        async with Helpers() as helpers:

            async def tick() -> None:
                now = self._clock()
                for job_id in [job_id for job_id, at in self._due.items() if at <= now]:
                    del self._due[job_id]
                    helpers.start(self._show(job_id), name=f"card of album {job_id}")

            await every(TICK_S, "cards of albums", tick)

    async def _show(self, job_id: int) -> None:
        with self._barrier:
            job = await self._jobs.get(job_id)
            if job is None or job.state is not JobState.WAITING_CHOICE:
                return
            if job.status_message_id is None:
                await self._status.ask(job)
            else:
                await self._status.show(job)
