"""What may fail and must end nothing: loops, listeners, helpers."""

import asyncio
import contextlib

import pytest
from structlog.testing import capture_logs

from uploader.delivery import Watchers
from uploader.errors import StorageUnavailable
from uploader.model import Job, Progress
from uploader.storage.patience import patient
from uploader.supervision import FaultBarrier, Helpers, every


async def test_loop_when_its_turns_fail_goes_on_and_is_logged_once_per_kind() -> None:
    """A thousand failures of two kinds are two lines, and the turn after them is made."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns <= 1000:
            raise StorageUnavailable("away") if turns % 2 else RuntimeError("broken")

    barrier = FaultBarrier("a loop")
    with capture_logs() as logs:
        while turns <= 1000:
            with barrier:
                await turn()
    assert 1000 == barrier.failures
    assert ["away", "broken"] == sorted(line["cause"] for line in logs)
    assert [True, False] == [line["exc_info"] is None for line in logs]  # ours is known, a bug is not


async def test_loop_when_a_library_cancels_what_it_awaits_goes_on() -> None:
    """A future that Telethon gives up raises CancelledError in who awaits it; only our own cancel ends us."""
    turns = 0
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lost.cancel()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            await lost

    async with asyncio.timeout(30):
        await every(0.0, "a loop", turn, until=lambda: turns == 3)
    assert 3 == turns


async def test_loop_when_it_is_cancelled_ends() -> None:
    """A stop is no failure."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(every(0.0, "a loop", asyncio.Event().wait))
        await asyncio.sleep(0)
        loop.cancel()
    assert loop.cancelled()


async def _fails_while_it_is_cancelled(begun: asyncio.Event) -> None:
    """A task group in which one breaks, and another takes its time to end."""

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            begun.set()
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(slow())
        await asyncio.sleep(0)
        raise StorageUnavailable("away")


async def test_loop_when_its_cancel_is_swallowed_by_a_group_that_fails_ends() -> None:
    """Else a stop would wait for it without end."""
    begun = asyncio.Event()
    async with Helpers() as helpers:
        loop = helpers.start(every(0.0, "a loop", lambda: _fails_while_it_is_cancelled(begun)))
        await begun.wait()
        loop.cancel()
        await asyncio.wait([loop], timeout=30)
        assert loop.cancelled()


async def test_patience_when_its_cancel_is_swallowed_by_a_group_that_fails_ends() -> None:
    """A job whose lease ends at the moment of a stop has nothing to write it down with, and must end."""
    begun = asyncio.Event()

    class Away:
        async def finish(self) -> None:
            raise StorageUnavailable("away")

    async def job() -> object:
        with contextlib.suppress(ExceptionGroup):
            await _fails_while_it_is_cancelled(begun)
        await patient(Away()).finish()
        return None

    async with Helpers() as helpers:
        running = helpers.start(job())
        await begun.wait()
        running.cancel()
        await asyncio.wait([running], timeout=30)
        assert running.cancelled()


async def test_loop_when_it_fails_on_and_on_waits_longer_each_time() -> None:
    """A database that is away is not asked as fast as the processor allows, nor forgotten for minutes."""
    barrier, pauses = FaultBarrier("a loop"), []
    for _ in range(20):
        with barrier:
            raise StorageUnavailable("away")
        pauses.append(barrier.pause_s)
    assert pauses == sorted(pauses)
    assert (0.1, 5.0) == (pauses[0], pauses[-1])
    with barrier:
        pass
    assert 0.0 == barrier.pause_s


class Broken:
    """A watcher that fails at everything."""

    def started(self, job: Job) -> None:
        """Fail."""
        raise RuntimeError("started")

    def progress(self, progress: Progress) -> None:
        """Fail."""
        raise RuntimeError("progress")

    async def ended(self, job: Job) -> None:
        """Fail."""
        raise StorageUnavailable("ended")


class Noting:
    """A watcher that notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def started(self, job: Job) -> None:
        """Note it."""
        self.told.append("started")

    def progress(self, progress: Progress) -> None:
        """Note it."""
        self.told.append("progress")

    async def ended(self, job: Job) -> None:
        """Note it."""
        self.told.append("ended")


async def test_watchers_when_one_fails_tell_the_others_and_the_worker_nothing() -> None:
    """A card that cannot be drawn is no reason to stop a transfer, nor to keep it from the dashboard."""
    noting = Noting()
    watchers = Watchers([Broken(), noting])
    news: object = None
    watchers.started(news)  # type: ignore[arg-type]  # they only pass it on
    watchers.progress(news)  # type: ignore[arg-type]  # they only pass it on
    await watchers.ended(news)  # type: ignore[arg-type]  # they only pass it on
    assert ["started", "progress", "ended"] == noting.told


async def test_helper_when_it_fails_tells_who_awaits_it_and_leaves_the_others_alone() -> None:
    """In a task group that they share, the first error would cancel all."""

    async def broken() -> None:
        raise RuntimeError("of mine")

    async def fine() -> str:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "fine"

    async with Helpers() as helpers:
        neighbour, mine = helpers.start(fine()), helpers.start(broken())
        with pytest.raises(RuntimeError, match="of mine"):
            await mine
        assert "fine" == await neighbour


async def test_helpers_when_they_close_end_what_is_left() -> None:
    """Nothing stays behind the engine."""
    async with Helpers() as helpers:
        left = helpers.start(asyncio.Event().wait())
        await asyncio.sleep(0)
    assert left.cancelled()
