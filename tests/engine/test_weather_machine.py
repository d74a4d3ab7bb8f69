"""The machine has nothing left: descriptors, or room on the database's disk. Afterwards all is well again."""

import asyncio
import re
import resource
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from sandbox import Account
from sandbox.stage import Program, running_engine, start
from tests.engine.conftest import START_S, Scene
from tests.engine.test_sharing import files_of, letters_of, until, write

KIB = 1024
MIB = 1024 * KIB
PEOPLE = 20
#: What may be told to no one while the machine is what fails: that the site does.
BLAMES = re.compile("site|find|reach|Something went wrong")

EXCUSE = "I cannot do that just now"


@asynccontextmanager
async def engine_with(scene: Scene, descriptors: int) -> AsyncIterator[Program]:
    """An engine that may never have more files open."""
    program = await start(["bot"], scene.folder, scene.settings, "engine")
    resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
    try:
        async with asyncio.timeout(START_S):
            while not (scene.folder / "data" / "control.sock").exists():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.05)
        yield program
    finally:
        await program.stop()


def crowd_of(scene: Scene) -> list[Account]:
    """People, each of whom sends one link to a site of its own."""
    return [scene.world.add_user(f"Person {number}") for number in range(PEOPLE)]


def send_links(scene: Scene, crowd: list[Account], name: str) -> None:
    """A small file for each."""
    for number, person in enumerate(crowd):
        write(scene, person, scene.site.url(f"{name}-{number}.bin", 700 * KIB))


def open_files(pid: int) -> int:
    """How many a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def excuses(crowd: list[Account]) -> list[str]:
    """What was told that blames others."""
    return [text for person in crowd for text in letters_of(person) if BLAMES.search(text)]


def ended(scene: Scene) -> list[tuple[str, int, int]]:
    """The states of all jobs, with how many there are and how many attempts failed."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        return database.execute("SELECT state, count(*), sum(failures) FROM jobs GROUP BY state").fetchall()


@pytest.mark.parametrize("descriptors", [80, 128])
async def test_engine_when_few_files_may_be_open_serves_fewer_at_once_and_says_so(
    scene: Scene, descriptors: int
) -> None:
    """Twenty people at once: all files come, at the first attempt, and no site is blamed."""
    crowd = crowd_of(scene)
    async with engine_with(scene, descriptors) as engine:
        send_links(scene, crowd, "few")
        await until(lambda: all(files_of(person) for person in crowd), 120)
        assert "raise `ulimit -n`" in engine.log.read_text()
    assert [] == excuses(crowd)
    assert [("done", PEOPLE, 0)] == ended(scene)


async def test_engine_when_all_descriptors_are_gone_for_a_while_then_brings_all_files_later(
    scene: Scene,
) -> None:
    """Somebody else's leak, say: it is no site's fault, no attempt is lost, no site rests for it."""
    crowd = crowd_of(scene)
    async with running_engine(scene.settings, scene.folder) as engine:
        pid = engine.process.pid
        kept = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        write(scene, crowd[0], scene.site.url("warm.bin", 700 * KIB))
        await until(lambda: bool(files_of(crowd[0])))
        used = open_files(pid)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used - 2, kept[1]))
        send_links(scene, crowd, "none")
        await until(lambda: sum("no room" in str(letters_of(person)) for person in crowd) >= 3)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, kept)
        await until(lambda: all(len(files_of(person)) == 1 + (person is crowd[0]) for person in crowd), 120)
    assert [] == excuses(crowd)
    assert [("done", PEOPLE + 1, 0)] == ended(scene)


@contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[Path]:
    """A file system of its own; the test is left out where none may be mounted."""
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


async def test_engine_when_the_disk_of_its_database_is_full_for_a_while_then_all_is_well_again(
    scene: Scene,
) -> None:
    """Who writes once there is room hears no excuse, whatever was written before."""
    crowd = crowd_of(scene)
    with small_disk(scene.folder / "disk", 8 * MIB) as disk:
        settings = {**scene.settings, "PEYK_DATA_DIR": str(disk), "PEYK_WORK_DIR": str(scene.folder / "work")}
        async with running_engine(settings, scene.folder):
            ballast = fill(disk)
            send_links(scene, crowd[:8], "full")
            await asyncio.sleep(5)
            ballast.unlink()
            send_links(scene, crowd, "again")
            await until(lambda: all(files_of(person) for person in crowd), 90)
    assert [] == [text for person in crowd[8:] for text in letters_of(person) if EXCUSE in text]
