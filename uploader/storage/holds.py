"""Jobs that wait for sponsors: whose they are, and what their cards show."""

from collections.abc import Sequence

import sqlalchemy as sa

from uploader import limits
from uploader.model import Dues, Job, JobState
from uploader.storage import moves
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import from_row
from uploader.storage.moves import open_of
from uploader.storage.tables import in_state, jobs

_WAITS = in_state(jobs.c.state, JobState.WAITING_SPONSORS)


class Holds:
    """The jobs of one database that their people's dues hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user_id: int) -> list[Job]:
        """Return the jobs of this person that wait for sponsors, the oldest first."""
        statement = sa.select(jobs).where(open_of(user_id), _WAITS).order_by(jobs.c.id)
        return [from_row(row) for row in await self._database.select(statement)]

    async def admit(self, held: Sequence[Job]) -> list[Job]:
        """Queue those of these jobs that still wait, for their person owes nothing, and return them.

        The time that they waited counts for nothing: they come in now.
        """
        queued = moves.comes_now(self._database.now(), Dues())
        which = sa.update(jobs).where(jobs.c.id.in_([job.id for job in held]), _WAITS)
        # rows are locked in any order: without this two such moves could wait for each other
        rows = await self._database.once(which.values(**queued).returning(*jobs.c), lock=Lock.QUEUE)
        return sorted((from_row(row) for row in rows), key=lambda job: job.id)

    async def shown(self, held: Sequence[Job], dues: Dues) -> None:
        """Note what the card of these jobs shows now."""
        which = sa.update(jobs).where(jobs.c.id.in_([job.id for job in held]), _WAITS)
        await self._database.once(which.values(dues_shown=dues.written))

    async def people(self, limit: int) -> list[int]:
        """Return the ids of people whose jobs wait for sponsors, the longest waiting first."""
        return await self._people(limit, sa.true())

    async def owed_people(self, limit: int, *, only_unshown: bool) -> list[int]:
        """Return those of them who are owed a card, or (unless `only_unshown`) know that we do not know.

        A card that is just being shown has `limits.CARD_S` seconds for that.
        """
        is_late = jobs.c.updated_at <= self._database.now() - limits.CARD_S
        unshown = sa.and_(jobs.c.dues_shown.is_(None), is_late)
        unsure = jobs.c.dues_shown.startswith("?")
        return await self._people(limit, unshown if only_unshown else sa.or_(unshown, unsure))

    async def _people(self, limit: int, which: sa.ColumnElement[bool]) -> list[int]:
        statement = (
            sa.select(jobs.c.user_id)
            .where(_WAITS, which)
            .group_by(jobs.c.user_id)
            .order_by(sa.func.min(jobs.c.id))
            .limit(limit)
        )
        return [row[0] for row in await self._database.select(statement)]
