"""Bodies made to hurt: the job fails cleanly, within its bounds, and nothing of it is left."""

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.sites import HASTY, LOOPBACK, Answer, Asked, head, opened, reply, site
from tests.sources.test_media import brought, folders
from uploader.errors import SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources import Sources, Times

ZEROS = 256 * MIB
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n{}#EXT-X-ENDLIST\n"
M3U8 = "Content-Type: application/vnd.apple.mpegurl"


def bomb(beginning: bytes = b"") -> bytes:
    """Gzip of `beginning` and 256 MiB of zeros, in a quarter of a MiB."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(beginning)]
    parts += [packer.compress(bytes(MIB)) for _ in range(ZEROS // MIB)]
    return b"".join([*parts, packer.flush()])


@pytest.fixture(scope="module")
def zeros() -> bytes:
    """A bomb."""
    return bomb()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """Where jobs have their folders; nothing is left there."""
    yield tmp_path / "work"
    assert [] == [*(tmp_path / "work").glob("*")]


async def failed(work: Path, url: str, **changes: Any) -> int:
    """The most that was on the disk while the link failed."""
    times = Times(look_s=20, fetch_s=20, silence_s=10, join_s=10)
    given: dict[str, Any] = {"patience": HASTY, "times": times, "work_dir": work}
    most_bytes = 0
    async with Sources(LOOPBACK, "Peyk/test", **{**given, **changes}) as sources:

        async def watch() -> None:
            nonlocal most_bytes
            while True:
                files = [file for folder in folders(work) for file in folder.rglob("*")]
                most_bytes = max(most_bytes, sum(_size(file) for file in files))
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            with pytest.raises(SourceError):
                await brought(sources, url)
            watching.cancel()
        assert [] == [folder for folder in folders(work) if folder.name != "chooser"]
    return most_bytes


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


async def test_bomb_of_zeros_is_inflated_piece_by_piece(zeros: bytes) -> None:
    """What it becomes is counted as it comes, and never in memory as a whole."""
    lines = ("Content-Encoding: gzip", f"Content-Length: {len(zeros)}")
    async with site(reply(200, *lines, body=zeros)) as served, opened(served.url()) as remote:
        tracemalloc.start()
        try:
            got = 0
            async for chunk in remote.read(0, None):
                got += len(chunk)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert ZEROS == got
    assert peak_bytes < 32 * MIB


@pytest.mark.parametrize("kind", ["Content-Type: text/html", M3U8])
async def test_bomb_instead_of_a_page_or_a_list_ends_the_look(kind: str, zeros: bytes, work: Path) -> None:
    """yt-dlp inflates all that it gets: the memory of its process ends that."""
    beginning = gzip.compress(b"#EXTM3U\n")
    body = beginning + b"".join([zeros] * 8)  # 2 GiB
    lines = (kind, "Content-Encoding: gzip", f"Content-Length: {len(body)}")
    async with site(reply(200, *lines, body=body)) as served:
        assert await failed(work, served.url("/page")) < MIB


async def forever(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A redirect to the next of a million pages."""
    at = int(asked.path.rpartition("/")[2] or 0)
    await reply(302, f"Location: /page/{at + 1}")(asked, writer)


async def long_page(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A page that has no end."""
    writer.write(head(200, "Content-Type: text/html") + b"<html>")
    while True:
        writer.write(b"<video src='" + bytes(65_000) + b"'>")
        await writer.drain()


async def slow_page(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A page a byte at a time."""
    writer.write(head(200, "Content-Type: text/html") + b"<html>")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def short_page(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A page that promises more than it is."""
    writer.write(head(200, "Content-Type: text/html", "Content-Length: 100000") + b"<html>")


async def many_fields(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A head without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


@pytest.mark.parametrize("answer", [forever, long_page, slow_page, short_page, many_fields])
async def test_page_that_never_ends_ends_the_look(answer: Answer, work: Path) -> None:
    """Neither by its length nor by its slowness does a page hold a job for longer than that may take."""
    times = Times(look_s=3, fetch_s=3, silence_s=3, join_s=3)
    page = reply(200, "Content-Type: text/html")
    asked_before = []

    async def first_ours(asked: Asked, writer: asyncio.StreamWriter) -> None:
        # our own look at the head is short; all that follow are yt-dlp's
        asked_before.append(asked)
        await (page if len(asked_before) == 1 and answer is not forever else answer)(asked, writer)

    async with site(first_ours) as served:
        assert await failed(work, served.url("/page/0"), times=times) < MIB
    assert len(asked_before) < 200


async def test_segment_that_is_hardly_any_film_ends_the_fetch(work: Path) -> None:
    """A byte in each chunk, and kilobytes about it, for ever: a child's pass is not spent on that."""
    sent_bytes = 0

    async def served(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        if asked.path.endswith(".m3u8"):
            body = HLS.format("#EXTINF:1.0,\n/0.ts\n").encode()
            writer.write(head(200, M3U8, f"Content-Length: {len(body)}") + body)
            return
        writer.write(head(200, "Transfer-Encoding: chunked"))
        while True:
            writer.write((b"1;" + b"x" * 4000 + b"\r\na\r\n") * 100)
            sent_bytes += 400_700
            await writer.drain()

    times = Times(look_s=60, fetch_s=60, silence_s=60, join_s=60)
    async with site(served) as there, asyncio.timeout(90):
        assert await failed(work, there.url("/list.m3u8"), times=times) < 2 * MIB
    assert sent_bytes < 1024 * MIB


async def test_segment_that_comes_byte_by_byte_ends_the_fetch(work: Path) -> None:
    """Some progress is not enough: each while has to bring more than a few bytes."""

    async def served(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith(".m3u8"):
            body = HLS.format("#EXTINF:1.0,\n/0.ts\n").encode()
            writer.write(head(200, M3U8, f"Content-Length: {len(body)}") + body)
            return
        writer.write(head(200, "Content-Length: 1000000"))
        while True:
            writer.write(bytes(1200))  # what yt-dlp reads at once, and tells of
            await writer.drain()
            await asyncio.sleep(0.2)

    times = Times(look_s=60, fetch_s=60, silence_s=4, join_s=60)
    async with site(served) as there, asyncio.timeout(45):
        assert await failed(work, there.url("/list.m3u8"), times=times) < MIB


def spoilt(film: bytes, seed: int) -> bytes:
    """A film with harm done to it: cut, torn, with other numbers in its index."""
    rng = random.Random(seed)
    body = bytearray(film)
    if seed % 3 == 0:
        return bytes(body[: rng.randrange(8, len(body))])
    at = max(0, body.find(b"moov"))
    for _ in range(rng.choice((1, 8, 200))):
        where = rng.randrange(at, min(len(body), at + 4000)) if seed % 3 == 1 else rng.randrange(len(body))
        body[where : where + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", rng.randbytes(4)))
    return bytes(body)


async def test_segments_with_harm_done_to_them_are_joined_or_refused(films: Path, work: Path) -> None:
    """ffmpeg and PyAV read a small corpus of hostile films: bytes or a SourceError, and never more disk."""
    film = (films / "film.mp4").read_bytes()
    corpus = {f"/{seed}.bin": spoilt(film, seed) for seed in range(6)}

    async def served(asked: Asked, writer: asyncio.StreamWriter) -> None:
        name = asked.path.lstrip("/")
        if name.endswith(".m3u8"):
            body = HLS.format(f"#EXTINF:1.0,\n/{name.removesuffix('.m3u8')}.bin\n").encode()
            writer.write(head(200, M3U8, f"Content-Length: {len(body)}") + body)
        else:
            body = corpus[asked.path]
            writer.write(head(200, f"Content-Length: {len(body)}") + body)

    given: dict[str, Any] = {"patience": HASTY, "work_dir": work, "cap_bytes": 20 * MIB}
    outcomes = []
    async with site(served) as there, Sources(LOOPBACK, "Peyk/test", **given) as sources:
        for seed in range(6):
            try:
                async with sources.open(parse(there.url(f"/{seed}.m3u8"))) as remote:
                    got = sum([len(chunk) async for chunk in remote.read(0, None)])
                    if remote.facts is not None:
                        await remote.facts()
                    outcomes.append(got < 2 * len(film))
            except SourceError:
                outcomes.append(True)
            assert [] == [folder for folder in folders(work) if folder.name != "chooser"]
    assert [True] * 6 == outcomes
