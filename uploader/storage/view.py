"""What is in the database at one moment: each look is part of one transaction."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.model import Job, JobState, SponsorCount
from uploader.storage import claim, settings, sponsors, tallies
from uploader.storage.job_row import from_row
from uploader.storage.tables import ENDED_STATES, OPEN_STATES, in_state, jobs


class View:
    """A look through one connection (see `Database.read`)."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def counts(self) -> dict[JobState, int]:
        """Return the number of jobs in every state."""
        count = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
        statement = sa.union_all(*(count.where(in_state(jobs.c.state, state)) for state in OPEN_STATES))
        found = {row[0]: row[1] for row in await self._connection.execute(statement)}
        ended = await tallies.sums(self._connection)
        return {state: found.get(state.value, 0) + ended[state.value, 0] for state in JobState}

    async def running(self) -> list[Job]:
        """Return the running jobs, the oldest claim first."""
        return await self._select(
            sa.select(jobs)
            .where(in_state(jobs.c.state, JobState.RUNNING))
            .order_by(jobs.c.updated_at, jobs.c.id)
        )

    async def queue(self, limit: int) -> list[Job]:
        """Return jobs that wait: queued ones in the order of claiming, then for a choice, for sponsors."""
        waiting = await self._select(
            sa.select(jobs)
            .where(in_state(jobs.c.state, JobState.QUEUED))
            .order_by(*claim.order(jobs))
            .limit(limit)
        )
        people = (JobState.WAITING_CHOICE, jobs.c.updated_at), (JobState.WAITING_SPONSORS, jobs.c.created_at)
        for state, since in people:
            waiting += await self._select(
                sa.select(jobs)
                .where(in_state(jobs.c.state, state))
                .order_by(since, jobs.c.id)
                .limit(limit - len(waiting))
            )
        return waiting

    async def recent(self, limit: int) -> list[Job]:
        """Return the jobs that ended, the newest end first."""
        return await self._select(
            sa.select(jobs)
            .where(in_state(jobs.c.state, *ENDED_STATES))
            .order_by(jobs.c.updated_at.desc(), jobs.c.id.desc())
            .limit(limit)
        )

    async def sponsors(self) -> list[SponsorCount]:
        """Return what each locked channel got, in the order in which they were added."""
        return await sponsors.counted(self._connection)

    async def maintenance(self) -> bool:
        """Return whether the bot takes no new links for now."""
        return await settings.value(self._connection, settings.MAINTENANCE) is True

    async def _select(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Job]:
        return [from_row(row) for row in await self._connection.execute(statement)]
