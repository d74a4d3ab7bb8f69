"""Films that are read to ffmpeg over loopback: what it may ask for, and what it is not led to."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.sources.sites import LOOPBACK
from tests.sources.test_media import folders
from tests.sources.test_media import work as work
from tests.sources.traps import trap
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import RemoteFile
from uploader.sources.guard import Guard
from uploader.sources.media.facts import Prober
from uploader.sources.media.feed import Feed
from uploader.sources.media.process import Cells
from uploader.sources.media.recipes import Recipe
from uploader.sources.media.render import Renderer
from uploader.sources.media.workshop import Workshop

CONTENT = bytes(range(256)) * 4000
#: Files that say where the film really is.
LEADING = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{inside}/a.ts\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{inside}/a.mp4'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="9"><BaseURL>{inside}/a.mp4'
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.2\nc=IN IP4 127.0.0.2\nt=0 0\nm=video {port} RTP/AVP 96\n",
}


def remote(content: bytes) -> RemoteFile:
    """A film as a site gives it."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        for at in range(start, len(content) if stop is None else stop, 10_000):
            yield content[at : min(at + 10_000, stop or len(content))]

    return RemoteFile(name="a.mp4", size_bytes=len(content), mime_type="video/mp4", validator="x", read=read)


@asynccontextmanager
async def asking(url: str, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """What the feed answers."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        yield response


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        (None, 206, 0, len(CONTENT)),
        ("bytes=0-", 206, 0, len(CONTENT)),
        ("bytes=100-199", 206, 100, 200),
        (f"bytes={len(CONTENT) - 5}-", 206, len(CONTENT) - 5, len(CONTENT)),
        (f"bytes=10-{len(CONTENT) * 2}", 206, 10, len(CONTENT)),
        (f"bytes={len(CONTENT)}-", 416, 0, 0),
        ("bytes=-5", 416, 0, 0),
        ("lines=1-2", 416, 0, 0),
    ],
)
async def test_feed_gives_the_bytes_that_are_asked_for(
    asked: str | None, status: int, start: int, stop: int
) -> None:
    """From any place to the end, or to another."""
    async with Feed(Guard(LOOPBACK)) as feed:
        headers = {} if asked is None else {"Range": asked}
        async with asking(feed.serve(remote(CONTENT)), **headers) as response:
            body = await response.read()
    assert status == response.status
    assert status != 206 or CONTENT[start:stop] == body


async def test_feed_knows_the_files_of_its_child_alone() -> None:
    """Another child's film is on another feed, and gone with that."""
    other = Feed(Guard(LOOPBACK))
    async with Feed(Guard(LOOPBACK)) as feed:
        async with other:
            url = other.serve(remote(CONTENT))
        for each in (f"http://127.0.0.1:{feed.port}{path}" for path in ("/", "/0", "/x")):
            async with asking(each) as response:
                assert 404 == response.status
        with pytest.raises(aiohttp.ClientConnectorError):
            async with asking(url):
                pass


async def test_feed_when_another_user_of_the_machine_asks_gives_nothing() -> None:
    """The address stands in the arguments of ffmpeg, where everybody sees it."""
    async with Feed(Guard(LOOPBACK)) as feed:
        said = await said_to_a_stranger(feed.serve(remote(CONTENT)))
    assert (b"HTTP/1.1 403", False) == (said[:12], CONTENT[:100] in said)


#: Becomes another user of the machine, and says what it is answered, to the end.
STRANGER = """
import os, socket, sys
port, path = sys.argv[1:]
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
with socket.socket() as peer:
    peer.settimeout(10)
    peer.connect(("127.0.0.1", int(port)))
    peer.sendall(f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode())
    while data := peer.recv(65536):
        sys.stdout.buffer.write(data)
"""


async def said_to_a_stranger(url: str) -> bytes:
    """What another user of this machine is answered at `url`."""
    if os.getuid():
        pytest.skip("only root can be somebody else")
    parts = urlsplit(url)
    program = (sys.executable, "-I", "-S", "-c", STRANGER, str(parts.port), parts.path)
    stranger = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    said, _ = await stranger.communicate()
    assert 0 == stranger.returncode
    return said


async def test_feed_of_a_film_that_breaks_off_is_cut_short_and_says_why() -> None:
    """Half a film is not taken for a whole one."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        yield CONTENT[:50_000]
        raise SourceTemporary(Reason.TIMED_OUT, "site")

    async with (
        Feed(Guard(LOOPBACK)) as feed,
        asking(feed.serve(replace(remote(CONTENT), read=read))) as response,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert feed.failure is not None
    assert Reason.TIMED_OUT is feed.failure.reason


async def test_feed_when_the_child_leaves_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """It has what it wants of a film: that is no error of ours."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        for at in range(start, len(CONTENT), 1000):
            yield CONTENT[at : at + 500]
            yield CONTENT[at + 500 : at + 1000]  # written when the first has found nobody
            await asyncio.sleep(0)

    async with (
        Feed(Guard(LOOPBACK)) as feed,
        asking(feed.serve(replace(remote(CONTENT), read=read))) as response,
    ):
        await response.content.readany()
    assert [] == caplog.records
    assert feed.failure is None


@pytest.mark.parametrize("kind", LEADING)
async def test_film_that_says_where_it_really_is_leads_nowhere(kind: str, work: Path) -> None:
    """Not even where children have no network of their own, and loopback is open to them."""
    cells = Cells(isolated=False)
    async with (
        trap() as caught,
        Workshop(work) as workshop,
        workshop.folder() as folder,
    ):
        inside = f"http://127.0.0.2:{caught.port}"
        film = remote(LEADING[kind].format(inside=inside, port=caught.port).encode())
        renderer = Renderer(cells, workshop, Prober(cells, workshop), Guard(LOOPBACK), 20)
        recipe = Recipe(container="mp4", start_s=1, duration_s=9)
        with pytest.raises(SourceError) as error:
            await renderer.render([film], recipe, "a.mp4", folder, MIB)
    assert (Reason.SITE_BROKEN, 0) == (error.value.reason, caught.connections)


async def test_film_that_is_made_larger_than_it_may_be_is_stopped(films: Path, work: Path) -> None:
    """Nothing beyond the bound is written, and the person is told why."""
    cells = Cells()
    async with Workshop(work) as workshop, workshop.folder() as folder:
        renderer = Renderer(cells, workshop, Prober(cells, workshop), Guard(LOOPBACK), 20)
        film = remote(await asyncio.to_thread((films / "film.mp4").read_bytes))
        with pytest.raises(SourceError) as error:
            await renderer.render(
                [film], Recipe(container="mkv", start_s=1, duration_s=3), "a", folder, 50_000
            )
        written = sum(file.stat().st_size for each in folders(work) for file in each.iterdir())
    assert Reason.TOO_LARGE is error.value.reason
    assert written <= 50_000
