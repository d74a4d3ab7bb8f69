"""Real processes on one database: none gets another's job, and a killed one's job starts again."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.storage.arrivals import Arrivals
from uploader.errors import LeaseLost
from uploader.model import JobState
from uploader.storage.jobs import Jobs

#: The longest wait for a process that starts, or for a lease that ends.
PATIENCE_S = 60


@asynccontextmanager
async def claiming(url: str, name: str, *, lease_s: float, quota: int) -> AsyncIterator[Process]:
    """A `claiming_process` that is ready and waits for a line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.claiming_process", url, name, str(lease_s), str(quota)),
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        assert await line(process) == "ready"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def line(process: Process) -> str:
    """Return the next line that the process says."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await process.stdout.readline()).decode().strip()


async def go(process: Process) -> None:
    """Let the process start to claim."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    await process.stdin.drain()


async def test_claim_when_two_processes_race_then_each_job_goes_to_one(
    database_url: str, jobs: Jobs, arrivals: Arrivals
) -> None:
    """Both take jobs as fast as they can; nothing is claimed twice, nothing is left."""
    share = 40
    added = [(await arrivals.job(user_id)).id for user_id in range(2 * share)]
    async with (
        claiming(database_url, "a", lease_s=60, quota=share) as first,
        claiming(database_url, "b", lease_s=60, quota=share) as second,
    ):
        for process in (first, second):
            await go(process)
        claimed = [int(await line(process)) for _ in range(share) for process in (first, second)]
    assert sorted(claimed) == added


async def test_claim_when_worker_was_killed_then_another_gets_the_job_after_the_lease(
    database_url: str, jobs: Jobs, arrivals: Arrivals
) -> None:
    """kill -9 between claim and finish: the job is safe until the lease ends, and then starts again."""
    added = await arrivals.job()
    async with claiming(database_url, "dead", lease_s=1.0, quota=-1) as worker:
        await go(worker)
        assert await line(worker) == str(added.id)
        left = await jobs.get(added.id)
        worker.kill()
        await worker.wait()
    assert left is not None
    assert left.lease_until is not None
    async with asyncio.timeout(PATIENCE_S):
        while (found := await jobs.claim("alive")) is None:  # noqa: ASYNC110 -- a lease ends without a bell
            await asyncio.sleep(0.05)
    assert (found.id, found.worker, found.attempt, found.failures) == (added.id, "alive", 2, 1)
    assert found.updated_at >= left.lease_until
    with pytest.raises(LeaseLost):
        await jobs.finish(left, None)
    await jobs.finish(found, None)
    assert (await jobs.counts())[JobState.DONE] == 1


async def test_claim_when_worker_was_killed_under_a_long_lease_then_nobody_gets_the_job(
    database_url: str, jobs: Jobs, arrivals: Arrivals
) -> None:
    """Nobody takes a job early, only because its worker is silent."""
    added = await arrivals.job()
    async with claiming(database_url, "dead", lease_s=3600, quota=-1) as worker:
        await go(worker)
        assert await line(worker) == str(added.id)
        worker.kill()
        await worker.wait()
    assert await jobs.claim("alive") is None
