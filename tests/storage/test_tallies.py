"""What is summed up as it happens is what would be counted, whatever happens."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.storage.arrivals import Arrivals
from uploader.errors import LeaseLost, Reason
from uploader.model import ENDED, Dues, Job, JobState, Sponsor
from uploader.storage import migrate, tables, tallies
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.jobs import Jobs
from uploader.storage.sponsors import Sponsors

CHANNELS = [
    Sponsor(channel_id=number, access_hash=1, username=f"channel{number}", title="x") for number in (1, 2)
]
ENDINGS = st.sampled_from(["finish", "fail", "cancelled", "retry", "release"])


async def counted(database: Database) -> Counter[tuple[str, int]]:
    """The sums by counting all rows."""
    asks = tables.sponsor_asks.c
    async with database.read() as connection:
        states = sa.select(tables.jobs.c.state, sa.func.count()).group_by(tables.jobs.c.state)
        found = Counter({(row[0], 0): row[1] for row in await connection.execute(states)})
        got = sa.select(asks.channel_id, sa.func.count(), sa.func.count(asks.joined_at))
        for channel_id, asked, joined in await connection.execute(got.group_by(asks.channel_id)):
            found["asked", channel_id], found["joined", channel_id] = asked, joined
    ended = {(state.value, 0) for state in ENDED}
    return Counter({key: found[key] for key in found if key in ended or key[1]})


async def summed(database: Database) -> Counter[tuple[str, int]]:
    """The sums as they are kept."""
    async with database.read() as connection:
        return await tallies.sums(connection)


class World:
    """One open database for all examples of a test."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self.runner, self.database = runner, database
        self.jobs = Jobs(database, lease_s=3600)
        self.sponsors, self.deadlines = Sponsors(database), Deadlines(database)
        self.arrivals = Arrivals(self.jobs)

    async def age(self, **values: Any) -> None:
        """Let some jobs be old."""
        some = sa.select(tables.jobs.c.id).order_by(tables.jobs.c.id).limit(2)
        async with self.database.write() as connection:
            await connection.execute(sa.update(tables.jobs).where(tables.jobs.c.id.in_(some)).values(values))

    async def clear(self) -> None:
        """Forget everything, by deleting it."""
        async with self.database.write() as connection:
            for table in (tables.jobs, tables.sponsor_asks):
                await connection.execute(sa.delete(table))


class Moves(RuleBasedStateMachine):
    """Jobs end in each way there is, come back, and are deleted; people are asked, and join."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.run = world.runner.run
        self.held: list[Job] = []
        self.ids: list[int] = []

    @initialize()
    def start_empty(self) -> None:
        """Each example has its own rows."""
        self.run(self.world.clear())

    @rule(user_id=st.integers(1, 2), count=st.integers(1, 3))
    def add(self, user_id: int, count: int) -> None:
        """Links come in."""
        for _ in range(count):
            self.ids.append(self.run(self.world.arrivals.job(user_id)).id)

    @rule(endings=st.lists(ENDINGS, min_size=1, max_size=4))
    def work(self, endings: list[str]) -> None:
        """Workers at once, each with a job, some of which was theirs once."""

        async def one(ending: str) -> None:
            job = await self.world.jobs.claim("w")
            if job is None:
                return
            self.held.append(job)
            with suppress(LeaseLost):
                more = {"finish": (5,), "fail": (Reason.NOT_FOUND,), "retry": (1.0,)}.get(ending, ())
                await getattr(self.world.jobs, ending)(job, *more)

        async def all_at_once() -> None:
            async with asyncio.TaskGroup() as tasks:
                for ending in endings:
                    tasks.create_task(one(ending))

        self.run(all_at_once())

    @rule(which=st.integers(0, 99))
    def end_twice(self, which: int) -> None:
        """A worker that has lost its job ends it once more."""
        if self.held:
            with suppress(LeaseLost):
                self.run(self.world.jobs.finish(self.held[which % len(self.held)], 5))

    @rule(user_id=st.integers(1, 2))
    def cancel(self, user_id: int) -> None:
        """All that is open of a person."""
        self.run(self.world.jobs.cancel(user_id))

    @rule(which=st.integers(0, 99), user_id=st.integers(1, 2))
    def again(self, which: int, user_id: int) -> None:
        """A failed job comes back."""
        if self.ids:
            self.run(self.world.jobs.again(self.ids[which % len(self.ids)], user_id, Dues()))

    @rule(kept=st.booleans())
    def get_old(self, kept: bool) -> None:
        """Jobs wait for too long, or ended long ago."""
        self.run(self.world.age(created_at=1.0, turn_at=1.0, updated_at=1.0))
        self.run(self.world.deadlines.expire() if kept else self.world.deadlines.prune())

    @rule(user_id=st.integers(1, 3), which=st.lists(st.sampled_from(CHANNELS), unique_by=id))
    def ask(self, user_id: int, which: list[Sponsor]) -> None:
        """A person is asked to join, perhaps once more."""
        self.run(self.world.sponsors.asked(user_id, which))

    @rule(user_id=st.integers(1, 3), channel=st.sampled_from(CHANNELS))
    def join(self, user_id: int, channel: Sponsor) -> None:
        """They do, perhaps once more."""
        self.run(self.world.sponsors.joined(channel.channel_id, user_id))

    @rule()
    def fold(self) -> None:
        """Changes are put together."""
        self.run(tallies.fold(self.world.database))

    @invariant()
    def sums_are_what_would_be_counted(self) -> None:
        """At every moment."""
        assert +self.run(counted(self.world.database)) == +self.run(summed(self.world.database))


@contextmanager
def world_of(database_url: str) -> Iterator[World]:
    """A world, and what it needs."""
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(database_url))
        try:
            yield World(runner, database)
        finally:
            runner.run(database.close())


def test_sums_when_anything_happens_are_what_would_be_counted(database_url: str) -> None:
    """On both databases."""
    with world_of(database_url) as world:
        run_state_machine_as_test(
            lambda: Moves(world),  # type: ignore[arg-type] # any maker will do
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


async def test_sums_when_many_write_and_fold_at_once_are_what_would_be_counted(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """Engines end, cancel, fold and look at the same moment: nothing counts twice, none waits for ever."""
    for number in range(60):
        await arrivals.job(number % 6)

    async def work() -> None:
        while (job := await jobs.claim("w")) is not None:
            await (jobs.finish(job, 5) if job.id % 3 else jobs.fail(job, Reason.NOT_FOUND))

    async def fold() -> None:
        for _ in range(10):
            await tallies.fold(database)
            await summed(database)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(work())
        for _ in range(2):
            tasks.create_task(fold())
        for user_id in range(6):
            tasks.create_task(jobs.cancel(user_id))
    assert +await counted(database) == +await summed(database)
    assert 60 == sum((await jobs.counts()).values())


async def test_sums_when_an_older_database_is_led_on_are_what_is_there(tmp_path: Path) -> None:
    """What ended before there were sums is in them."""
    database_url = f"sqlite:///{tmp_path / 'peyk.db'}"
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        migrate.upgrade(connection, "0016")
        for number, state in enumerate(["done", "done", "failed", "queued"]):
            whose = f"{number}, {number}, {number}, 'en'"
            values = f"{whose}, 'https://a.b/', 'a.b', '{state}', 5, 5, 0, 0, 0, 5, 5, 0"
            connection.execute(
                sa.text(
                    "INSERT INTO jobs (user_id, chat_id, message_id, language, url, host, state, turn_at,"
                    " run_at, attempt, failures, cancel_requested, created_at, updated_at, item)"
                    f" VALUES ({values})"
                )
            )
        connection.execute(sa.text("INSERT INTO sponsor_asks VALUES (7, 1, 5, 6), (7, 2, 5, NULL)"))
        connection.execute(sa.text("INSERT INTO volumes VALUES (99, 0, 'a', 1, NULL, NULL, 1, 1, 1, NULL)"))
    engine.dispose()
    async with await Database.open(database_url) as database:
        expected = {("done", 0): 2, ("failed", 0): 1, ("asked", 7): 2, ("joined", 7): 1}
        assert expected == await summed(database) == await counted(database)
        assert 1 == (await Jobs(database).counts())[JobState.QUEUED]
        async with database.read() as connection:
            assert [] == (await connection.execute(sa.select(tables.volumes))).all()
