"""Nothing is kept for ever: neither jobs that wait, nor rows of jobs that ended."""

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import Reason, StorageUnavailable
from uploader.model import JobState, Volume
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.jobs import Jobs
from uploader.storage.volumes import Volumes


@pytest.fixture
def deadlines(database: Database) -> Deadlines:
    """The deadlines of the fresh database."""
    return Deadlines(database)


async def test_expire_when_waited_too_long_then_cancelled_or_failed(
    jobs: Jobs, deadlines: Deadlines, arrivals: Arrivals, database: Database
) -> None:
    """A link is not kept for ever: neither for somebody who never joins, nor for a worker who never comes."""
    old = await arrivals.job(1, JobState.WAITING_SPONSORS)
    late = await arrivals.job(1)
    async with database.write() as connection:
        back = limits.WAITING_SPONSORS_S + limits.PROMISE_S
        aged = {"created_at": tables.jobs.c.created_at - back, "turn_at": tables.jobs.c.turn_at - back}
        await connection.execute(sa.update(tables.jobs).values(aged))
    young = [await arrivals.job(1, state) for state in (JobState.WAITING_SPONSORS, JobState.QUEUED)]
    expired = await deadlines.expire()
    assert [(job.id, job.state, job.reason) for job in expired] == [
        (old.id, JobState.CANCELLED, Reason.WAITED_TOO_LONG),
        (late.id, JobState.FAILED, Reason.WAITED_TOO_LONG),
    ]
    assert [await jobs.get(job.id) for job in young] == young
    assert await deadlines.expire() == []


async def test_expire_when_many_are_late_then_some_at_a_time(
    deadlines: Deadlines, arrivals: Arrivals, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a long time away people are told in turn, the longest waiting first."""
    monkeypatch.setattr(limits, "EXPIRED_AT_ONCE", 2)
    added = [await arrivals.job(user_id) for user_id in range(3)]
    async with database.write() as connection:
        await connection.execute(sa.update(tables.jobs).values(turn_at=tables.jobs.c.id))
    ended = [[job.id for job in await deadlines.expire()] for _ in range(3)]
    assert ended == [[added[0].id, added[1].id], [added[2].id], []]


async def test_prune_when_jobs_ended_long_ago_then_their_rows_are_gone_a_few_at_a_time(
    jobs: Jobs, deadlines: Deadlines, arrivals: Arrivals, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of ended jobs do not pile up; what goes on stays, however old."""
    monkeypatch.setattr(limits, "PRUNED_AT_ONCE", 2)
    volumes = Volumes(database)
    volume = Volume(number=1, name="a.001", size_bytes=5, validator=None, sha256_hex=None, plays=False)
    for user_id in range(3):
        await arrivals.job(user_id)
        held = await jobs.claim("w")
        assert held is not None
        await volumes.reserve(held, volume, 7)
        await jobs.finish(held, 1)
    waiting = await arrivals.job(7, JobState.WAITING_SPONSORS)
    async with database.write() as connection:
        back = tables.jobs.c.updated_at - limits.ENDED_KEPT_S
        await connection.execute(sa.update(tables.jobs).values(updated_at=back))
    await arrivals.job(8)
    held = await jobs.claim("w")
    assert held is not None
    await volumes.reserve(held, volume, 7)
    await jobs.fail(held, Reason.EMPTY)
    assert [await deadlines.prune() for _ in range(3)] == [2, 1, 0]
    async with database.read() as connection:
        assert [(held.id,)] == (await connection.execute(sa.select(tables.volumes.c.job_id))).all()
    assert [job.id for job in await jobs.recent(9)] == [held.id]
    assert [job.id for job in await jobs.queue(9)] == [waiting.id]


async def test_prune_when_it_is_ended_in_between_has_deleted_nothing(
    database: Database, jobs: Jobs, arrivals: Arrivals, deadlines: Deadlines
) -> None:
    """A job's row does not go without its volumes: nobody would find these again."""
    await arrivals.job(1)
    held = await jobs.claim("w")
    assert held is not None
    await jobs.finish(held, 1)
    async with database.write() as connection:
        back = tables.jobs.c.updated_at - limits.ENDED_KEPT_S
        await connection.execute(sa.update(tables.jobs).values(updated_at=back))
        await connection.execute(sa.text("ALTER TABLE volumes RENAME TO elsewhere"))
    with pytest.raises((sa.exc.SQLAlchemyError, StorageUnavailable)):
        await deadlines.prune()
    assert [held.id] == [job.id for job in await jobs.recent(9)]
    async with database.write() as connection:
        await connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO volumes"))
    assert 1 == await deadlines.prune()
