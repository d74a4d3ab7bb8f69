"""Batches: made with all their jobs or not at all, and told once how they ended."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader import limits
from uploader.batch import Batch, Item, LeftOut, Unusable, Why
from uploader.model import Dues, Job, JobState, Person
from uploader.storage import claim, moves
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import from_row as job_of
from uploader.storage.job_row import wish_value
from uploader.storage.moves import open_of, waiting_of
from uploader.storage.tables import OPEN_STATES, Row, batches, in_state, jobs

_UNUSABLE: Final = TypeAdapter(tuple[Unusable, ...])
_WHY: Final = TypeAdapter[Why](Why)
#: What a job has from its batch.
_WHOSE: Final = ("user_id", "chat_id", "message_id", "language")


def from_row(row: Row) -> Batch:
    """Return the batch of a whole row of `batches`."""
    return Batch(
        id=row.id,
        user_id=row.user_id,
        chat_id=row.chat_id,
        message_id=row.message_id,
        language=row.language,
        title=row.title,
        unusable=() if row.unusable is None else _UNUSABLE.validate_json(row.unusable),
        left_out=LeftOut(count=row.left_out, why=_WHY.validate_python(row.left_out_why))
        if row.left_out
        else None,
        status_message_id=row.status_message_id,
        created_at=row.created_at,
        told_at=row.told_at,
    )


class Batches:
    """The batches of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        person: Person,
        message_id: int,
        items: Sequence[Item],
        *,
        dues: Dues,
        title: str = "",
        unusable: Sequence[Unusable] = (),
        left_out: LeftOut | None = None,
    ) -> tuple[Batch, list[Job]] | None:
        """Keep a new batch with a job for each item; None if this message made something before."""
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.QUEUE)
            made = sa.select(jobs.c.id).where(
                jobs.c.chat_id == person.user_id, jobs.c.message_id == message_id
            )
            if (await connection.execute(made.limit(1))).first() is not None:
                return None
            row = await self._insert(connection, person, message_id, title, unusable, left_out)
            if row is None:
                return None
            return from_row(row), await self._fill(connection, row, items, dues)

    async def pick(
        self,
        list_job: Job,
        items: Sequence[Item],
        *,
        dues: Dues,
        title: str,
        unusable: Sequence[Unusable] = (),
        left_out: LeftOut | None = None,
    ) -> tuple[Batch, list[Job]] | None:
        """Make a batch of what was chosen of a list; None if that job waits for a choice no more.

        The list's own job becomes the first item, so that its message, told again, still has one; its
        message becomes the card.
        """
        first, now = items[0], self._database.now()
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.QUEUE)
            batch = await self._insert(
                connection,
                list_job,
                list_job.message_id,
                title,
                unusable,
                left_out,
                list_job.status_message_id,
            )
            if batch is None:
                return None
            waits = in_state(jobs.c.state, JobState.WAITING_CHOICE)
            become = {
                **moves.comes_now(now, dues),
                **{"url": first.link.url, "host": first.link.host, "link_key": first.link_key},
                **{"wish": wish_value(first.wish), "name": first.name, "failures": 0},
                **{"offer": None, "status_message_id": None, "batch_id": batch.id},
            }
            which = sa.update(jobs).where(jobs.c.id == list_job.id, waits)
            row = (await connection.execute(which.values(become).returning(*jobs.c))).one_or_none()
            if row is None:
                await connection.rollback()
                return None
            others = await self._fill(connection, batch, items[1:], dues, first=1)
            return from_row(batch), [job_of(row), *others]

    async def get(self, batch_id: int) -> Batch | None:
        """Return the batch as it is now."""
        rows = await self._database.select(sa.select(batches).where(batches.c.id == batch_id))
        return from_row(rows[0]) if rows else None

    async def items(self, batch_id: int) -> list[Job]:
        """Return the jobs of a batch, in their order."""
        statement = sa.select(jobs).where(jobs.c.batch_id == batch_id).order_by(jobs.c.item)
        return [job_of(row) for row in await self._database.select(statement)]

    async def set_card(self, batch_id: int, message_id: int) -> None:
        """Remember our message that shows how the batch fares."""
        await self._database.once(
            sa.update(batches).where(batches.c.id == batch_id).values(status_message_id=message_id)
        )

    async def ended(self, limit: int) -> list[int]:
        """Return the numbers of batches that have ended, and whose people have not been told."""
        still_open = sa.exists().where(jobs.c.batch_id == batches.c.id, in_state(jobs.c.state, *OPEN_STATES))
        statement = (
            sa.select(batches.c.id)
            .where(batches.c.told_at.is_(None), ~still_open)
            .order_by(batches.c.id)
            .limit(limit)
        )
        return [row[0] for row in await self._database.select(statement)]

    async def reserve_report(self, batch_id: int, random_id: int) -> int | None:
        """Keep `random_id` for the message that tells how it ended, unless there is one; return the kept one.

        None: that was told.
        """
        statement = (
            sa.update(batches)
            .where(batches.c.id == batch_id, batches.c.told_at.is_(None))
            .values(report_id=sa.func.coalesce(batches.c.report_id, random_id))
            .returning(batches.c.report_id)
        )
        rows = await self._database.once(statement)
        return rows[0].report_id if rows else None

    async def told(self, batch_id: int) -> None:
        """Its person knows how it ended."""
        await self._database.once(
            sa.update(batches).where(batches.c.id == batch_id).values(told_at=self._database.now())
        )

    async def again(self, batch_id: int, user_id: int, message_id: int, most: int, dues: Dues) -> list[Job]:
        """Queue the first `most` failed jobs of this person's batch as if they came now; return them.

        From now on message `message_id` shows how it fares. Nothing happens if it failed too long ago.
        """
        now = self._database.now()
        failed = (
            sa.select(jobs.c.id)
            .where(
                jobs.c.batch_id == batch_id,
                jobs.c.user_id == user_id,
                in_state(jobs.c.state, JobState.FAILED),
                jobs.c.updated_at > now - limits.FAILED_S,
            )
            .order_by(jobs.c.item)
            .limit(most)
        )
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.QUEUE)
            waiting = (await connection.execute(sa.select(waiting_of(user_id)))).scalar_one()
            moved: list[Job] = []
            for job_id in (await connection.scalars(failed)).all():
                anew = moves.again(now, claim.turn_at(now, sa.literal(waiting + len(moved)), 1.0), dues)
                statement = sa.update(jobs).where(jobs.c.id == job_id).values(anew).returning(*jobs.c)
                moved.append(job_of((await connection.execute(statement)).one()))
            if moved:
                shown = {"status_message_id": message_id, "report_id": None, "told_at": None}
                await connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(shown))
            return moved

    async def cancel(self, batch_id: int, user_id: int) -> list[Job]:
        """Cancel what is left of this person's batch, as `Jobs.cancel` does; return it as it is then."""
        statement = (
            sa.update(jobs)
            .where(jobs.c.batch_id == batch_id, open_of(user_id))
            .values(moves.cancelled(self._database.now()))
            .returning(*jobs.c)
        )
        return [job_of(row) for row in await self._database.once(statement, lock=Lock.QUEUE)]

    async def _insert(
        self,
        connection: AsyncConnection,
        person: Person | Job,
        message_id: int,
        title: str,
        unusable: Sequence[Unusable],
        left_out: LeftOut | None,
        status_message_id: int | None = None,
    ) -> Row | None:
        statement = (
            self._database.insert(batches)
            .values(
                user_id=person.user_id,
                chat_id=person.user_id,
                message_id=message_id,
                language=person.language,
                title=title,
                unusable=_UNUSABLE.dump_json(tuple(unusable)).decode() if unusable else None,
                left_out=left_out.count if left_out else 0,
                left_out_why=left_out.why if left_out else None,
                status_message_id=status_message_id,
                created_at=self._database.now(),
            )
            .on_conflict_do_nothing(index_elements=["chat_id", "message_id"])
            .returning(*batches.c)
        )
        return (await connection.execute(statement)).one_or_none()

    async def _fill(
        self,
        connection: AsyncConnection,
        batch: Row,
        items: Sequence[Item],
        dues: Dues,
        first: int = 0,
    ) -> list[Job]:
        """Make a job of each item; the first has the number `first`."""
        now = self._database.now()
        waiting = (await connection.execute(sa.select(waiting_of(batch.user_id)))).scalar_one()
        rows: list[dict[str, Any]] = [
            {
                **moves.new_job(now, item.link, item.link_key, dues.held(), item.wish),
                **{column: getattr(batch, column) for column in _WHOSE},
                "turn_at": claim.turn_at(now, sa.literal(waiting + at), 1.0),
                "batch_id": batch.id,
                "item": first + at,
                "name": item.name,
            }
            for at, item in enumerate(items)
        ]
        if not rows:
            return []
        made = await connection.execute(sa.insert(jobs).values(rows).returning(*jobs.c))
        return sorted((job_of(row) for row in made), key=lambda job: job.item)
