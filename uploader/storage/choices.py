"""Jobs that wait for a choice of their person (see `Jobs.ask`)."""

from dataclasses import replace

import sqlalchemy as sa

from uploader import limits
from uploader.model import Dues, Job, JobState, Link
from uploader.storage import moves
from uploader.storage.database import Database, Lock
from uploader.storage.job_row import from_row, offer_value, wish_value
from uploader.storage.moves import open_of
from uploader.storage.tables import heard, in_state, jobs
from uploader.wishes import Offer, Wish, belong, joined


class Choices:
    """The choices of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def compose(self, job_id: int, user_id: int, wish: Wish) -> Job | None:
        """Note what this person has chosen so far; None if their job does not wait for a choice."""
        return await self._write(_asked(job_id, user_id).values(wish=wish_value(wish)))

    async def choose(
        self, job_id: int, user_id: int, wish: Wish, link_key: str | None, dues: Dues
    ) -> Job | None:
        """Queue a job as its person wants it; None if it does not wait for a choice of theirs.

        The time that they took counts for nothing: it comes in now. `link_key`: see `Jobs.add`.
        """
        queued = moves.comes_now(self._database.now(), dues)
        chosen = {"wish": wish_value(wish), "offer": None, "link_key": link_key}
        return await self._write(_asked(job_id, user_id).values(queued | chosen))

    async def follow(self, job: Job, link: Link, link_key: str | None, dues: Dues) -> Job | None:
        """Queue a job for another link instead, one of a list's; None if it waits for a choice no more."""
        queued = moves.comes_now(self._database.now(), dues)
        chosen = {"url": link.url, "host": link.host, "link_key": link_key, "offer": None}
        return await self._write(_asked(job.id, job.user_id).values(queued | chosen))

    async def join(self, user_id: int, message_id: int, offer: Offer) -> Job | None:
        """Put a file of an album, or other words under it, to this person's job that asks about the album.

        The message is heard by that. None: there is none such, or it waits no more.
        """
        waits = in_state(jobs.c.state, JobState.WAITING_CHOICE, JobState.WAITING_SPONSORS)
        waiting = sa.select(jobs).where(open_of(user_id), waits, jobs.c.offer.is_not(None))
        hears = (
            self._database.insert(heard)
            .values(chat_id=user_id, message_id=message_id, heard_at=self._database.now())
            .on_conflict_do_nothing(index_elements=["chat_id", "message_id"])
        )
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.QUEUE)
            for job in map(from_row, await connection.execute(waiting.order_by(jobs.c.id))):
                if job.offer is not None and belong(job.offer, offer):
                    album = joined(job.offer, offer)
                    write = sa.update(jobs).where(jobs.c.id == job.id).values(offer=offer_value(album))
                    await connection.execute(write)
                    await connection.execute(hears)
                    return replace(job, offer=album)
        return None

    async def asked(self, user_id: int, message_id: int | None = None) -> Job | None:
        """Return the job of this person whose question is in that message; None: in any, the last asked."""
        waits = [jobs.c.user_id == user_id, in_state(jobs.c.state, JobState.WAITING_CHOICE)]
        if message_id is not None:
            waits.append(jobs.c.status_message_id == message_id)
        last = sa.select(jobs).where(*waits).order_by(jobs.c.updated_at.desc(), jobs.c.id.desc()).limit(1)
        rows = await self._database.select(last)
        return from_row(rows[0]) if rows else None

    async def shown(self, job_id: int) -> None:
        """Note that the person sees the question."""
        await self._database.once(
            sa.update(jobs).where(jobs.c.id == job_id).values(shown_at=self._database.now())
        )

    async def unseen(self) -> list[Job]:
        """Return jobs whose question was not shown within `limits.CARD_S`, `limits.CARDS_AT_ONCE` at most."""
        late = (
            sa.select(jobs)
            .where(
                in_state(jobs.c.state, JobState.WAITING_CHOICE),
                jobs.c.shown_at.is_(None),
                jobs.c.updated_at <= self._database.now() - limits.CARD_S,
            )
            .order_by(jobs.c.updated_at, jobs.c.id)
            .limit(limits.CARDS_AT_ONCE)
        )
        return [from_row(row) for row in await self._database.select(late)]

    async def _write(self, statement: sa.Update) -> Job | None:
        rows = await self._database.once(statement.returning(*jobs.c), lock=Lock.QUEUE)
        return from_row(rows[0]) if rows else None


def _asked(job_id: int, user_id: int) -> sa.Update:
    """Of this job, if it waits for a choice of this person."""
    waits = in_state(jobs.c.state, JobState.WAITING_CHOICE)
    return sa.update(jobs).where(jobs.c.id == job_id, jobs.c.user_id == user_id, waits)
