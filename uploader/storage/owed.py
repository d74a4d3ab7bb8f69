"""How jobs ended is owed to their people until it was said. Batches have a word of their own (`batches`)."""

import sqlalchemy as sa

from uploader import limits
from uploader.model import Job
from uploader.storage.database import Database
from uploader.storage.job_row import from_row
from uploader.storage.tables import jobs


def soon(now: sa.ColumnElement[float], *, at_once: bool = False) -> sa.ColumnElement[float | None]:
    """What `owed_at` of a job that ends is to hold: who ended it has a while to say so, unless `at_once`."""
    return sa.case((jobs.c.batch_id.is_(None), now if at_once else now + limits.OWED_S))


class Owed:
    """What is owed in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self) -> list[Job]:
        """Take jobs whose people are to be told now, `limits.OWED_AT_ONCE` at most.

        They come again after `limits.OWED_S` unless they were told (see `said`).
        """
        now = self._database.now()
        due = (
            sa.select(jobs.c.id)
            .where(jobs.c.owed_at <= now)
            .order_by(jobs.c.owed_at, jobs.c.id)
            .limit(limits.OWED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        taken = sa.update(jobs).where(jobs.c.id.in_(due)).values(owed_at=now + limits.OWED_S)
        return [from_row(row) for row in await self._database.once(taken.returning(*jobs.c))]

    async def said(self, job: Job) -> None:
        """Its person knows how it ended, or will never."""
        await self._database.once(_as_it_ended(job).values(owed_at=None))

    async def later(self, job: Job, wait_s: float) -> None:
        """Telegram takes no word of it for so long."""
        later = self._database.now() + max(wait_s, limits.OWED_S)
        await self._database.once(_as_it_ended(job).values(owed_at=later))


def _as_it_ended(job: Job) -> sa.Update:
    """Of this job, unless it was tried again since."""
    return sa.update(jobs).where(
        jobs.c.id == job.id, jobs.c.updated_at == job.updated_at, jobs.c.owed_at.is_not(None)
    )
