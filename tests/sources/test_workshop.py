"""Folders of jobs: room is reserved, and everything goes again."""

import asyncio
import shutil
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.films import web
from tests.sources.sites import HASTY, LOOPBACK, collected
from uploader.errors import NotYet, Reason, SourceError
from uploader.failure import Rest, judge
from uploader.limits import DISK_REST_S, MIB
from uploader.links import parse
from uploader.sources import Sources
from uploader.sources.media.workshop import Folder, Workshop
from uploader.wishes import BEST, Wish


async def test_folder_when_a_job_ends_is_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    """Whether the job ended well or not; and with the engine goes its own."""

    async def job() -> None:
        async with workshop.folder() as folder:
            (folder.path / "deep").mkdir()
            (folder.path / "deep" / "x").write_bytes(b"x")
            modes.append(folder.path.stat().st_mode & 0o777)
            raise ZeroDivisionError

    modes: list[int] = []
    async with Workshop(tmp_path) as workshop:
        with pytest.raises(ZeroDivisionError):
            await job()
        assert [0o700] == modes
        assert [] == found(tmp_path, "engine-*/*/")
    assert [] == found(tmp_path, "*")


def found(folder: Path, pattern: str) -> list[Path]:
    """What is there."""
    return [*folder.glob(pattern)]


async def test_room_is_counted_over_all_jobs_and_given_back(tmp_path: Path) -> None:
    """Two jobs cannot have the same room, one after the other can: the second waits, and loses no attempt."""
    most_bytes = shutil.disk_usage(tmp_path).free - 1024 * MIB
    async with Workshop(tmp_path) as workshop:
        for _ in range(2):
            async with workshop.folder() as first, workshop.folder() as second:
                await first.reserve(most_bytes)
                with pytest.raises(NotYet) as caught:
                    await second.reserve(most_bytes)
                assert Rest(wait_s=DISK_REST_S, reason=Reason.NO_ROOM) == judge(caught.value, 4)


async def test_job_larger_than_the_disk_is_refused_at_once(tmp_path: Path) -> None:
    """However long it waited: also when it grows so large, and others hold room meanwhile."""
    async with Workshop(tmp_path, 1000 * MIB) as workshop, workshop.folder() as one, workshop.folder() as two:
        for job, size_bytes in ((one, 1001 * MIB), (one, 10 * MIB), (two, 700 * MIB), (two, 1300 * MIB)):
            caught = None
            try:
                await job.hold(size_bytes)
            except SourceError as error:
                caught = type(error)
            assert (SourceError if size_bytes > 1000 * MIB else None) is caught
        with pytest.raises(NotYet):
            await one.hold(300 * MIB)


async def test_what_a_dead_engine_left_is_removed_and_a_living_one_is_let_be(tmp_path: Path) -> None:
    """The lock tells: the kernel lets go of it when a process dies."""
    dead = tmp_path / "engine-dead"
    async with Workshop(tmp_path) as first, first.folder() as folder:
        for look in range(2):
            dead.mkdir()
            (dead / "alive").write_bytes(b"%20d" % 10**15)
            (dead / "film.part").write_bytes(b"x")
            if look:
                await folder.reserve(1)
            else:
                await asyncio.to_thread(first.tidy)
            assert not dead.exists()
            assert folder.path.exists()


@asynccontextmanager
async def engine(root: Path, size_bytes: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Another engine, with so much reserved of 1000 bytes; killed at the end without a word."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sources.reserving_process", str(root), str(size_bytes)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            assert process.stdout is not None
            assert b"reserved\n" == await process.stdout.readline()
            yield process
    finally:
        process.kill()
        await process.wait()


async def test_room_of_an_engine_that_is_killed_is_free_again(tmp_path: Path) -> None:
    """Two processes share 1000 bytes; kill -9 ends the other's reservation, and its folder goes."""
    async with Workshop(tmp_path, 1000) as workshop, workshop.folder() as folder:
        async with engine(tmp_path, 700):
            await folder.reserve(300)
            with pytest.raises(NotYet):
                await folder.reserve(1)
        await folder.reserve(700)
        assert 1 == len(found(tmp_path, "engine-*"))


async def test_ledger_when_somebody_keeps_it_is_waited_for_without_a_thread(tmp_path: Path) -> None:
    """Many jobs of two engines at once: each is counted once."""
    async with Workshop(tmp_path, 100) as one, Workshop(tmp_path, 100) as two, AsyncExitStack() as exits:
        folders = [await exits.enter_async_context((one, two)[n % 2].folder()) for n in range(150)]
        told = await asyncio.gather(*(each.reserve(1) for each in folders), return_exceptions=True)
        assert (100, 50) == (told.count(None), sum(isinstance(each, NotYet) for each in told))


MOST_BYTES = 100
STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60), st.booleans()), max_size=30)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_reservations_whatever_comes_and_goes_never_exceed_the_allowance(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Six jobs of three engines reserve and end in any order; what is refused would have been too much."""

    async def play(root: Path) -> None:
        async with AsyncExitStack() as exits:
            engines = [await exits.enter_async_context(Workshop(root, MOST_BYTES)) for _ in range(3)]
            jobs: dict[int, tuple[AsyncExitStack, Folder]] = {}
            for job, size_bytes, ends in steps:
                if ends and job in jobs:
                    await jobs.pop(job)[0].aclose()
                    continue
                if job not in jobs:
                    own = await exits.enter_async_context(AsyncExitStack())
                    jobs[job] = own, await own.enter_async_context(engines[job % 3].folder())
                held = sum(folder.reserved_bytes for _, folder in jobs.values())
                try:
                    await jobs[job][1].reserve(size_bytes)
                except SourceError:
                    assert held + size_bytes > MOST_BYTES
                assert sum(folder.reserved_bytes for _, folder in jobs.values()) <= MOST_BYTES

    with TemporaryDirectory() as root:
        asyncio.run(play(Path(root)))


@pytest.fixture
def removers() -> Iterator[list[threading.Thread]]:
    """Which threads delete files and folders meanwhile."""
    seen: list[threading.Thread] = []
    is_looking = True

    def look(event: str, _: object) -> None:
        if is_looking and event in {"os.remove", "os.rmdir", "os.truncate"}:
            seen.append(threading.current_thread())

    sys.addaudithook(look)  # there is no way to take one back
    yield seen
    is_looking = False


@pytest.mark.parametrize(
    ("path", "wish"),
    [("/dash/list.mpd", Wish(format=BEST)), ("/dash/list.mpd", Wish(format=BEST, start_s=1, stop_s=2))],
)
async def test_files_of_a_job_when_they_are_deleted_do_not_hold_the_loop(
    path: str, wish: Wish, removers: list[threading.Thread], films: Path, tmp_path: Path
) -> None:
    """A GiB takes a fifth of a second, in which all other files would stand still."""
    removers.clear()  # pytest has made its folders
    async with web(films) as there, Sources(LOOPBACK, "x", patience=HASTY, work_dir=tmp_path) as sources:
        async with sources.open(parse(there.url(path)), wish) as remote:
            await collected(remote)
        threads = {*removers}
    assert threads
    assert threading.main_thread() not in threads


async def test_folder_when_its_job_is_cancelled_while_it_is_deleted_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its room is given back, when the files are gone."""
    begun, may_go_on, delete = threading.Event(), threading.Event(), shutil.rmtree

    def slowly(path: Path, *, ignore_errors: bool) -> None:
        begun.set()
        may_go_on.wait(10)
        delete(path, ignore_errors=ignore_errors)

    async def job(workshop: Workshop) -> None:
        async with workshop.folder("job") as folder:
            await folder.reserve(1000)
            (folder.path / "film").write_bytes(bytes(1000))

    async with Workshop(tmp_path, most_bytes=1000) as workshop:
        monkeypatch.setattr(shutil, "rmtree", slowly)
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(job(workshop))
            await asyncio.to_thread(begun.wait, 10)
            working.cancel()
        with pytest.raises(NotYet):
            await workshop.reserve(1000)
        may_go_on.set()
        async with asyncio.timeout(10):
            while not await has_room(workshop):  # noqa: ASYNC110 - another thread deletes
                await asyncio.sleep(0.01)
        assert [] == found(tmp_path, "engine-*/job")
        monkeypatch.setattr(shutil, "rmtree", delete)


async def has_room(workshop: Workshop) -> bool:
    """Whether nothing is reserved."""
    with suppress(NotYet):
        await workshop.reserve(1000)
        return True
    return False
