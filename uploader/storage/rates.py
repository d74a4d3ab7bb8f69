"""What the rows say of the pace: of the whole queue, and of one person within a day."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from uploader import limits
from uploader.machine import Room
from uploader.model import Job, JobState
from uploader.storage import claim
from uploader.storage.database import Database
from uploader.storage.lately import Lately
from uploader.storage.tables import ENDED_STATES, OPEN_STATES, in_state, jobs
from uploader.verdicts import Place

#: Of one engine, at least, on most machines.
_PLACES: Final = Room().swift
#: Made once: to make one costs more than the statement that it is for.
_THIS, _OTHER = jobs.alias("this"), jobs.alias("other")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The queue as a whole."""

    queued: int = 0
    running: int = 0
    job_s: float | None = None  # what a job took of late, from its claim to its end; None: not known

    def wait_s(self, ahead: int) -> float | None:
        """Seconds until so many jobs are claimed, if it goes on as it did; None: not known, or at once."""
        if self.job_s is None or (not ahead and self.running < _PLACES):
            return None
        return (ahead + 1) * self.job_s / max(self.running, _PLACES)


@dataclass(frozen=True, kw_only=True, slots=True)
class InLine:
    """A job that waits in the queue, and whose status message says so."""

    job_id: int
    place: Place
    is_new: bool  # it came so late that its message tells about as much


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFile:
    """A file that was delivered."""

    age_s: float
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """What one person had within a day, and what is on its way."""

    files: tuple[DayFile, ...] = ()  # the oldest first; at most limits.DAY_ROWS
    open_files: int = 0
    open_bytes: int = 0  # as far as sizes are known


class Rates:
    """The pace in one database."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._outlook = Lately(self.outlook, clock)

    async def lately(self) -> Outlook:
        """Return an outlook that is at most `limits.LATELY_S` old."""
        return await self._outlook.get()

    async def outlook(self) -> Outlook:
        """Return the length of the queue, and what the last jobs took."""
        count = sa.select(sa.func.count())
        last = (
            sa.select((jobs.c.updated_at - jobs.c.started_at).label("took_s"))
            .where(in_state(jobs.c.state, *ENDED_STATES), jobs.c.state == JobState.DONE)
            .order_by(jobs.c.updated_at.desc(), jobs.c.id.desc())
            .limit(limits.OUTLOOK_JOBS)
            .subquery()
        )
        figures = (
            count.where(in_state(jobs.c.state, JobState.QUEUED)),
            count.where(in_state(jobs.c.state, JobState.RUNNING)),
            sa.select(sa.func.avg(last.c.took_s)),
        )
        rows = await self._database.select(sa.select(*(each.scalar_subquery() for each in figures)))
        queued, running, job_s = rows[0]
        return Outlook(queued=queued, running=running, job_s=job_s)

    async def place(self, job: Job) -> Place:
        """Return where a queued job stands; in front, if it is not queued (any more)."""
        this, other = _THIS, _OTHER
        count = sa.select(sa.func.count())
        ahead = count.where(
            this.c.id == job.id,
            in_state(this.c.state, JobState.QUEUED),
            in_state(other.c.state, JobState.QUEUED),
            other.c.run_at <= self._database.now(),  # the others wait for their next attempt
            sa.tuple_(*claim.order(other)) < sa.tuple_(*claim.order(this)),
        )
        own = count.where(
            in_state(jobs.c.state, JobState.RUNNING), jobs.c.user_id == job.user_id, jobs.c.id != job.id
        )
        both = sa.select(ahead.scalar_subquery().label("before"), own.scalar_subquery().label("running"))
        ((before, running),) = await self._database.select(both)
        outlook = await self.lately()
        return Place(
            ahead=before,
            wait_s=outlook.wait_s(before),
            behind_own=running >= limits.RUNNING_JOBS_PER_PERSON,
        )

    async def line(self) -> list[InLine]:
        """Return who stands where among the first `limits.LINE` of the queue, as status messages tell it."""
        now, running = self._database.now(), jobs.alias("running")
        busy = (
            sa.select(running.c.user_id)
            .where(in_state(running.c.state, JobState.RUNNING))
            .group_by(running.c.user_id)
            .having(sa.func.count() >= limits.RUNNING_JOBS_PER_PERSON)
        )
        speaks = sa.and_(
            jobs.c.batch_id.is_(None),
            jobs.c.reason.is_(None),
            jobs.c.status_message_id.is_not(None),
            jobs.c.user_id.not_in(busy),  # they wait for their own
        )
        statement = (
            sa.select(jobs.c.id, speaks, jobs.c.updated_at > now - 2 * limits.LINE_S)
            .where(in_state(jobs.c.state, JobState.QUEUED), jobs.c.run_at <= now)
            .order_by(*claim.order(jobs))
            .limit(limits.LINE)
        )
        rows, outlook = await self._database.select(statement), await self.lately()
        return [
            InLine(job_id=job_id, place=Place(ahead=ahead, wait_s=outlook.wait_s(ahead)), is_new=bool(is_new))
            for ahead, (job_id, says_so, is_new) in enumerate(rows)
            if says_so
        ]

    async def kept_waiting(self, since_s: float, most: int) -> list[tuple[int, int]]:
        """Return whose jobs have waited for so long or longer, and how many; who waited longest is first."""
        statement = (
            sa.select(jobs.c.user_id, sa.func.count())
            .where(
                in_state(jobs.c.state, JobState.QUEUED, JobState.RUNNING),
                jobs.c.created_at <= self._database.now() - since_s,
            )
            .group_by(jobs.c.user_id)
            .order_by(sa.func.min(jobs.c.id))
            .limit(most)
        )
        return [(user_id, count) for user_id, count in await self._database.select(statement)]

    async def day_of(self, user_id: int) -> Day:
        """Return what this person had within the last day."""
        now = self._database.now()
        delivered = (
            sa.select(now - jobs.c.updated_at, sa.func.coalesce(jobs.c.size_bytes, 0))
            .where(
                in_state(jobs.c.state, JobState.DONE),
                jobs.c.user_id == user_id,
                jobs.c.updated_at > now - limits.DAY_S,
            )
            .order_by(jobs.c.updated_at)
            .limit(limits.DAY_ROWS)
        )
        under_way = sa.select(
            sa.func.count(), sa.cast(sa.func.coalesce(sa.func.sum(jobs.c.size_bytes), 0), sa.BigInteger)
        ).where(in_state(jobs.c.state, *OPEN_STATES), jobs.c.user_id == user_id)
        async with self._database.read() as connection:
            files = [DayFile(age_s=age, size_bytes=size) for age, size in await connection.execute(delivered)]
            count, size_bytes = (await connection.execute(under_way)).one()
        return Day(files=tuple(files), open_files=count, open_bytes=size_bytes)
