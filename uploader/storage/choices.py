"""Jobs that wait for a choice of their person (see `Jobs.ask`)."""

import sqlalchemy as sa

from uploader.model import Job, JobState
from uploader.storage import moves
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import from_row, wish_value
from uploader.storage.tables import in_state, jobs
from uploader.wishes import Wish


class Choices:
    """The choices of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def compose(self, job_id: int, user_id: int, wish: Wish) -> Job | None:
        """Note what this person has chosen so far; None if their job does not wait for a choice."""
        return await self._write(_asked(job_id, user_id).values(wish=wish_value(wish)))

    async def choose(self, job_id: int, user_id: int, wish: Wish, link_key: str | None) -> Job | None:
        """Queue a job as its person wants it; None if it does not wait for a choice of theirs.

        The time that they took counts for nothing: it comes in now. `link_key`: see `Jobs.add`.
        """
        queued = moves.comes_now(self._database.now())
        chosen = {"wish": wish_value(wish), "offer": None, "link_key": link_key}
        return await self._write(_asked(job_id, user_id).values(queued | chosen))

    async def _write(self, statement: sa.Update) -> Job | None:
        rows = await self._database.once(statement.returning(*jobs.c), lock=Lock.QUEUE)
        return from_row(rows[0]) if rows else None


def _asked(job_id: int, user_id: int) -> sa.Update:
    """Of this job, if it waits for a choice of this person."""
    waits = in_state(jobs.c.state, JobState.WAITING_CHOICE)
    return sa.update(jobs).where(jobs.c.id == job_id, jobs.c.user_id == user_id, waits)
