"""Jobs: accepted by people, claimed and moved by workers, seen by admins."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from uploader import limits
from uploader.errors import LeaseLost, Reason
from uploader.model import Checkpoint, Dues, Job, JobState, Link
from uploader.storage import claim, moves, owed
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import checkpoint_values, from_row, offer_value
from uploader.storage.moves import open_of, waiting_of
from uploader.storage.tables import Row, in_state, jobs, volumes
from uploader.storage.view import View
from uploader.wishes import UNDECIDED, Offer, Wish


class Jobs:
    """The jobs of one database. `lease_s` is how long a claimed job is safe from others without `renew`."""

    def __init__(self, database: Database, *, lease_s: float = limits.LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s
        self._claim = claim.statement(database.now(), lease_s, limits.RUNNING_JOBS_PER_PERSON)
        self._due = claim.due(database.now(), limits.RUNNING_JOBS_PER_PERSON)

    # accepted and looked up

    async def add(
        self,
        *,
        user_id: int,
        chat_id: int,
        message_id: int,
        language: str,
        link: Link,
        state: JobState,
        weight: float = 1.0,
        link_key: str | None = None,
        wish: Wish = UNDECIDED,
        offer: Offer | None = None,
    ) -> Job | None:
        """Keep a new job (one that waits, or QUEUED); None if this message made one before.

        `weight`: how much more often than others this person's jobs have their turn. `link_key`: what the
        link has in common with others to the same file; None: this file is for nobody else.
        """
        now = self._database.now()
        statement = (
            self._database.insert(jobs)
            .values(
                user_id=user_id,
                chat_id=chat_id,
                message_id=message_id,
                language=language,
                turn_at=claim.turn_at(now, waiting_of(user_id), weight),
                offer=offer_value(offer),
                **moves.new_job(now, link, link_key, state, wish),
            )
            .on_conflict_do_nothing(index_elements=["chat_id", "message_id", "item"])
            .returning(*jobs.c)
        )
        rows = await self._database.once(statement)
        return from_row(rows[0]) if rows else None

    async def get(self, job_id: int) -> Job | None:
        """Return the job as it is now."""
        found = await self._select(sa.select(jobs).where(jobs.c.id == job_id))
        return found[0] if found else None

    async def waiting_count(self, user_id: int, *, in_batches: bool | None = None) -> int:
        """Return how many jobs of this person wait, for sponsors, a choice or in the queue.

        `in_batches`: only those that belong to a batch, or only those that do not.
        """
        rows = await self._database.select(sa.select(waiting_of(user_id, in_batches=in_batches)))
        return int(rows[0][0])

    async def set_status_message(self, job_id: int, message_id: int) -> Job | None:
        """Remember our message that shows how the job fares; return the job. It may change in any state."""
        shown = sa.update(jobs).where(jobs.c.id == job_id).values(status_message_id=message_id)
        rows = await self._database.once(shown.returning(*jobs.c))
        return from_row(rows[0]) if rows else None

    # of the worker that holds the lease: LeaseLost means stop at once

    async def claim(self, worker: str) -> Job | None:
        """Take the next job, whose lease is then ours; None if there is none for now.

        A job may come with `cancel_requested`, or with all its `failures` used up by workers that died.
        It comes without its checkpoint if that is older than `limits.CHECKPOINT_S`.
        """
        rows = await self._database.once(self._claim, {"claimer": worker}, lock=Lock.QUEUE)
        return from_row(rows[0]) if rows else None

    async def is_due(self) -> bool:
        """Return whether a queued job could be claimed now."""
        return bool(await self._database.select(self._due))

    async def renew(self, job: Job) -> bool:
        """Hold the lease for another `lease_s` seconds; return whether the job shall be cancelled."""
        row = await self._write(job, lease_until=self._database.now() + self._lease_s)
        return bool(row.cancel_requested)

    async def note_file(self, job: Job, name: str, size_bytes: int | None) -> None:
        """Keep what the source said of the file."""
        await self._write(job, name=name, size_bytes=size_bytes)

    async def checkpoint(self, job: Job, checkpoint: Checkpoint) -> None:
        """Keep how far the upload came, in place of an earlier checkpoint."""
        await self._write(job, **checkpoint_values(checkpoint, self._database.now()))

    async def forget_checkpoint(self, job: Job) -> None:
        """Start the upload anew next time: Telegram has lost its parts."""
        await self._write(job, **checkpoint_values(None, self._database.now()))

    async def reserve_random_id(self, job: Job, random_id: int) -> int:
        """Keep `random_id` for the message that delivers, unless there is one; return the kept one."""
        row = await self._write(job, random_id=sa.func.coalesce(jobs.c.random_id, random_id))
        return int(row.random_id)

    async def keep_apart(self, job: Job) -> None:
        """The file is for this person alone: others with the same link wait no longer, and fetch theirs."""
        await self._write(job, link_key=None, fetching=None)
        await self._database.once(
            sa.update(jobs)
            .where(in_state(jobs.c.state, JobState.QUEUED), jobs.c.link_key == job.link_key)
            .values(link_key=None),
            lock=Lock.QUEUE,
        )

    async def forget_random_id(self, job: Job) -> None:
        """Let the next attempt send a message of its own: the one of this attempt was taken back."""
        await self._write(job, random_id=None)

    async def finish(self, job: Job, delivered_message_id: int | None) -> None:
        """End the job: its file is in the chat."""
        await self._end(job, JobState.DONE, delivered_message_id=delivered_message_id)

    async def fail(self, job: Job, reason: Reason) -> None:
        """End the job: its file will not come, because of `reason`."""
        await self._end(job, JobState.FAILED, reason=reason)

    async def ask(self, job: Job, offer: Offer) -> None:
        """Let the job wait until its person has chosen; what it would have fetched, others may.

        If it is to be cancelled, it is.
        """
        state = sa.case((jobs.c.cancel_requested, JobState.CANCELLED), else_=JobState.WAITING_CHOICE)
        owed_at = sa.case((jobs.c.cancel_requested, owed.soon(self._database.now())))
        asked = {"offer": offer_value(offer), "shown_at": None, "owed_at": owed_at}
        await self._leave(job, state, fetching=None, **asked)

    async def cancelled(self, job: Job) -> None:
        """End the job: its person wanted that."""
        await self._end(job, JobState.CANCELLED)

    async def retry(self, job: Job, run_at: float) -> None:
        """Put the job back into the queue until `run_at`; the attempt counts as a failure."""
        await self._leave(job, JobState.QUEUED, run_at=run_at, failures=jobs.c.failures + 1)

    async def release(self, job: Job, run_at: float | None = None) -> None:
        """Put the job back into the queue (until `run_at`); the attempt counts for nothing but the fence."""
        await self._leave(job, JobState.QUEUED, run_at=self._database.now() if run_at is None else run_at)

    async def give_way(self, job: Job, run_at: float) -> None:
        """The same, and the job has its turn behind those that come up to `limits.TURN_S` after `run_at`."""
        await self._leave(job, JobState.QUEUED, run_at=run_at, turn_at=run_at + limits.TURN_S)

    async def put_back(self, worker: str, *, but: Sequence[int]) -> None:
        """Queue again what this worker holds and does not run: all except `but`. It counts for nothing."""
        now = self._database.now()
        held = sa.and_(in_state(jobs.c.state, JobState.RUNNING), jobs.c.worker == worker)
        await self._database.once(
            sa.update(jobs)
            .where(held, jobs.c.id.not_in(but))
            .values(state=JobState.QUEUED, worker=None, lease_until=None, updated_at=now, run_at=now)
        )

    async def orphan(self, workers: str) -> None:
        """End the leases of all workers whose names begin so: it is known that they are dead."""
        dead = sa.and_(in_state(jobs.c.state, JobState.RUNNING), jobs.c.worker.startswith(workers))
        await self._database.once(sa.update(jobs).where(dead).values(lease_until=self._database.now()))

    # moved by people and admins

    async def again(self, job_id: int, user_id: int, dues: Dues) -> Job | None:
        """Queue a failed job of this person as if it came now; None if it is none, or failed too long ago."""
        now = self._database.now()
        statement = (
            sa.update(jobs)
            .where(
                jobs.c.id == job_id,
                jobs.c.user_id == user_id,
                in_state(jobs.c.state, JobState.FAILED),
                jobs.c.updated_at > now - limits.FAILED_S,
            )
            .values(moves.again(now, claim.turn_at(now, waiting_of(user_id), 1.0), dues))
        )
        moved = await self._move(statement)
        return moved[0] if moved else None

    async def correct(
        self,
        *,
        user_id: int,
        chat_id: int,
        message_id: int,
        link: Link,
        dues: Dues,
        link_key: str | None = None,
        wish: Wish = UNDECIDED,
    ) -> Job | None:
        """Let the job of a message bring another link, as if it came now; None: that is not there.

        It has failed, or it was cancelled, with another link. See `add` and `again`. A job of a batch is
        none of these.
        """
        now = self._database.now()
        turn_at = claim.turn_at(now, waiting_of(user_id), 1.0)
        statement = (
            sa.update(jobs)
            .where(
                jobs.c.user_id == user_id,
                jobs.c.chat_id == chat_id,
                jobs.c.message_id == message_id,
                jobs.c.batch_id.is_(None),
                in_state(jobs.c.state, JobState.FAILED, JobState.CANCELLED),
                in_state(jobs.c.state, JobState.FAILED) | (jobs.c.url != link.url),
            )
            .values(
                moves.again(now, turn_at, dues)
                | moves.another(link, link_key, wish)
                | checkpoint_values(None, now)
            )
        )
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.QUEUE)
            row = (await connection.execute(statement.returning(*jobs.c))).one_or_none()
            if row is not None:
                await connection.execute(sa.delete(volumes).where(volumes.c.job_id == row.id))
        return None if row is None else from_row(row)

    async def cancel(self, user_id: int) -> list[Job]:
        """Cancel all jobs of this person; return them as they are then. See `cancel_one`.

        What is said of each of them is owed at once (`storage.owed`).
        """
        return await self._cancel(open_of(user_id), told_at_once=True)

    async def cancel_one(self, job_id: int, user_id: int) -> Job | None:
        """Cancel one job of this person, a running one by asking its worker.

        Returns the job as it is then: CANCELLED, or still RUNNING with `cancel_requested`. None if it is
        not this person's, or has ended.
        """
        moved = await self._cancel(jobs.c.id == job_id, open_of(user_id))
        return moved[0] if moved else None

    # seen

    async def counts(self) -> dict[JobState, int]:
        """See `View.counts`."""
        async with self._database.read() as connection:
            return await View(connection).counts()

    async def running(self) -> list[Job]:
        """See `View.running`."""
        async with self._database.read() as connection:
            return await View(connection).running()

    async def queue(self, limit: int) -> list[Job]:
        """See `View.queue`."""
        async with self._database.read() as connection:
            return await View(connection).queue(limit)

    async def recent(self, limit: int) -> list[Job]:
        """See `View.recent`."""
        async with self._database.read() as connection:
            return await View(connection).recent(limit)

    async def _select(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Job]:
        return [from_row(row) for row in await self._database.select(statement)]

    async def _move(self, statement: sa.Update) -> list[Job]:
        # rows are locked in any order: without this two such moves could wait for each other
        rows = await self._database.once(statement.returning(*jobs.c), lock=Lock.QUEUE)
        return sorted((from_row(row) for row in rows), key=lambda job: job.id)

    async def _cancel(self, *which: sa.ColumnElement[bool], told_at_once: bool = False) -> list[Job]:
        cancelled = moves.cancelled(self._database.now(), told_at_once=told_at_once)
        return await self._move(sa.update(jobs).where(*which).values(cancelled))

    async def _end(self, job: Job, state: JobState, **values: Any) -> None:
        await self._leave(job, state, owed_at=owed.soon(self._database.now()), **values)

    async def _leave(self, job: Job, state: JobState | sa.ColumnElement[Any], **values: Any) -> None:
        now = self._database.now()
        await self._write(job, state=state, worker=None, lease_until=None, updated_at=now, **values)

    async def _write(self, job: Job, **values: Any) -> Row:
        """Write through the fence: only as the worker, and in the attempt, that hold the job."""
        statement = (
            sa.update(jobs)
            .where(claim.held_by(job))
            .values(**values)
            .returning(jobs.c.cancel_requested, jobs.c.random_id)
        )
        rows = await self._database.once(statement)
        if not rows:
            raise LeaseLost(f"job {job.id}: attempt {job.attempt} of {job.worker} is over")
        return rows[0]
