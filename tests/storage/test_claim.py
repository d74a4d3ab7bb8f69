"""Who is next: round robin of people, the cap, leases that ended, and the index below it all."""

import asyncio
from collections import Counter, deque
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres_fixture import PostgresServer
from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import LeaseLost
from uploader.model import Job, JobState, Link
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.rates import Rates


async def claims(jobs: Jobs, *, finish: bool = False) -> list[Job]:
    """Claim until there is nothing left to claim, finishing each job if told so."""
    claimed = []
    while (job := await jobs.claim("w")) is not None:
        claimed.append(job)
        if finish:
            await jobs.finish(job, None)
    return claimed


async def test_claim_then_job_is_running_under_a_lease(jobs: Jobs, arrivals: Arrivals) -> None:
    """A claim is kept: state, worker, attempt and the end of the lease."""
    waiting = await arrivals.job(1, JobState.WAITING_SPONSORS)
    queued = await arrivals.job(1)
    job = await jobs.claim("w")
    assert job is not None
    assert (job.id, job.state, job.worker, job.attempt) == (queued.id, JobState.RUNNING, "w", 1)
    assert job.lease_until == pytest.approx(job.updated_at + 3600, abs=0.001)
    assert await jobs.get(job.id) == job
    assert await jobs.claim("w") is None
    assert await jobs.get(waiting.id) == waiting


async def test_claim_when_one_person_sent_many_then_others_are_not_behind_them(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """People take turns, whoever came first."""
    for user_id in (1, 1, 1, 1, 2, 2, 3):
        await arrivals.job(user_id)
    order = [job.user_id for job in await claims(jobs, finish=True)]
    assert order == [1, 2, 3, 1, 2, 1, 1]


@pytest.mark.parametrize("slots", [1, 8, 32])
async def test_claim_when_one_holds_two_hundred_then_the_others_are_done_before_thirty_of_them(
    jobs: Jobs, arrivals: Arrivals, slots: int
) -> None:
    """Twenty people with two jobs each come behind two hundred of one: however many run at once."""
    greedy = 0
    for user_id in (*[greedy] * 200, *range(1, 21), *range(1, 21)):
        await arrivals.job(user_id)
    running: deque[Job] = deque()
    done: Counter[bool] = Counter()
    while done[False] < 40:
        while len(running) < slots and (job := await jobs.claim("w")) is not None:
            running.append(job)
        ended = running.popleft()
        await jobs.finish(ended, None)
        done[ended.user_id == greedy] += 1
    assert done[True] < 30


async def test_claim_when_someone_comes_every_minute_then_what_waits_has_its_turn(tmp_path: Path) -> None:
    """One who sent much gives way to newcomers, but to each job only to those of its next minutes."""
    now = [0.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        jobs = Jobs(database, lease_s=3600)
        arrivals = Arrivals(jobs)
        for _ in range(4):
            await arrivals.job(1)
        order = []
        for minute in range(1, 21):
            now[0] = minute * 60.0
            await arrivals.job(100 + minute)
            job = await jobs.claim("w")
            assert job is not None
            order.append(job.user_id)
            await jobs.finish(job, None)
    per_turn = round(limits.TURN_S / 60)
    expected = [0, *(turn * (per_turn + 1) - 1 for turn in (1, 2, 3))]
    assert expected == [place for place, user_id in enumerate(order) if user_id == 1]


async def test_claim_when_a_person_weighs_more_then_more_often_and_not_always(tmp_path: Path) -> None:
    """A weight is a share of the turns, not a way past everybody."""
    now = [0.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        jobs = Jobs(database, lease_s=3600)
        for message_id in range(8):
            for user_id, weight in ((1, 1.0), (2, 2.0)):
                link = Link(url="https://example.com/", host="example.com")
                await jobs.add(
                    user_id=user_id,
                    chat_id=user_id,
                    message_id=message_id,
                    language="en",
                    link=link,
                    state=JobState.QUEUED,
                    weight=weight,
                )
        now[0] = 3600.0
        first = [job.user_id for job in await claims(jobs, finish=True)][:12]
    assert {1: 4, 2: 8} == Counter(first)


async def test_place_when_told_then_the_number_of_claims_before(
    jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """What a person is told is what the queue does."""
    rates = Rates(database)
    added = [await arrivals.job(user_id) for user_id in (1, 1, 1, 2, 2, 3)]
    told = {job.id: (await rates.place(job)).ahead for job in added}
    claimed = await claims(jobs, finish=True)
    assert told == {job.id: place for place, job in enumerate(claimed)}
    assert [(await rates.place(job)).ahead for job in claimed] == [0] * 6


async def test_claim_when_not_due_then_left_until_it_is(jobs: Jobs, arrivals: Arrivals) -> None:
    """A job that is to be tried later does not hold up the others."""
    later = await arrivals.job(1)
    job = await jobs.claim("w")
    assert job is not None
    await jobs.retry(job, job.updated_at + 3600)
    other = await arrivals.job(2)
    assert [found.id for found in await claims(jobs)] == [other.id]
    assert (await jobs.queue(9))[0].id == later.id


async def test_claim_when_a_job_gave_way_then_those_that_come_meanwhile_are_before_it(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """It has its turn again, and behind people who came later: it held a place already."""
    slow = await arrivals.job(1)
    job = await jobs.claim("w")
    assert job is not None
    await jobs.give_way(job, job.updated_at - 1)
    newcomers = [await arrivals.job(user_id) for user_id in (2, 3)]
    assert [job.id for job in (*newcomers, slow)] == [found.id for found in await claims(jobs, finish=True)]


async def test_is_due_when_asked_then_what_a_claim_would_find(jobs: Jobs, arrivals: Arrivals) -> None:
    """Neither what comes later nor what a person has too much of is due."""
    assert not await jobs.is_due()
    for _ in range(limits.RUNNING_JOBS_PER_PERSON + 1):
        await arrivals.job(1)
    for _ in range(limits.RUNNING_JOBS_PER_PERSON):
        assert await jobs.is_due()
        assert await jobs.claim("w") is not None
    assert not await jobs.is_due()
    await arrivals.job(2)
    assert await jobs.is_due()


async def test_claim_when_many_at_once_then_cap_per_person_holds(jobs: Jobs, arrivals: Arrivals) -> None:
    """However many workers ask in the same moment, a person has no more than the cap, and no job two."""
    for user_id in (1, 2, 3):
        for _ in range(limits.RUNNING_JOBS_PER_PERSON + 3):
            await arrivals.job(user_id)
    found = await asyncio.gather(*(jobs.claim(f"w{n}") for n in range(16)))
    claimed = [job for job in found if job is not None]
    assert Counter(job.user_id for job in claimed) == dict.fromkeys((1, 2, 3), limits.RUNNING_JOBS_PER_PERSON)
    assert len({job.id for job in claimed}) == len(claimed)


async def test_claim_when_lease_ended_then_another_worker_gets_it_and_the_first_is_stopped(
    jobs: Jobs, doomed: Jobs, arrivals: Arrivals
) -> None:
    """A dead worker's job starts again; if it was not dead after all, it can write nothing any more."""
    await arrivals.job()
    first = await doomed.claim("dead")
    second = await jobs.claim("alive")
    assert first is not None
    assert second is not None
    assert (second.id, second.worker, second.attempt) == (first.id, "alive", 2)
    with pytest.raises(LeaseLost):
        await jobs.renew(first)
    with pytest.raises(LeaseLost):
        await jobs.finish(first, None)
    assert await jobs.get(first.id) == second


async def test_claim_when_dead_worker_held_the_cap_then_person_is_not_blocked(
    jobs: Jobs, doomed: Jobs, arrivals: Arrivals
) -> None:
    """What a dead worker held is claimed first, and counts for its person as before."""
    added = [await arrivals.job(1) for _ in range(limits.RUNNING_JOBS_PER_PERSON + 1)]
    left = [await doomed.claim("dead") for _ in range(1)]
    claimed = await claims(jobs)
    assert [job.id for job in claimed] == [job.id for job in added[: limits.RUNNING_JOBS_PER_PERSON]]
    assert left[0] is not None
    assert [job.failures for job in claimed] == [1, 0]


async def test_orphan_when_workers_are_known_to_be_dead_then_their_jobs_are_claimed_at_once(
    jobs: Jobs, arrivals: Arrivals
) -> None:
    """Leases of an hour are not waited for; those of other workers are."""
    first, second = await arrivals.job(1), await arrivals.job(2)
    assert await jobs.claim("login-1") is not None
    assert await jobs.claim("other-1") is not None
    await jobs.orphan("login-")
    (again,) = await claims(jobs)
    assert (first.id, 2, 1) == (again.id, again.attempt, again.failures)
    held = await jobs.get(second.id)
    assert held is not None
    assert "other-1" == held.worker


async def test_renew_when_lease_ended_but_nobody_took_the_job_then_it_goes_on(
    jobs: Jobs, doomed: Jobs, arrivals: Arrivals
) -> None:
    """A worker that was only slow goes on, if no one took its place."""
    await arrivals.job()
    job = await doomed.claim("slow")
    assert job is not None
    assert await jobs.renew(job) is False
    assert await jobs.claim("other") is None


async def test_claim_when_a_cancel_is_under_way_then_it_takes_another_job(
    postgres_server: PostgresServer,
) -> None:
    """A job that somebody else is changing is not waited for (SQLite has one writer at a time)."""
    async with await Database.open(postgres_server.new_database()) as database:
        jobs = Jobs(database)
        arrivals = Arrivals(jobs)
        busy, free = await arrivals.job(1), await arrivals.job(2)
        async with database.write() as connection:
            cancel = sa.update(tables.jobs).values(state=JobState.CANCELLED)
            await connection.execute(cancel.where(tables.jobs.c.id == busy.id))
            job = await jobs.claim("w")
        assert job is not None
        assert job.id == free.id
        assert await jobs.claim("w") is None
