"""Jobs as they come in: each from a new message."""

from itertools import count

from uploader.model import Job, JobState, Link
from uploader.storage.jobs import Jobs


class Arrivals:
    """Adds jobs with the least that a test has to say."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._message_ids = count(1)

    async def job(self, user_id: int = 1, state: JobState = JobState.QUEUED) -> Job:
        """Add a job of this person, in their private chat."""
        job = await self._jobs.add(
            user_id=user_id,
            chat_id=user_id,
            message_id=next(self._message_ids),
            language="fa",
            link=Link(url="https://example.com/film.mp4?a=1", host="example.com"),
            state=state,
        )
        assert job is not None
        return job
