"""The volumes of jobs whose file is above the cap: which are in the chat, and under which random_id."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.errors import LeaseLost
from uploader.model import Job, Volume
from uploader.storage.claim import held_by
from uploader.storage.database import Database
from uploader.storage.tables import Row, jobs, volumes


def from_row(row: Row) -> Volume:
    """Return the volume of a whole row of `volumes`."""
    return Volume(
        number=row.number,
        name=row.name,
        size_bytes=row.size_bytes,
        validator=row.validator,
        sha256_hex=row.sha256,
        plays=row.plays,
        is_sent=row.is_sent,
        message_id=row.message_id,
    )


class Volumes:
    """The volumes of one database. Writes are the worker's that holds the job, as those of `Jobs` are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, job: Job) -> dict[int, Volume]:
        """Return the volumes of which a message was about to be sent, by their number."""
        statement = sa.select(volumes).where(volumes.c.job_id == job.id)
        return {row.number: from_row(row) for row in await self._database.select(statement)}

    async def reserve(self, job: Job, volume: Volume, random_id: int) -> int:
        """Keep what is about to be sent, and `random_id` for it unless there is one; return the kept one.

        Raises LeaseLost.
        """
        values = {
            "name": volume.name,
            "size_bytes": volume.size_bytes,
            "validator": volume.validator,
            "sha256": volume.sha256_hex,
            "plays": volume.plays,
        }
        statement = (
            self._database.insert(volumes)
            .values(job_id=job.id, number=volume.number, random_id=random_id, is_sent=False, **values)
            .on_conflict_do_update(index_elements=["job_id", "number"], set_=values)
            .returning(volumes.c.random_id)
        )
        async with self._fenced(job) as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def sent(self, job: Job, number: int, message_id: int | None) -> None:
        """The volume is in the chat. Raises LeaseLost."""
        await self._change(job, number, is_sent=True, message_id=message_id)

    async def forget_random_id(self, job: Job, number: int, random_id: int) -> None:
        """Send the volume anew as `random_id`: its message was taken back. Raises LeaseLost."""
        await self._change(job, number, random_id=random_id)

    async def forget(self, job: Job) -> None:
        """Begin with the first volume again. Raises LeaseLost."""
        async with self._fenced(job) as connection:
            await connection.execute(sa.delete(volumes).where(volumes.c.job_id == job.id))

    async def _change(self, job: Job, number: int, **values: object) -> None:
        which = sa.and_(volumes.c.job_id == job.id, volumes.c.number == number)
        async with self._fenced(job) as connection:
            await connection.execute(sa.update(volumes).where(which).values(**values))

    @asynccontextmanager
    async def _fenced(self, job: Job) -> AsyncIterator[AsyncConnection]:
        """A transaction in which nobody else can take the job."""
        async with self._database.write() as connection:
            still = sa.update(jobs).where(held_by(job)).values(attempt=jobs.c.attempt).returning(jobs.c.id)
            if (await connection.execute(still)).one_or_none() is None:
                raise LeaseLost(f"job {job.id}: attempt {job.attempt} of {job.worker} is over")
            yield connection
