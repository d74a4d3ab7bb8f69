"""What the rows say of the pace: how long a queue takes, and what a person had today."""

import time
from pathlib import Path

import pytest

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import Reason
from uploader.machine import Room
from uploader.model import Job, JobState
from uploader.quotas import Allowance, Quotas
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.rates import Day, DayFile, Outlook, Rates
from uploader.verdicts import Place, Refused

PLACES = Room().swift


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def claimed(jobs: Jobs) -> Job:
    """Claim a job that must be there."""
    job = await jobs.claim("w")
    assert job is not None
    return job


async def test_outlook_when_jobs_ended_then_their_mean_time(tmp_path: Path) -> None:
    """Only files that were delivered tell how long one takes."""
    clock = Clock()
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=clock) as database:
        jobs, rates = Jobs(database), Rates(database)
        arrivals = Arrivals(jobs)
        assert Outlook() == await rates.outlook()
        for took_s in (10.0, 30.0, 500.0):
            await arrivals.job()
            job = await claimed(jobs)
            clock.now += took_s
            await (jobs.fail(job, Reason.EMPTY) if took_s == 500 else jobs.finish(job, None))
        for _ in range(3):
            await arrivals.job()
        await claimed(jobs)
        assert Outlook(queued=2, running=1, job_s=20.0) == await rates.outlook()


@pytest.mark.parametrize(
    ("outlook", "ahead", "expected"),
    [
        (Outlook(queued=9, running=8), 9, None),
        (Outlook(running=PLACES - 1, job_s=10.0), 0, None),
        (Outlook(running=PLACES, job_s=16.0), 0, 16.0 / PLACES),
        (Outlook(running=PLACES, job_s=16.0), 99, 1600.0 / PLACES),
        (Outlook(running=4 * PLACES, job_s=16.0), 99, 400.0 / PLACES),
    ],
)
def test_wait_when_all_slots_are_busy_follows_from_what_jobs_took(
    outlook: Outlook, ahead: int, expected: float | None
) -> None:
    """Nobody is promised what was never measured; more workers finish a queue sooner."""
    assert expected == outlook.wait_s(ahead)


async def test_place_when_as_many_of_the_person_run_as_may_then_it_waits_for_them(
    jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """To be the first of the queue does not help a person whose files are being fetched."""
    for _ in range(limits.RUNNING_JOBS_PER_PERSON):
        await arrivals.job(1)
        await claimed(jobs)
    own, other = await arrivals.job(1), await arrivals.job(2)
    rates = Rates(database)
    assert Place(ahead=0, behind_own=True) == await rates.place(own)
    assert Place(ahead=1) == await rates.place(other)


async def test_day_when_files_came_and_went_then_those_of_a_day_and_what_is_on_its_way(
    tmp_path: Path,
) -> None:
    """Delivered within 24 hours, or under way; what failed costs nothing, nor does another's."""
    clock = Clock()
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=clock) as database:
        jobs, rates = Jobs(database), Rates(database)
        arrivals = Arrivals(jobs)
        for size_bytes, user_id in ((1, 1), (20, 1), (300, 2), (4000, 1)):
            await arrivals.job(user_id)
            job = await claimed(jobs)
            await jobs.note_file(job, "f", size_bytes)
            await jobs.finish(job, None)
            clock.now += 3600
        await arrivals.job(1)
        failing = await claimed(jobs)
        await jobs.note_file(failing, "f", 50_000)
        await jobs.fail(failing, Reason.NOT_FOUND)
        await arrivals.job(1)
        await jobs.note_file(await claimed(jobs), "f", 600_000)
        await arrivals.job(1, JobState.WAITING_SPONSORS)
        clock.now += limits.DAY_S - 4 * 3600
        files = (
            DayFile(age_s=limits.DAY_S - 3600, size_bytes=20),
            DayFile(age_s=limits.DAY_S - 3 * 3600, size_bytes=4000),
        )
        assert Day(files=files, open_files=2, open_bytes=600_000) == await rates.day_of(1)
        assert Day() == await rates.day_of(3)


async def test_room_when_the_queue_is_full_then_refused_until_some_are_done(
    jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """All people together have a bound too; the length is looked at once a second at most."""
    now = [0.0]
    quotas = Quotas(Rates(database, lambda: now[0]), Allowance(queue_jobs=2))
    assert await quotas.room() is None
    for user_id in (1, 2):
        await arrivals.job(user_id)
    assert await quotas.room() is None
    now[0] += limits.LATELY_S
    assert Refused(reason="full", wait_s=limits.PACE_S) == await quotas.room()
    await jobs.finish(await claimed(jobs), None)
    now[0] += limits.LATELY_S
    assert await quotas.room() is None


async def test_day_when_the_allowance_is_used_up_then_refused(
    jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """The verdict follows the rows, and an operator may grant everything."""
    await arrivals.job(1)
    await jobs.finish(await claimed(jobs), None)
    rates = Rates(database)
    refused = await Quotas(rates, Allowance(files_per_day=1)).day(1)
    assert refused is not None
    assert "day" == refused.reason
    assert pytest.approx(limits.DAY_S, abs=60) == refused.wait_s
    assert await Quotas(rates, Allowance(files_per_day=1)).day(2) is None
    assert await Quotas(rates, Allowance()).day(1) is None


async def test_place_when_others_wait_for_their_next_attempt_then_they_are_not_before(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """What cannot be claimed now is before nobody, however early it came."""
    await arrivals.job(1)
    late = await arrivals.job(2)
    rates = Rates(database)
    assert (await rates.place(late)).ahead == 1
    held = await jobs.claim("w")
    assert held is not None
    await jobs.retry(held, time.time() + 3600.0)
    assert (await rates.place(late)).ahead == 0
