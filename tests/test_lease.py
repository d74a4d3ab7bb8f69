"""A job's lease while the database is away: held on to, and what came of the job written down later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from uploader import limits
from uploader.delivery import Errand, Lease
from uploader.errors import LeaseLost, StorageUnavailable
from uploader.model import Checkpoint, Delivered, Job, JobState, Link, Person, Progress
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.worker import Worker

LINK = Link(url="https://site.example/file", host="site.example")
CHECKPOINT = Checkpoint(file_id=1, size_bytes=1, validator="v", acked=b"\x01")


class Weather:
    """The lowest door of a database, which is shut now and then.

    `shut` says of a call, by its number from 0 on, whether it fails: "before" it is done, or "after".
    """

    def __init__(self) -> None:
        self.calls = 0
        self.shut: Callable[[int], str] = lambda _call: ""

    async def through(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """One statement."""
        number, self.calls = self.calls, self.calls + 1
        when = self.shut(number)
        if when == "before":
            raise StorageUnavailable("away")
        done = await call()
        if when == "after":
            raise StorageUnavailable("the answer was lost")
        return done


@pytest.fixture
def weather() -> Weather:
    """Fine, as yet."""
    return Weather()


@pytest.fixture
async def database(
    tmp_path: Path, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """A fresh database, whose single statements go through the weather."""
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as opened:
        once = opened.once
        monkeypatch.setattr(
            opened, "once", lambda *said, **named: weather.through(lambda: once(*said, **named))
        )
        yield opened


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that a test can see the end of."""
    monkeypatch.setattr(limits, "LEASE_S", 5.0)
    monkeypatch.setattr(limits, "HEARTBEAT_S", 0.1)


class Watcher:
    """Notes what the worker leaves."""

    def __init__(self) -> None:
        self.left: list[Job] = []
        self.moved = asyncio.Event()

    def started(self, job: Job) -> None:
        """Nothing."""

    def progress(self, progress: Progress) -> None:
        """Nothing."""

    async def ended(self, job: Job) -> None:
        """Note it."""
        self.left.append(job)
        self.moved.set()


class Way:
    """The way of a file: what `carry` does with each errand, and how often it was asked."""

    def __init__(self, carry: Callable[[Errand], Awaitable[None]]) -> None:
        self._carry = carry
        self.begun = 0

    async def carry(self, errand: Errand) -> Delivered:
        """Carry."""
        self.begun += 1
        await self._carry(errand)
        return Delivered(message_id=7)


async def accepted(database: Database) -> Job:
    """A job of a known person."""
    await People(database, 7).see(Person(user_id=1, access_hash=1, language="en", name="A"))
    job = await Jobs(database).add(
        user_id=1, chat_id=1, message_id=1, language="en", link=LINK, state=JobState.QUEUED
    )
    assert job is not None
    return job


async def carried(database: Database, way: Way) -> Job:
    """Let a worker carry until a job has ended; returns it as it then is."""
    watcher, stop, delivery = Watcher(), asyncio.Event(), way
    faked: Any = delivery
    worker = Worker("w", Jobs(database), People(database, 7), faked, watchers=[watcher])
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        while not watcher.left or watcher.left[-1].state is not JobState.DONE:
            await watcher.moved.wait()
            watcher.moved.clear()
        stop.set()
        worker.nudge()
    return watcher.left[-1]


async def test_transfer_when_renewals_fail_for_a_while_goes_on_and_nothing_counts_as_a_failure(
    database: Database, weather: Weather, short: None
) -> None:
    """One that is not answered is no reason to throw away what has come so far: the lease has time left."""

    async def carry(_errand: Errand) -> None:
        missed_from = weather.calls
        weather.shut = lambda call: "before" if call < missed_from + 3 else ""
        while weather.calls < missed_from + 6:  # noqa: ASYNC110 - heartbeats are made, of which three fail
            await asyncio.sleep(0.02)

    await accepted(database)
    way = Way(carry)
    job = await carried(database, way)
    assert (1, 1, 0) == (way.begun, job.attempt, job.failures)


async def test_transfer_when_its_lease_ends_unrenewed_stops_and_goes_on_later_from_where_it_was(
    database: Database, weather: Weather, short: None
) -> None:
    """Before another may claim it; what Telegram had by then is written down when the database answers."""
    seen: list[Checkpoint | None] = []

    async def carry(errand: Errand) -> None:
        seen.append(errand.job.checkpoint)
        if len(seen) > 1:
            return
        weather.shut = lambda _call: "before"
        try:
            await errand.lease.save(CHECKPOINT)
            await asyncio.Event().wait()
        finally:
            assert not errand.lease.sending.is_set()
            weather.shut = lambda _call: ""

    await accepted(database)
    job = await carried(database, Way(carry))
    assert ([None, CHECKPOINT], 0) == (seen, job.failures)


async def test_file_when_it_is_sent_and_that_cannot_be_written_down_is_not_carried_again(
    database: Database, weather: Weather, short: None
) -> None:
    """Even past the end of the lease: its end is written down first thing when the database answers."""

    async def carry(errand: Errand) -> None:
        await errand.lease.begin_sending()
        shut_at = asyncio.get_running_loop().time()
        until = shut_at + limits.LEASE_S + 1.0
        weather.shut = lambda _call: "before" if asyncio.get_running_loop().time() < until else ""

    await accepted(database)
    way = Way(carry)
    job = await carried(database, way)
    assert (1, 1, 0) == (way.begun, job.attempt, job.failures)


async def test_job_when_the_answer_to_its_last_write_is_lost_is_told_as_what_it_is(
    database: Database, weather: Weather
) -> None:
    """The write was kept: the second one finds the job ended, which is no lost lease."""

    async def carry(_errand: Errand) -> None:
        weather.shut = lambda call: "after" if call == asked else ""
        asked = weather.calls

    await accepted(database)
    way = Way(carry)
    job = await carried(database, way)
    assert (1, JobState.DONE, 0) == (way.begun, job.state, job.failures)


async def test_job_when_the_answer_to_its_claim_is_lost_is_carried_soon_and_has_not_failed(
    database: Database, weather: Weather
) -> None:
    """It is ours, and does not run: that is put right long before its lease ends."""

    async def carry(_errand: Errand) -> None:
        """It comes at once."""

    await accepted(database)
    claim, way = weather.calls, Way(carry)
    weather.shut = lambda call: "after" if call == claim else ""
    job = await carried(database, way)
    assert (1, 2, 0) == (way.begun, job.attempt, job.failures)


async def test_lease_when_another_has_the_job_is_lost_and_not_tried_again(database: Database) -> None:
    """What the database says for sure is believed at once."""
    await accepted(database)
    jobs = Jobs(database)
    job = await jobs.claim("w")
    assert job is not None
    lease = Lease(jobs, job, asyncio.get_running_loop().time())
    assert not await lease.renew()
    await jobs.release(job)
    with pytest.raises(LeaseLost):
        await lease.begin_sending()


async def test_lease_when_the_machine_slept_past_its_end_is_renewed_if_nobody_took_the_job(
    database: Database,
) -> None:
    """A suspended machine wakes after the end of every lease: one question tells whether it still holds."""
    await accepted(database)
    jobs = Jobs(database)
    job = await jobs.claim("w")
    assert job is not None
    lease = Lease(jobs, job, asyncio.get_running_loop().time() - 1000.0)
    assert lease.has_ended()
    assert not await lease.renew()
    assert not lease.has_ended()


class Counted(Jobs):
    """Jobs that count their renewals."""

    renewals = 0

    async def renew(self, job: Job) -> bool:
        """Count it."""
        self.renewals += 1
        return await super().renew(job)


async def test_lease_when_others_are_queued_is_renewed_for_none_of_them_and_at_once_for_a_cancel(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each link of a crowd would cost as many writes as jobs run."""
    monkeypatch.setattr(limits, "HEARTBEAT_S", 3600.0)
    job, jobs, watcher = await accepted(database), Counted(database), Watcher()
    stop, seen = asyncio.Event(), list[int]()

    async def carry(_errand: Errand) -> None:
        for _ in range(20):
            worker.nudge()
            await asyncio.sleep(0.02)
        seen.append(jobs.renewals)
        worker.nudge(await jobs.cancel(job.user_id))
        await asyncio.Event().wait()

    way: Any = Way(carry)
    worker = Worker("w", jobs, People(database, 7), way, watchers=[watcher])
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await watcher.moved.wait()
        stop.set()
        worker.nudge()
    assert JobState.CANCELLED is watcher.left[-1].state
    assert [1] == seen
