"""What is kept for too long: jobs that wait are ended, rows of jobs that ended are deleted."""

import sqlalchemy as sa

from uploader import limits
from uploader.errors import Reason
from uploader.model import Job, JobState
from uploader.storage import owed, tallies
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import from_row
from uploader.storage.tables import ENDED_STATES, batches, heard, in_state, jobs, volumes


def _first(
    count: int, came_at: sa.Column[float], deadline: sa.ColumnElement[float], *states: JobState
) -> sa.ColumnElement[bool]:
    """Whether a job is one of the first `count` in these states that came before `deadline`."""
    first = (
        sa.select(jobs.c.id)
        .where(in_state(jobs.c.state, *states), came_at <= deadline)
        .order_by(came_at, jobs.c.id)
        .limit(count)
    )
    return sa.and_(in_state(jobs.c.state, *states), jobs.c.id.in_(first.correlate(None)))


class Deadlines:
    """The deadlines of the jobs of one database. Each look does a bounded part of what is due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire(self) -> list[Job]:
        """End jobs that waited too long, and return them: `limits.EXPIRED_AT_ONCE` of each kind at most.

        Those for sponsors or a choice are cancelled, with the reason that it was too late; queued ones have
        failed, which their people may answer.
        """
        now = self._database.now()
        waiting, queued = JobState.WAITING_SPONSORS, JobState.QUEUED
        kept_since = now - limits.WAITING_SPONSORS_S
        gone = _first(limits.EXPIRED_AT_ONCE, jobs.c.created_at, kept_since, waiting)
        asked_since, choosing = now - limits.WAITING_CHOICE_S, JobState.WAITING_CHOICE
        unchosen = _first(limits.EXPIRED_AT_ONCE, jobs.c.updated_at, asked_since, choosing)
        late = _first(limits.EXPIRED_AT_ONCE, jobs.c.turn_at, now - limits.PROMISE_S, queued)
        ended = {"reason": Reason.WAITED_TOO_LONG, "updated_at": now, "owed_at": owed.soon(now)}
        failed, cancelled = {**ended, "state": JobState.FAILED}, {**ended, "state": JobState.CANCELLED}
        return [
            *await self._end(sa.update(jobs).where(gone).values(cancelled)),
            *await self._end(sa.update(jobs).where(unchosen).values(cancelled)),
            *await self._end(sa.update(jobs).where(late).values(failed)),
        ]

    async def prune(self) -> int:
        """Delete rows of jobs that ended `limits.ENDED_KEPT_S` ago, `limits.PRUNED_AT_ONCE` at most.

        Returns how many. Their volumes go with them, and batches with their last job; messages that are too
        old to be acted on again are forgotten, too, as many at most.
        """
        now, most = self._database.now(), limits.PRUNED_AT_ONCE
        old = _first(most, jobs.c.updated_at, now - limits.ENDED_KEPT_S, *ENDED_STATES)
        messages = sa.tuple_(heard.c.chat_id, heard.c.message_id)
        forgotten = heard.c.heard_at <= now - limits.MISSED_S - limits.DAY_S
        some = sa.select(heard.c.chat_id, heard.c.message_id).where(forgotten).limit(most)
        async with self._database.write() as connection:
            await connection.execute(sa.delete(heard).where(messages.in_(some)))
            gone = (
                await connection.execute(sa.delete(jobs).where(old).returning(jobs.c.id, jobs.c.batch_id))
            ).all()
            if gone:
                of_them = volumes.c.job_id.in_([row.id for row in gone])
                await connection.execute(sa.delete(volumes).where(of_them))
            if batch_ids := {row.batch_id for row in gone} - {None}:
                is_empty = ~sa.exists().where(jobs.c.batch_id == batches.c.id)
                await connection.execute(sa.delete(batches).where(batches.c.id.in_(batch_ids), is_empty))
        await tallies.fold(self._database)
        return len(gone)

    async def _end(self, statement: sa.Update) -> list[Job]:
        rows = await self._database.once(statement.returning(*jobs.c), lock=Lock.QUEUE)
        return sorted((from_row(row) for row in rows), key=lambda job: job.id)
