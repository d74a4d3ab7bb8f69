"""What failed is grouped by its cause, and may be tried again for a day."""

from pathlib import Path

import pytest

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import Reason
from uploader.model import Dues, Job, JobState, Link
from uploader.storage.database import Database
from uploader.storage.failures import FailedGroup, Failures
from uploader.storage.jobs import Jobs


async def failed(jobs: Jobs, number: int, host: str, reason: Reason) -> Job:
    """Bring a job to fail."""
    added = await jobs.add(
        user_id=1,
        chat_id=1,
        message_id=number,
        language="en",
        link=Link(url=f"https://{host}/", host=host),
        state=JobState.QUEUED,
    )
    job = await jobs.claim("w")
    assert job is not None
    assert added is not None
    await jobs.fail(job, reason)
    return job


async def test_groups_when_jobs_failed_then_counted_by_cause_with_their_hosts(
    jobs: Jobs, database: Database
) -> None:
    """The most frequent cause first, and where its links led most."""
    assert [] == await Failures(database).groups()
    hosts = ("a.example", "b.example", "b.example", "c.example", "d.example")
    for number, host in enumerate(hosts):
        await failed(jobs, number, host, Reason.TIMED_OUT)
    last = await failed(jobs, 99, "a.example", Reason.NOT_FOUND)
    assert [
        FailedGroup(
            reason=Reason.TIMED_OUT,
            count=5,
            hosts=("b.example", "a.example", "c.example"),
            last_job_id=last.id - 1,
        ),
        FailedGroup(reason=Reason.NOT_FOUND, count=1, hosts=("a.example",), last_job_id=last.id),
    ] == await Failures(database).groups()


async def test_again_when_failed_then_queued_as_if_it_came_now(jobs: Jobs, arrivals: Arrivals) -> None:
    """All attempts are there again; what the message needs to be sent once stays."""
    await arrivals.job()
    job = await jobs.claim("w")
    assert job is not None
    await jobs.reserve_random_id(job, 77)
    await jobs.retry(job, 0.0)
    job = await jobs.claim("w")
    assert job is not None
    await jobs.fail(job, Reason.UPLOAD_FAILED)
    other = await arrivals.job()
    again = await jobs.again(job.id, job.user_id, Dues())
    assert again is not None
    assert (JobState.QUEUED, 0, None, 77) == (again.state, again.failures, again.reason, again.random_id)
    assert again.created_at > job.created_at
    assert [other.id, job.id] == [each.id for each in await jobs.queue(9)]
    assert await jobs.again(job.id, job.user_id, Dues()) is None


async def test_again_when_it_is_anothers_job_then_nothing(jobs: Jobs, arrivals: Arrivals) -> None:
    """A forged button moves nobody else's job."""
    await arrivals.job(user_id=1)
    job = await jobs.claim("w")
    assert job is not None
    await jobs.fail(job, Reason.EMPTY)
    assert await jobs.again(job.id, 2, Dues()) is None


@pytest.mark.parametrize(("waited_s", "may"), [(limits.FAILED_S - 1, True), (limits.FAILED_S + 1, False)])
async def test_again_when_a_day_has_passed_then_nothing(tmp_path: Path, waited_s: float, may: bool) -> None:
    """The button of yesterday does nothing."""
    now = [1000.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        jobs = Jobs(database)
        job = await failed(jobs, 1, "a.example", Reason.EMPTY)
        now[0] += waited_s
        assert may == (await jobs.again(job.id, 1, Dues()) is not None)
        assert may == bool(await Failures(database).groups()) or await jobs.get(job.id) is not None
