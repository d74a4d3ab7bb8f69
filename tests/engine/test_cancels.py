"""`/cancel` at any moment of a film's way: within a second nothing of it is left on the machine."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import Fault
from tests.engine.conftest import Scene
from tests.sources.conftest import films as films
from tests.sources.films import web
from tests.sources.sites import Answer, Asked, in_turn, reply, silence
from uploader.config import Config

GONE_S = 1.0


def children() -> dict[int, bytes]:
    """The processes of jobs, each with its command line: one that only knows extractors serves all."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in listed}
    return {pid: line for pid, line in lines.items() if b"extractors" not in line}


def left(config: Config) -> tuple[int, list[Path], int]:
    """Processes, folders of jobs, and bytes reserved for them."""
    engines = [*(config.data_dir / "work").glob("engine-*")]
    folders = [
        folder
        for engine in engines
        for folder in engine.iterdir()
        if folder.is_dir() and folder.name != "chooser"
    ]
    return len(children()), folders, sum(int((engine / "alive").read_bytes() or 0) for engine in engines)


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for what other processes do, of which nobody tells us."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.005)


def joining() -> bool:
    """Whether ffmpeg has begun; from now on it stands still."""
    found = [pid for pid, line in children().items() if b"max_interleave_delta" in line]
    for pid in found:
        os.kill(pid, signal.SIGSTOP)
    return bool(found)


@pytest.mark.parametrize("when", ["look", "fetch", "join", "make", "upload"])
async def test_film_when_it_is_cancelled_then_leaves_nothing_within_a_second(
    when: str, scene: Scene, films: Path
) -> None:
    """No process, no folder, no room on the disk: while its page is looked at, and until its last part."""
    reached = asyncio.Event()

    async def stall(asked: Asked, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await silence(asked, writer)

    # the page is asked for by us first; only the second request is yt-dlp's
    page = in_turn(reply(200, "Content-Type: text/html"), stall)
    answers: dict[str, dict[str, Answer]] = {
        "look": {"slow_html": page},
        "fetch": {"hls_list1_ts": stall},
    }
    if when == "upload":
        scene.world.faults.append(slow := Fault("upload.save", swallow=True))
    path = {"look": "/slow.html", "make": "/film.mp4"}.get(when, "/hls/list.m3u8")
    async with (
        web(films, answers.get(when)) as there,
        scene.engine() as config,
        scene.person() as user,
    ):
        before = left(config)
        await user.send(there.url(path) + (" 0:01-0:02" if when == "make" else ""))
        if when == "upload":
            await until(lambda: slow.fired > 0, 30)
        elif when in {"join", "make"}:
            await until(joining, 30)
        else:
            await asyncio.wait_for(reached.wait(), 30)
        assert before != left(config)
        await user.send("/cancel")
        await until(lambda: before == left(config), GONE_S)
        await user.expect("Cancelled")
