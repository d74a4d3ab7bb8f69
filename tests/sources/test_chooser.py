"""yt-dlp's extractors, asked in a child: the same answers, and nothing that a link can break."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.sources.test_routing import own_test_links
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.links import parse
from uploader.sources.media.chooser import Chooser
from uploader.sources.media.extractors import Extractors
from uploader.sources.media.process import Cells
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.workshop import Workshop

YOUTUBE = parse("https://www.youtube.com/watch?v=BaW_jenozKc")


@asynccontextmanager
async def choosing(folder: Path, versions: Versions | None = None, **changes: Any) -> AsyncIterator[Chooser]:
    """A chooser that leaves nothing."""
    async with (
        Workshop(folder) as workshop,
        Chooser(Cells(), workshop, versions or Trial(), **changes) as chooser,
    ):
        yield chooser
    assert ([], []) == (pids(), os.listdir(folder))  # noqa: PTH208 - after the last wait


def pids() -> list[int]:
    """The ids of the children."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed if b"extractors" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_links_asked_all_at_once_get_the_answers_of_this_process(tmp_path: Path) -> None:
    """Many of yt-dlp's own test links, each by a task of its own: no answer is another's."""
    links = [parse(url, fragment=True) for url in random.Random(5).sample(own_test_links(), 300)]
    extractors = Extractors()
    async with choosing(tmp_path) as chooser, asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(chooser.choose(link)) for link in links]
    assert [extractors.choose(link.url) for link in links] == [task.result() for task in asked]


async def test_child_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """Whoever killed it (the kernel, for want of memory): the next link is answered."""
    async with choosing(tmp_path) as chooser:
        assert "youtube" == await chooser.choose(YOUTUBE)
        (first,) = pids()
        os.kill(first, signal.SIGKILL)
        assert "youtube" == await chooser.choose(YOUTUBE)
        assert [first] != pids()


async def test_child_without_questions_goes(tmp_path: Path) -> None:
    """Its memory is wanted elsewhere; a later question starts another."""
    async with choosing(tmp_path, idle_s=0.01) as chooser:
        assert "youtube" == await chooser.choose(YOUTUBE)
        async with asyncio.timeout(10):
            while pids():  # noqa: ASYNC110 - the kernel's table
                await asyncio.sleep(0.01)
        assert "youtube" == await chooser.choose(YOUTUBE)


async def test_link_without_an_answer_in_time_fails_alone(tmp_path: Path) -> None:
    """A pattern that runs for ever is ended with its child; it is the link's fault, and for good."""
    async with choosing(tmp_path, answer_s=0.001) as chooser:
        for _ in range(2):
            with pytest.raises(SourceError) as caught:
                await chooser.choose(YOUTUBE)
            assert (SourceError, Reason.TIMED_OUT) == (type(caught.value), caught.value.reason)


async def test_link_is_asked_about_later_when_no_child_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken yt-dlp is no fault of the link's."""
    monkeypatch.setattr("uploader.sources.media.chooser._PROGRAM", (sys.executable, "-c", "print(5)"))
    async with choosing(tmp_path) as chooser:
        with pytest.raises(SourceTemporary) as caught:
            await chooser.choose(YOUTUBE)
    assert Reason.INTERNAL is caught.value.reason


def test_engine_has_none_of_yt_dlp_in_its_memory() -> None:
    """It is 30 MB of patterns; they belong into children."""
    code = "import sys, uploader.app; print(sorted({'yt_dlp', 'av'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "[]\n" == ran.stdout
