"""How a job ended is owed to its person until it was said, whatever dies in between."""

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from tests.storage.test_moves import OFFER
from uploader import limits
from uploader.errors import Reason
from uploader.model import Dues, Job, JobState
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed

HOW = ["done", "failed", "cancelled by its worker", "cancelled in the queue", "cancelled at the question"]


async def held(jobs: Jobs, arrivals: Arrivals) -> Job:
    """A job that a worker carries."""
    await arrivals.job()
    job = await jobs.claim("w")
    assert job is not None
    return job


async def end(jobs: Jobs, arrivals: Arrivals, how: str) -> Job:
    """A job that ended so."""
    if how == "cancelled in the queue":
        job = await arrivals.job()
        await jobs.cancel_one(job.id, 1)
    else:
        job = await held(jobs, arrivals)
    if how == "done":
        await jobs.finish(job, 5)
    elif how == "failed":
        await jobs.fail(job, Reason.NOT_FOUND)
    elif how == "cancelled by its worker":
        await jobs.cancelled(job)
    elif how == "cancelled at the question":
        await jobs.cancel_one(job.id, 1)
        await jobs.ask(job, OFFER)
    return job


async def pass_by(database: Database, seconds: float) -> None:
    """Let so much time pass for what is owed."""
    async with database.write() as connection:
        earlier = tables.jobs.c.owed_at - seconds
        await connection.execute(sa.update(tables.jobs).values(owed_at=earlier))


@pytest.mark.parametrize("how", HOW)
async def test_due_when_a_job_ended_and_nobody_said_so_then_again_and_again_until_it_was_said(
    database: Database, jobs: Jobs, arrivals: Arrivals, how: str
) -> None:
    """Who ended it has a while to say so; then a look does, and whoever looks meanwhile does not."""
    job, owed = await end(jobs, arrivals, how), Owed(database)
    assert await owed.due() == []
    for _ in range(2):
        await pass_by(database, limits.OWED_S)
        (due,) = await owed.due()
        assert due.id == job.id
        assert await owed.due() == []
    await owed.said(due)
    await pass_by(database, limits.OWED_S)
    assert await owed.due() == []


async def test_due_when_all_of_a_person_are_cancelled_then_at_once(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """The person is answered first; what their messages show comes by the look, at its pace."""
    waiting = [await arrivals.job() for _ in range(3)]
    await jobs.cancel(1)
    assert {job.id for job in await Owed(database).due()} == {job.id for job in waiting}


async def test_due_when_a_job_waited_too_long_then_its_person_is_told_so(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """The row says why it was let go: a look after a crash tells the same."""
    for state in (JobState.WAITING_SPONSORS, JobState.QUEUED):
        await arrivals.job(state=state)
    async with database.write() as connection:
        ago = {"created_at": tables.jobs.c.created_at - 2 * limits.DAY_S, "turn_at": 1.0}
        await connection.execute(sa.update(tables.jobs).values(ago))
    await Deadlines(database).expire()
    await pass_by(database, limits.OWED_S)
    due = {job.state: job.reason for job in await Owed(database).due()}
    assert due == {
        JobState.CANCELLED: Reason.WAITED_TOO_LONG,
        JobState.FAILED: Reason.WAITED_TOO_LONG,
    }


async def test_said_when_the_job_was_tried_again_meanwhile_then_its_new_end_is_still_owed(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """A late word about the first failure is not taken for one about the second."""
    owed = Owed(database)
    await end(jobs, arrivals, "failed")
    await pass_by(database, limits.OWED_S)
    (first,) = await owed.due()
    assert await jobs.again(first.id, 1, Dues()) is not None
    await pass_by(database, limits.OWED_S)
    assert await owed.due() == []
    again = await jobs.claim("w")
    assert again is not None
    await jobs.fail(again, Reason.FORBIDDEN)
    await owed.said(first)
    await pass_by(database, limits.OWED_S)
    assert [job.reason for job in await owed.due()] == [Reason.FORBIDDEN]


async def test_due_when_telegram_asks_to_wait_then_not_before(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """A chat that is parked for an hour holds up no other."""
    owed = Owed(database)
    await end(jobs, arrivals, "failed")
    await pass_by(database, limits.OWED_S)
    (job,) = await owed.due()
    await owed.later(job, 3600.0)
    await pass_by(database, 3500.0)
    assert await owed.due() == []
    await pass_by(database, 100.0)
    assert len(await owed.due()) == 1


async def test_due_when_much_is_owed_then_a_bounded_part_and_the_longest_owed_first(
    database: Database, jobs: Jobs, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look after a crash does not flood the account."""
    monkeypatch.setattr(limits, "OWED_AT_ONCE", 2)
    ended = [await end(jobs, arrivals, "done") for _ in range(5)]
    await pass_by(database, limits.OWED_S)
    looks = [await Owed(database).due() for _ in range(4)]
    assert [len(look) for look in looks] == [2, 2, 1, 0]
    assert {job.id for look in looks for job in look} == {job.id for job in ended}
