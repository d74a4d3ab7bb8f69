"""The queue against a simple model of it: whatever several workers, people and deaths do, they agree.

A lease is alive for ever or over at once (`steady` and `dying` leases), so that no clock is needed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import LeaseLost, Reason
from uploader.model import ENDED, Checkpoint, Dues, Job, JobState
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs

T = TypeVar("T")

USERS = st.integers(1, 2)
FAR_FUTURE = 1e12


@dataclass(kw_only=True)
class Expected:
    """A job of the model. Times are ticks of the model; `run_at` None = not in this test.

    A turn is far longer than all ticks of a test.
    """

    id: int
    user_id: int
    state: JobState
    turn: int
    came_at: int
    run_at: int | None
    updated_at: int
    attempt: int = 0
    failures: int = 0
    worker: str | None = None
    ended_at: int | None = None  # when the lease ended; None: it is alive
    cancel_requested: bool = False
    file_id: int | None = None  # of the checkpoint
    random_id: int | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it counts for the turn of the person's next job."""
        return self.state in (JobState.WAITING_SPONSORS, JobState.QUEUED)

    def move(self, state: JobState, tick: int) -> None:
        """Leave the present state, and whoever held the job."""
        self.state, self.updated_at, self.worker, self.ended_at = state, tick, None, None


class World:
    """One open database for all examples of a test."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self._runner = runner
        self.database = database
        self.steady = Jobs(database, lease_s=3600)
        self.dying = Jobs(database, lease_s=0)
        self.holds = Holds(database)
        self.deadlines = Deadlines(database)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it now."""
        return self._runner.run(work)

    async def age(self, job_id: int) -> None:
        """Let a job have waited for longer than any may."""
        long_ago = {"created_at": 1.0, "turn_at": 1.0}
        async with self.database.write() as connection:
            await connection.execute(
                sa.update(tables.jobs).where(tables.jobs.c.id == job_id).values(long_ago)
            )

    async def clear(self) -> None:
        """Forget all jobs."""
        async with self.database.write() as connection:
            await connection.execute(sa.delete(tables.jobs))


class Queue(RuleBasedStateMachine):
    """The rules of the queue, twice: in the database and in a list."""

    held: Bundle[Job] = Bundle("held")

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.jobs: dict[int, Expected] = {}
        self.ticks = count(1)
        self.arrivals = Arrivals(world.steady)

    @initialize()
    def start_empty(self) -> None:
        """Each example has its own jobs."""
        self.world.run(self.world.clear())

    @rule(user_id=USERS, waits=st.booleans(), links=st.integers(1, 3))
    def add(self, user_id: int, waits: bool, links: int) -> None:
        """Links come in."""
        state = JobState.WAITING_SPONSORS if waits else JobState.QUEUED
        for _ in range(links):
            turn = sum(job.is_waiting for job in self._of(user_id, *JobState))
            job = self.world.run(self.arrivals.job(user_id, state))
            tick = next(self.ticks)
            self.jobs[job.id] = Expected(
                id=job.id,
                user_id=user_id,
                state=state,
                turn=turn,
                came_at=tick,
                run_at=tick,
                updated_at=tick,
            )

    @rule(target=held, worker=st.sampled_from("ab"), dies=st.booleans())
    def claim(self, worker: str, dies: bool) -> Any:
        """A worker asks for a job, and may die with it."""
        door = self.world.dying if dies else self.world.steady
        found = self.world.run(door.claim(worker))
        expected = self._next()
        assert (found and found.id) == (expected and expected.id)
        if found is None or expected is None:
            return multiple()
        expected.failures += expected.state == JobState.RUNNING
        expected.move(JobState.RUNNING, next(self.ticks))
        expected.worker, expected.attempt = worker, expected.attempt + 1
        expected.ended_at = expected.updated_at if dies else None
        assert (found.checkpoint and found.checkpoint.file_id) == expected.file_id
        assert found.random_id == expected.random_id
        return found

    @rule(job=held, dies=st.booleans())
    def renew(self, job: Job, dies: bool) -> None:
        """A heartbeat, perhaps the last one."""
        door = self.world.dying if dies else self.world.steady
        with self._fenced(job) as expected:
            assert self.world.run(door.renew(job)) == (expected and expected.cancel_requested)
        if expected is not None:
            expected.ended_at = next(self.ticks) if dies else None

    @rule(job=held, file_id=st.none() | st.integers(1, 9))
    def checkpoint(self, job: Job, file_id: int | None) -> None:
        """Parts were acknowledged, or lost."""
        jobs = self.world.steady
        with self._fenced(job) as expected:
            if file_id is None:
                self.world.run(jobs.forget_checkpoint(job))
            else:
                kept = Checkpoint(file_id=file_id, size_bytes=9, validator="v", acked=b"\x01")
                self.world.run(jobs.checkpoint(job, kept))
        if expected is not None:
            expected.file_id = file_id

    @rule(job=held, random_id=st.integers(1, 9))
    def reserve(self, job: Job, random_id: int) -> None:
        """A message is about to be sent: whoever comes first says under which id, for all attempts."""
        with self._fenced(job) as expected:
            kept = self.world.run(self.world.steady.reserve_random_id(job, random_id))
            assert kept == ((expected and expected.random_id) or random_id)
        if expected is not None:
            expected.random_id = kept

    @rule(job=held, state=st.sampled_from([JobState.DONE, JobState.FAILED, JobState.CANCELLED]))
    def end(self, job: Job, state: JobState) -> None:
        """A worker comes to an end with a job, good or bad."""
        jobs = self.world.steady
        ends: dict[JobState, Callable[[], Coroutine[Any, Any, None]]] = {
            JobState.DONE: lambda: jobs.finish(job, 1),
            JobState.FAILED: lambda: jobs.fail(job, Reason.EMPTY),
            JobState.CANCELLED: lambda: jobs.cancelled(job),
        }
        with self._fenced(job) as expected:
            self.world.run(ends[state]())
        if expected is not None:
            expected.move(state, next(self.ticks))

    @rule(job=held, due=st.booleans())
    def retry(self, job: Job, due: bool) -> None:
        """An attempt failed."""
        with self._fenced(job) as expected:
            self.world.run(self.world.steady.retry(job, 0.0 if due else FAR_FUTURE))
        if expected is not None:
            expected.move(JobState.QUEUED, next(self.ticks))
            expected.run_at = 0 if due else None
            expected.failures += 1

    @rule(job=held)
    def release(self, job: Job) -> None:
        """The engine stops."""
        with self._fenced(job) as expected:
            self.world.run(self.world.steady.release(job))
        if expected is not None:
            expected.move(JobState.QUEUED, next(self.ticks))
            expected.run_at = expected.updated_at

    @rule(user_id=USERS, which=st.integers(1, 99))
    def again(self, user_id: int, which: int) -> None:
        """A person presses a retry button: of a job that failed, or of any other."""
        job = self._any(which)
        found = self.world.run(self.world.steady.again(job.id if job else 1, user_id, Dues()))
        if job is None or job.user_id != user_id or job.state != JobState.FAILED:
            assert found is None
            return
        assert found is not None
        job.turn, tick = sum(each.is_waiting for each in self._of(user_id, *JobState)), next(self.ticks)
        job.move(JobState.QUEUED, tick)
        job.came_at = job.run_at = tick
        job.failures, job.cancel_requested = 0, False

    @rule(user_id=USERS)
    def admit(self, user_id: int) -> None:
        """A person has joined everything."""
        held = self.world.run(self.world.holds.of(user_id))
        admitted = self.world.run(self.world.holds.admit(held))
        tick = next(self.ticks)
        expected = self._of(user_id, JobState.WAITING_SPONSORS)
        for job in expected:
            job.move(JobState.QUEUED, tick)
            job.run_at = job.came_at = tick
        assert [job.id for job in admitted] == [job.id for job in expected]

    @rule(user_id=USERS)
    def cancel(self, user_id: int) -> None:
        """A person has changed their mind."""
        affected = self.world.run(self.world.steady.cancel(user_id))
        tick = next(self.ticks)
        expected = self._of(user_id, JobState.WAITING_SPONSORS, JobState.QUEUED, JobState.RUNNING)
        for job in expected:
            job.cancel_requested = job.state == JobState.RUNNING
            if job.state != JobState.RUNNING:
                job.move(JobState.CANCELLED, tick)
        assert [job.id for job in affected] == [job.id for job in expected]

    @rule(user_id=USERS, which=st.integers(1, 99))
    def cancel_one(self, user_id: int, which: int) -> None:
        """A person presses a cancel button: of a job of theirs that goes on, or of any other."""
        job = self._any(which)
        found = self.world.run(self.world.steady.cancel_one(job.id if job else 1, user_id))
        if job is None or job.user_id != user_id or job.state in ENDED:
            assert found is None
            return
        job.cancel_requested = job.state == JobState.RUNNING
        if job.state != JobState.RUNNING:
            job.move(JobState.CANCELLED, next(self.ticks))
        assert found is not None
        assert (found.id, found.state) == (job.id, job.state)

    @rule(which=st.integers(1, 99))
    def expire(self, which: int) -> None:
        """A job, if it waits, has waited for too long."""
        job = self._any(which)
        if job is None or job.state == JobState.RUNNING:
            return
        self.world.run(self.world.age(job.id))
        expired = self.world.run(self.world.deadlines.expire())
        assert [each.id for each in expired] == ([job.id] if job.is_waiting else [])
        if job.is_waiting:
            late = job.state == JobState.QUEUED
            job.move(JobState.FAILED if late else JobState.CANCELLED, next(self.ticks))

    @invariant()
    def nobody_is_above_the_cap(self) -> None:
        """However it came about."""
        for user_id in (1, 2):
            assert len(self._of(user_id, JobState.RUNNING)) <= limits.RUNNING_JOBS_PER_PERSON

    @invariant()
    def views_agree(self) -> None:
        """All jobs stand where the model has them, in the order of the model."""
        running, queue, recent = self.world.run(self._views())
        self._same(running, self._in(JobState.RUNNING), lambda job: (job.updated_at, job.id))
        waiting = [*self._in(JobState.QUEUED), *self._in(JobState.WAITING_SPONSORS)]
        self._same(queue, waiting, lambda job: (job.state != JobState.QUEUED, *self._order(job)))
        ended = self._in(JobState.DONE, JobState.FAILED, JobState.CANCELLED)
        self._same(recent, ended, lambda job: (-job.updated_at, -job.id))

    async def _views(self) -> tuple[list[Job], list[Job], list[Job]]:
        jobs = self.world.steady
        return await jobs.running(), await jobs.queue(99), await jobs.recent(99)

    def _same(
        self, found: list[Job], expected: list[Expected], key: Callable[[Expected], tuple[Any, ...]]
    ) -> None:
        facts = [
            (job.id, job.state, job.attempt, job.failures, job.worker, job.cancel_requested) for job in found
        ]
        assert facts == [
            (job.id, job.state, job.attempt, job.failures, job.worker, job.cancel_requested)
            for job in sorted(expected, key=key)
        ]

    def _order(self, job: Expected) -> tuple[float, ...]:
        if job.state == JobState.WAITING_SPONSORS:
            return (job.id,)
        return job.turn, job.came_at, job.id

    def _in(self, *states: JobState) -> list[Expected]:
        return [job for job in self.jobs.values() if job.state in states]

    def _of(self, user_id: int, *states: JobState) -> list[Expected]:
        return [job for job in self._in(*states) if job.user_id == user_id]

    def _any(self, which: int) -> Expected | None:
        jobs = [*self.jobs.values()]
        return jobs[which % len(jobs)] if jobs else None

    def _next(self) -> Expected | None:
        orphans = [job for job in self._in(JobState.RUNNING) if job.ended_at is not None]
        if orphans:
            return min(orphans, key=lambda job: job.ended_at or 0)
        queued = [
            job
            for job in self._in(JobState.QUEUED)
            if job.run_at is not None
            and len(self._of(job.user_id, JobState.RUNNING)) < limits.RUNNING_JOBS_PER_PERSON
        ]
        return min(queued, key=self._order, default=None)

    @contextmanager
    def _fenced(self, job: Job) -> Iterator[Expected | None]:
        """Give the job of the model if `job` still holds it; otherwise expect LeaseLost, and give None."""
        expected = self.jobs[job.id]
        if (expected.state, expected.worker, expected.attempt) == (
            JobState.RUNNING,
            job.worker,
            job.attempt,
        ):
            yield expected
        else:
            with pytest.raises(LeaseLost):
                yield None


@pytest.mark.timeout(600)  # when it fails, hypothesis looks for the shortest way to that
def test_queue_when_anything_happens_in_any_order_then_as_in_the_model(database_url: str) -> None:
    """Claims, fences, deaths, retries, cancels: the database does what twenty lines of Python do."""
    with asyncio.Runner() as runner:
        world = World(runner, runner.run(Database.open(database_url)))

        class QueueInWorld(Queue):
            def __init__(self) -> None:
                super().__init__(world)

        run_state_machine_as_test(
            QueueInWorld,
            settings=settings(
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(world.database.close())
