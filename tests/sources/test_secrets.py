"""What other users of the machine, and the programs that read strangers' films, can see of our secrets."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.sources.films import web
from tests.sources.sites import Asked, collected, ranged
from tests.sources.test_feed import said_to_a_stranger
from tests.sources.test_media import brought, media
from tests.sources.test_media import work as work
from tests.sources.test_versions import wheel
from tests.sources.test_wishes import page
from uploader.links import parse
from uploader.sources.media.versions import Versions
from uploader.wishes import BEST, Wish

#: In the environment of the engine, and in links.
SECRET: Final = "SECRET-of-the-test"
SETTINGS: Final = ("PEYK_BOT_TOKEN", "PEYK_API_HASH", "PEYK_PROXY", "AWS_SECRET_ACCESS_KEY")
#: What a child would be led out by.
PASS: Final = re.compile(rb"[0-9a-f]+:[0-9a-f]+@127\.0\.0\.1")
FED: Final = re.compile(rb"http://127\.0\.0\.1:\d+/\w*")


class Onlooker(threading.Thread):
    """Reads the arguments and the environment of all processes below ours, as often as it can."""

    def __init__(self) -> None:
        super().__init__()
        self.arguments: set[bytes] = set()
        self.environments: set[bytes] = set()
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(0.001):
            self._look(Path("/proc/self"))

    def over(self) -> None:
        self._is_over.set()
        self.join()

    def _look(self, process: Path) -> None:
        with suppress(OSError):  # it has just ended
            for task in (process / "task").iterdir():
                for child in (task / "children").read_bytes().split():
                    there = Path("/proc", child.decode())
                    self.arguments.add((there / "cmdline").read_bytes())
                    self.environments.add((there / "environ").read_bytes())
                    self._look(there)

    @property
    def told(self) -> list[bytes]:
        """All that has no business there."""
        seen = self.arguments | self.environments
        return [each for each in seen if SECRET.encode() in each or PASS.search(each)]


@pytest.fixture
def onlooker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Onlooker]:
    """Somebody who looks, while the engine has secrets."""
    for name in SETTINGS:
        monkeypatch.setenv(name, SECRET)
    looking = Onlooker()
    looking.start()
    yield looking
    looking.over()


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize(
    ("path", "wish", "program"),
    [
        ("/page.html", Wish(format=BEST), b"probe.py"),
        ("/page.html", Wish(format="m4a"), b"-vf"),  # its cover
        ("/dash/list.mpd", Wish(format=BEST), b"ffmpeg"),
        ("/hls/list.m3u8", Wish(format=BEST), b"ffmpeg"),
        ("/film.mp4", Wish(start_s=1, stop_s=2), b"-ss"),
        ("/film.mp4", Wish(format="mp3"), b"libmp3lame"),
    ],
)
async def test_children_when_others_look_at_them_show_no_secret(
    path: str,
    wish: Wish,
    program: bytes,
    isolated: bool,
    onlooker: Onlooker,
    films: Path,
    work: Path,
) -> None:
    """Of a film, pair, list of segments, span, sound, cover and thumbnail: nothing in /proc."""
    async with web(films, {"page_html": page}) as there, media(work, isolated=isolated) as sources:
        link = parse(f"{there.url(path)}?key={SECRET}")
        async with sources.open(link, wish) as remote:
            await collected(remote)
            if remote.facts is not None:
                await remote.facts()
    assert any(program in each for each in onlooker.arguments)
    assert [] == onlooker.told
    assert {b"", b"C.UTF-8"} >= {_language(each) for each in onlooker.environments}


def _language(environment: bytes) -> bytes:
    found = [each for each in environment.split(b"\0") if each.startswith(b"LANG=")]
    return found[0].removeprefix(b"LANG=") if found else b""


@pytest.mark.parametrize("isolated", [True, False])
async def test_film_when_another_user_asks_for_what_ffmpeg_reads_is_not_given(
    isolated: bool, onlooker: Onlooker, films: Path, work: Path
) -> None:
    """The address in the arguments of ffmpeg is of no use to anybody but that ffmpeg."""
    content = (films / "film.mp4").read_bytes()
    has_asked = asyncio.Event()

    async def film(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if _fed(onlooker):  # ffmpeg waits for its film
            await has_asked.wait()
        await ranged(content, 'ETag: "x"', "Content-Type: video/mp4")(asked, writer)

    async def stranger() -> bytes:
        while not (fed := _fed(onlooker)):  # noqa: ASYNC110 - a thread's finding
            await asyncio.sleep(0.01)
        said = await said_to_a_stranger(fed[0].decode())
        has_asked.set()
        return said

    async with (
        web(films, {"film_mp4": film}) as there,
        media(work, isolated=isolated) as sources,
        asyncio.TaskGroup() as tasks,
    ):
        said = tasks.create_task(stranger())
        made = tasks.create_task(brought(sources, there.url("/film.mp4"), Wish(start_s=1, stop_s=2)))
    assert (b"HTTP/1.1 403", False) == (said.result()[:12], content[:100] in said.result())
    assert made.result()[1]


def _fed(onlooker: Onlooker) -> list[bytes]:
    lines = (each for each in [*onlooker.arguments] if b"-ss" in each.split(b"\0"))
    return [found[0] for each in lines if (found := FED.search(each))]


async def test_pip_when_a_yt_dlp_is_installed_knows_no_settings(onlooker: Onlooker, tmp_path: Path) -> None:
    """It runs what it finds in an index."""
    for name in ("yt-dlp", "yt-dlp-ejs"):
        wheel(tmp_path, name)
    await asyncio.to_thread(
        Versions(tmp_path / "yt-dlp").install, "", ("--no-index", "--no-deps", "--find-links", str(tmp_path))
    )
    assert any(b"pip" in each for each in onlooker.arguments)
    assert [] == onlooker.told


async def test_files_of_a_job_when_it_runs_are_for_their_owner_alone(films: Path, work: Path) -> None:
    """Each lies in a folder that no other user may enter."""
    async with (
        web(films) as there,
        media(work) as sources,
        sources.open(parse(there.url("/dash/list.mpd")), Wish(format=BEST)) as remote,
    ):
        await collected(remote)
        modes = await asyncio.to_thread(
            lambda: {each.stat().st_mode & 0o077 for each in work.glob("engine-*")}
        )
    assert {0} == modes
