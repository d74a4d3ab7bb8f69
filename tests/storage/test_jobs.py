"""Jobs come in, are looked up and counted, and give back what was put into them."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import LeaseLost, Reason
from uploader.model import Checkpoint, Job, JobState, Link
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs

LINK = Link(url="https://example.com/f?x=%20#ü", host="example.com")
BIGGEST = 2**63 - 1


async def claimed(jobs: Jobs, worker: str = "w") -> Job:
    """Claim a job that must be there."""
    job = await jobs.claim(worker)
    assert job is not None
    return job


async def again(jobs: Jobs, job: Job) -> Job:
    """Return the job as the database has it now."""
    found = await jobs.get(job.id)
    assert found is not None
    return found


async def test_add_then_get_returns_the_same(jobs: Jobs) -> None:
    """What is known of a new job comes back from the database unchanged."""
    job = await jobs.add(
        user_id=BIGGEST, chat_id=-BIGGEST, message_id=7, language="fa", link=LINK, state=JobState.QUEUED
    )
    assert job is not None
    assert job == Job(
        id=job.id,
        user_id=BIGGEST,
        chat_id=-BIGGEST,
        message_id=7,
        language="fa",
        link=LINK,
        state=JobState.QUEUED,
        attempt=0,
        worker=None,
        lease_until=None,
        run_at=job.created_at,
        created_at=job.created_at,
        updated_at=job.created_at,
        status_message_id=None,
        random_id=None,
        name=None,
        size_bytes=None,
        checkpoint=None,
        reason=None,
        cancel_requested=False,
    )
    assert await jobs.get(job.id) == job
    assert await jobs.get(job.id + 1) is None


async def test_add_when_message_was_seen_before_then_none(jobs: Jobs) -> None:
    """An update that comes twice, even at the same time, makes one job."""
    made = await asyncio.gather(
        *(
            jobs.add(user_id=1, chat_id=1, message_id=7, language="en", link=LINK, state=JobState.QUEUED)
            for _ in range(5)
        )
    )
    assert len([job for job in made if job is not None]) == 1
    assert await jobs.waiting_count(1) == 1


async def test_running_job_when_written_to_then_everything_comes_back(jobs: Jobs, arrivals: Arrivals) -> None:
    """Name, size, checkpoint, random id, status message and reason outlive the process."""
    await arrivals.job()
    job = await claimed(jobs)
    checkpoint = Checkpoint(file_id=-BIGGEST, size_bytes=BIGGEST, validator='W/"ü"', acked=b"\xff\x00\x07")
    await jobs.note_file(job, "فیلم.mp4", BIGGEST)
    await jobs.checkpoint(job, checkpoint)
    await jobs.set_status_message(job.id, 99)
    kept = [await jobs.reserve_random_id(job, random_id) for random_id in (-BIGGEST, 5)]
    await jobs.fail(job, Reason.SITE_BUSY)
    assert kept == [-BIGGEST, -BIGGEST]
    ended = await again(jobs, job)
    assert ended == replace(
        job,
        state=JobState.FAILED,
        worker=None,
        lease_until=None,
        name="فیلم.mp4",
        size_bytes=BIGGEST,
        checkpoint=checkpoint,
        status_message_id=99,
        random_id=-BIGGEST,
        reason=Reason.SITE_BUSY,
        updated_at=ended.updated_at,
    )


async def test_note_file_when_name_has_characters_no_database_takes_then_kept_without(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """NUL and lone surrogates from outside break neither database, and mean the same in both."""
    await arrivals.job()
    job = await claimed(jobs)
    await jobs.note_file(job, "a\0b\ud800c", None)
    assert (await again(jobs, job)).name == "ab?c"


async def test_checkpoint_when_replaced_and_forgotten_then_only_the_last_counts(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """A newer checkpoint takes the place of the older one; a forgotten one is gone."""
    await arrivals.job()
    job = await claimed(jobs)
    for acked in (b"\x01", b"\x03"):
        await jobs.checkpoint(job, Checkpoint(file_id=1, size_bytes=2, validator="v", acked=acked))
    replaced = (await again(jobs, job)).checkpoint
    await jobs.forget_checkpoint(job)
    assert replaced == Checkpoint(file_id=1, size_bytes=2, validator="v", acked=b"\x03")
    assert (await again(jobs, job)).checkpoint is None


@pytest.mark.parametrize(("age_s", "is_kept"), [(0.0, True), (limits.CHECKPOINT_S + 1, False)])
async def test_claim_when_checkpoint_is_old_then_it_is_forgotten(
    jobs: Jobs, arrivals: Arrivals, database: Database, age_s: float, is_kept: bool
) -> None:
    """Parts that Telegram has forgotten by now are not built upon."""
    await arrivals.job()
    job = await claimed(jobs)
    checkpoint = Checkpoint(file_id=1, size_bytes=2, validator="v", acked=b"\x01")
    await jobs.checkpoint(job, checkpoint)
    await jobs.release(job)
    async with database.write() as connection:
        await connection.execute(
            sa.update(tables.jobs).values(checkpoint_at=tables.jobs.c.checkpoint_at - age_s)
        )
    assert (await claimed(jobs)).checkpoint == (checkpoint if is_kept else None)


async def test_renew_when_cancel_was_asked_then_true(jobs: Jobs, arrivals: Arrivals) -> None:
    """The heartbeat learns that the person wants the job to stop, and its lease goes on until then."""
    await arrivals.job()
    job = await claimed(jobs)
    before = await jobs.renew(job)
    asked = await jobs.cancel_one(job.id, job.user_id)
    after = await jobs.renew(job)
    assert (before, after) == (False, True)
    assert asked is not None
    assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)
    held = await again(jobs, job)
    assert held.lease_until is not None
    assert job.lease_until is not None
    assert held.lease_until > job.lease_until
    assert held.updated_at == job.updated_at


async def test_finish_then_message_id_is_kept(jobs: Jobs, arrivals: Arrivals, database: Database) -> None:
    """The message that holds the file can be found later."""
    await arrivals.job()
    await jobs.finish(await claimed(jobs), 4321)
    async with database.read() as connection:
        assert await connection.scalar(sa.select(tables.jobs.c.delivered_message_id)) == 4321


async def test_failures_when_retried_released_and_abandoned_then_release_counts_for_nothing(
    jobs: Jobs, doomed: Jobs, arrivals: Arrivals
) -> None:
    """The retry budget is spent by failures and deaths, not by a stop of the engine."""
    await arrivals.job()
    first = await claimed(jobs)
    await jobs.retry(first, 0.0)
    second = await claimed(jobs)
    await jobs.release(second)
    third = await claimed(doomed)
    fourth = await claimed(jobs)
    assert [(job.attempt, job.failures) for job in (first, second, third, fourth)] == [
        (1, 0),
        (2, 1),
        (3, 1),
        (4, 2),
    ]


async def test_fence_when_worker_or_attempt_differs_then_lease_lost(jobs: Jobs, arrivals: Arrivals) -> None:
    """Only the worker and the attempt that hold the job may write."""
    await arrivals.job()
    job = await claimed(jobs, "mine")
    strangers = [replace(job, worker="yours"), replace(job, attempt=2), replace(job, worker=None)]
    for stranger in strangers:
        with pytest.raises(LeaseLost):
            await jobs.finish(stranger, None)
    assert await again(jobs, job) == job


async def test_cancel_then_only_what_has_not_ended_of_this_person(jobs: Jobs, arrivals: Arrivals) -> None:
    """Waiting jobs end at once, running ones are asked to; others' and ended ones are not touched."""
    await arrivals.job(1)
    await jobs.finish(await claimed(jobs), None)
    running = await arrivals.job(1)
    await claimed(jobs)
    queued = await arrivals.job(1)
    waiting = await arrivals.job(1, JobState.WAITING_SPONSORS)
    other = await arrivals.job(2)
    affected = await jobs.cancel(1)
    assert [(job.id, job.state, job.cancel_requested) for job in affected] == [
        (running.id, JobState.RUNNING, True),
        (queued.id, JobState.CANCELLED, False),
        (waiting.id, JobState.CANCELLED, False),
    ]
    assert [await again(jobs, job) for job in affected] == affected
    assert await again(jobs, other) == other


async def test_cancel_one_when_not_the_owner_then_none(jobs: Jobs, arrivals: Arrivals) -> None:
    """Nobody cancels what is another's, and nothing is cancelled twice."""
    job = await arrivals.job(1)
    by_stranger = await jobs.cancel_one(job.id, 2)
    by_owner = await jobs.cancel_one(job.id, 1)
    once_more = await jobs.cancel_one(job.id, 1)
    assert by_stranger is None
    assert by_owner is not None
    assert by_owner.state == JobState.CANCELLED
    assert once_more is None


async def test_counts_and_waiting_count_then_every_state_is_there(jobs: Jobs, arrivals: Arrivals) -> None:
    """Counts are complete, with zeros."""
    assert await jobs.counts() == dict.fromkeys(JobState, 0)
    await arrivals.job(1)
    await jobs.finish(await claimed(jobs), None)
    await arrivals.job(1)
    await claimed(jobs)
    await arrivals.job(1)
    await arrivals.job(1, JobState.WAITING_SPONSORS)
    await arrivals.job(2, JobState.WAITING_SPONSORS)
    assert await jobs.counts() == {
        JobState.WAITING_SPONSORS: 2,
        JobState.WAITING_CHOICE: 0,
        JobState.QUEUED: 1,
        JobState.RUNNING: 1,
        JobState.DONE: 1,
        JobState.FAILED: 0,
        JobState.CANCELLED: 0,
    }
    assert await jobs.waiting_count(1) == 2


async def test_views_then_running_oldest_first_queue_next_first_recent_newest_first(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """An admin sees each job once, in the order that matters for its state."""
    for user_id in range(1, 5):
        await arrivals.job(user_id)
    held = [await claimed(jobs) for _ in range(4)]
    await jobs.fail(held[2], Reason.EMPTY)
    await jobs.finish(held[0], None)
    waiting = await arrivals.job(1, JobState.WAITING_SPONSORS)
    second, first = await arrivals.job(1), await arrivals.job(2)
    assert [job.id for job in await jobs.running()] == [held[1].id, held[3].id]
    assert [job.id for job in await jobs.queue(9)] == [first.id, second.id, waiting.id]
    assert [job.id for job in await jobs.queue(1)] == [first.id]
    assert [job.id for job in await jobs.recent(9)] == [held[0].id, held[2].id]
    assert [job.id for job in await jobs.recent(1)] == [held[0].id]
