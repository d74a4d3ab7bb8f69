"""Films behind pages and lists: real yt-dlp, real ffmpeg, real sites; what arrives is looked at."""

import asyncio
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from tests.sources.films import HEIGHT, PAGE, SECONDS, WIDTH, endless, web
from tests.sources.sites import (
    HASTY,
    LOOPBACK,
    Answer,
    Asked,
    collected,
    head,
    in_turn,
    ranged,
    reply,
    silence,
    site,
)
from tests.sources.test_process import state_of
from uploader.errors import NotYet, Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.links import parse
from uploader.model import RemoteFile
from uploader.sources import Sources, Times
from uploader.sources.media.workshop import Workshop
from uploader.wishes import BEST, Wish

AT_BEST = Wish(format=BEST)
QUICK = Times(look_s=60, fetch_s=60, silence_s=30, join_s=60)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """Where jobs have their folders; nothing is left there."""
    yield tmp_path / "work"
    assert [] == [*(tmp_path / "work").glob("*")]


def media(work: Path, **changes: Any) -> Sources:
    """Sources that reach loopback."""
    given: dict[str, Any] = {"patience": HASTY, "times": QUICK, "work_dir": work}
    return Sources(LOOPBACK, "Peyk/test", **{**given, **changes})


def folders(work: Path) -> list[Path]:
    """The folders of the jobs that run."""
    return [folder for folder in work.glob("engine-*/*/") if folder.name != "chooser"]


async def brought(
    sources: Sources, url: str, wish: Wish = AT_BEST, most_bytes: int = 0
) -> tuple[RemoteFile, bytes]:
    """What is known of the film behind `url`, as it is wished, and all its bytes."""
    async with sources.open(parse(url, fragment=True), wish, most_bytes=most_bytes) as remote:
        return remote, await collected(remote)


@dataclass(frozen=True)
class Seen:
    """What a player finds in a film."""

    container: str
    codecs: list[str]
    size: tuple[int, int]
    duration_s: float
    frames: int


def seen(body: bytes) -> Seen:
    """Play all of it."""
    with av.open(io.BytesIO(body), "r") as film:
        pictures = film.streams.video
        return Seen(
            container=film.format.name,
            codecs=sorted(stream.codec_context.name for stream in film.streams),
            size=(pictures[0].width, pictures[0].height) if pictures else (0, 0),
            duration_s=(film.duration or 0) / av.time_base,
            frames=len([*film.decode(video=0)]) if pictures else 0,
        )


def starts_fast(body: bytes) -> bool:
    """Whether the index of an MP4 comes before its pictures."""
    return 0 < body.find(b"moov") < body.find(b"mdat")


@pytest.mark.parametrize(
    ("path", "name", "times"),
    [
        ("/film.mp4", "film.mp4", 1),
        ("/page.html", "The Tone_ a Film.mp4", 1),
        ("/hls/list.m3u8", "list.mp4", 1),
        ("/hls/joined.m3u8", "joined.mp4", 2),
        ("/fmp4/list.m3u8", "list.mp4", 1),
        ("/aes/list.m3u8", "list.mp4", 1),
        ("/dash/list.mpd", "list.mp4", 1),
    ],
)
async def test_film_arrives_whole_and_plays(
    path: str, name: str, times: int, films: Path, work: Path
) -> None:
    """Plain, on a page, in segments of every kind, in two parts: one MP4 that plays while it arrives."""
    async with web(films) as there, media(work) as sources:
        remote, body = await brought(sources, there.url(path))
    film = seen(body)
    assert (name, "video/mp4", len(body)) == (remote.name, remote.mime_type, remote.size_bytes)
    assert ("mov,mp4,m4a,3gp,3g2,mj2", ["aac", "h264"]) == (film.container, film.codecs)
    assert ((WIDTH, HEIGHT), 25 * SECONDS * times) == (film.size, film.frames)
    assert abs(film.duration_s - SECONDS * times) < 0.3
    assert starts_fast(body)


async def test_plain_film_of_a_page_is_streamed_untouched(films: Path, work: Path) -> None:
    """Its bytes are the site's, resumable from any place; of them, what tells what it is lies in a folder."""
    async with (
        web(films) as there,
        media(work) as sources,
        sources.open(parse(there.url("/page.html"))) as remote,
    ):
        rest = await collected(remote, 1000, 2000)
        whole = await collected(remote)
        assert ["sample"] == [file.name for folder in folders(work) for file in folder.iterdir()]
    content = (films / "film.mp4").read_bytes()
    assert (content, content[1000:2000], '"film.mp4"') == (whole, rest, remote.validator)


async def test_film_of_children_without_namespaces_arrives_too(films: Path, work: Path) -> None:
    """Where the machine lets nobody make networks, children are led through the proxy alone."""
    async with web(films) as there, media(work, isolated=False) as sources:
        _, body = await brought(sources, there.url("/dash/list.mpd"))
    assert ["aac", "h264"] == seen(body).codecs


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/live.m3u8", Reason.LIVE),
        ("/hls/live.m3u8", Reason.LIVE),
        ("/empty.html", Reason.NO_MEDIA),
        ("/missing.html", Reason.NOT_FOUND),
        ("/broken.m3u8", Reason.SITE_BROKEN),
        ("/noise.m3u8", Reason.SITE_BROKEN),
    ],
)
async def test_link_without_a_film_that_ends_says_why(
    path: str, reason: Reason, films: Path, work: Path
) -> None:
    """Live, endless, empty, gone or broken: told apart."""
    broken = reply(200, "Content-Type: application/vnd.apple.mpegurl", body=BROKEN)
    noise = reply(200, "Content-Type: application/vnd.apple.mpegurl", body=NOISE)
    answers = {"live_m3u8": endless, "broken_m3u8": broken, "noise_m3u8": noise, "noise_ts": NO_TS}
    async with web(films, answers) as there, media(work) as sources:
        with pytest.raises(SourceError) as caught:
            await brought(sources, there.url(path))
    assert reason is caught.value.reason


LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}#EXT-X-ENDLIST\n"
BROKEN = LIST.format("#EXTINF:1.0,\n/missing.ts\n").encode()
NOISE = LIST.format("#EXTINF:1.0,\n/noise.ts\n").encode()
NO_TS = reply(200, body=b"this is no film" * 1000)


async def test_segments_beyond_the_cap_are_stopped_while_they_run(films: Path, work: Path) -> None:
    """Nobody says how much a list of segments weighs; the fetch ends when it is too much."""
    many = LIST.format("#EXTINF:1.0,\n/big.ts\n" * 1000).encode()
    listed = reply(200, "Content-Type: application/vnd.apple.mpegurl", body=many)
    big = reply(200, "Content-Length: 300000", body=bytes(300_000))
    answers = {"list_m3u8": listed, "big_ts": big}
    async with web(films, answers) as there, media(work, cap_bytes=2_000_000) as sources:
        with pytest.raises(SourceError) as caught:
            await brought(sources, there.url("/list.m3u8"))
    assert Reason.TOO_LARGE is caught.value.reason
    assert len([asked for asked in there.asked if asked.path == "/big.ts"]) < 30


async def test_plain_film_beyond_the_cap_is_refused_by_the_upload_alone(films: Path, work: Path) -> None:
    """A single plain format has a size that the site tells; whoever uploads it refuses it before it flows."""
    async with web(films) as there, media(work, cap_bytes=1000) as sources:
        remote, _ = await brought(sources, there.url("/page.html"))
    assert (films / "film.mp4").stat().st_size == remote.size_bytes


def with_cookie(answer: Answer) -> Answer:
    """A site that gives its film to those alone who have been on its page."""

    async def guarded(asked: Asked, writer: asyncio.StreamWriter) -> None:
        known = asked.headers.get("cookie") == "pass=peyk" and "/page.html" in asked.headers.get(
            "referer", ""
        )
        await (answer if known else reply(403))(asked, writer)

    return guarded


async def test_film_is_asked_for_with_the_cookies_and_headers_of_its_page(films: Path, work: Path) -> None:
    """What the extractor learned is said to the film's site, and not to the one that it is redirected to."""
    content = (films / "film.mp4").read_bytes()
    async with site(ranged(content, 'ETag: "x"', "Content-Type: video/mp4"), "127.0.0.3") as other:
        page = reply(200, "Content-Type: text/html", "Set-Cookie: pass=peyk; Path=/", body=PAGE.encode())
        film = with_cookie(reply(302, f"Location: {other.url('/elsewhere.mp4')}"))
        async with web(films, {"page_html": page, "film_mp4": film}) as there, media(work) as sources:
            remote, body = await brought(sources, there.url("/page.html"))
    assert (content, "The Tone_ a Film.mp4") == (body, remote.name)
    assert {None} == {asked.headers.get("cookie") for asked in other.asked}
    assert {"identity"} == {asked.headers.get("accept-encoding") for asked in other.asked}


async def test_film_whose_address_expires_is_looked_up_again_mid_file(films: Path, work: Path) -> None:
    """The address holds for one answer, which breaks off; the page has the next one."""
    content = (films / "film.mp4").read_bytes()
    cut = ranged(content, 'ETag: "x"', "Content-Type: video/mp4", breaks_at=100_000)
    good: list[str] = []
    used: dict[str, int] = {}

    async def page(asked: Asked, writer: asyncio.StreamWriter) -> None:
        good.append(f"/film.mp4?key={len(good)}")
        body = PAGE.replace("/film.mp4", good[-1]).encode()
        writer.write(head(200, "Content-Type: text/html", f"Content-Length: {len(body)}") + body)

    async def film(asked: Asked, writer: asyncio.StreamWriter) -> None:
        used[asked.path] = used.get(asked.path, 0) + 1
        # one look at the first byte, one answer that breaks, then no more
        expired = asked.path != good[-1] or used[asked.path] > 2
        await (reply(403) if expired else cut)(asked, writer)

    async with web(films, {"page_html": page, "film_mp4": film}) as there, media(work) as sources:
        _, body = await brought(sources, there.url("/page.html"))
    assert content == body
    assert len(good) > 3


async def test_film_that_is_another_one_at_its_new_address_is_not_joined(films: Path, work: Path) -> None:
    """Halves of two files make none."""
    content = (films / "film.mp4").read_bytes()
    first = ranged(content, 'ETag: "one"', "Content-Type: video/mp4", breaks_at=50_000)
    second = ranged(content, 'ETag: "two"', "Content-Type: video/mp4")
    looks: list[int] = []

    async def page(asked: Asked, writer: asyncio.StreamWriter) -> None:
        looks.append(1)
        body = PAGE.replace("/film.mp4", f"/film.mp4?{len(looks)}").encode()
        writer.write(head(200, "Content-Type: text/html", f"Content-Length: {len(body)}") + body)

    served_once: list[int] = []

    async def film(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith(f"?{len(looks)}") and len(looks) > 2:
            await second(asked, writer)
            return
        served_once.append(1)
        await (first if len(served_once) <= 2 else reply(410))(asked, writer)

    async with web(films, {"page_html": page, "film_mp4": film}) as there, media(work) as sources:
        with pytest.raises(SourceTemporary) as caught:
            await brought(sources, there.url("/page.html"))
    assert Reason.CHANGED is caught.value.reason


@pytest.mark.parametrize("when", ["look", "fetch", "join"])
async def test_cancel_at_any_moment_leaves_nothing(when: str, films: Path, work: Path) -> None:
    """Processes and folders are gone when the cancel has gone through."""
    reached = asyncio.Event()

    async def stall(asked: Asked, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await silence(asked, writer)

    # the page is asked for by us first; only the second request is yt-dlp's
    page = in_turn(reply(200, "Content-Type: text/html"), stall)
    stalls: dict[str, dict[str, Answer]] = {
        "look": {"slow_html": page},
        "fetch": {"dash_chunk_stream0_00002_m4s": stall},
        "join": {},
    }
    path = {"look": "/slow.html", "fetch": "/dash/list.mpd", "join": "/dash/list.mpd"}[when]
    async with web(films, stalls[when]) as there, media(work) as sources:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(brought(sources, there.url(path)))
            async with asyncio.timeout(20):
                await (reached.wait() if stalls[when] else _file(work, "film.mp4"))
            children = _children()
            task.cancel()
        assert [] == folders(work)
        assert children
        assert [] == [pid for pid in children if state_of(pid) not in "ZX"]


async def _file(work: Path, name: str) -> None:
    while not any((folder / name).exists() for folder in folders(work)):  # noqa: ASYNC110 - ffmpeg's file
        await asyncio.sleep(0.002)


def _children() -> list[int]:
    """The ids of our processes that work for one job."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed if b"extractors" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_film_in_segments_when_it_grows_beyond_the_room_then_is_refused(
    films: Path, work: Path
) -> None:
    """Nobody says how much a list of segments weighs: room is reserved while they come, or the fetch ends."""
    many = LIST.format("#EXTINF:1.0,\n/big.ts\n" * 1000).encode()
    listed = reply(200, "Content-Type: application/vnd.apple.mpegurl", body=many)
    big = reply(200, "Content-Length: 4000000", body=bytes(4_000_000))
    answers = {"list_m3u8": listed, "big_ts": big}
    async with web(films, answers) as there, media(work, work_bytes=300 * MIB) as sources:
        with pytest.raises(SourceError) as caught:
            await brought(sources, there.url("/list.m3u8"))
    assert Reason.NO_ROOM is caught.value.reason


async def test_film_to_be_joined_when_others_hold_the_room_then_waits_its_turn(
    films: Path, work: Path
) -> None:
    """Refused before a byte of it is fetched, and not for good."""
    async with (
        web(films) as there,
        media(work, work_bytes=300 * MIB) as sources,
        Workshop(work, 300 * MIB) as other,
        other.folder() as folder,
    ):
        await folder.reserve(200 * MIB)
        with pytest.raises(NotYet) as caught:
            await brought(sources, there.url("/hls/list.m3u8"))
    assert Reason.NO_ROOM is caught.value.reason
    assert [] == [asked.path for asked in there.asked if asked.path.endswith(".ts")]
