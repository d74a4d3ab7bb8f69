"""What a site is asked before a file is read: its beginning, and the whole only if that can tell nothing."""

import asyncio
import gzip
import random
from typing import Final

import pytest

from tests.sources.sites import (
    KEPT,
    Answer,
    Asked,
    collected,
    fetched,
    head,
    in_turn,
    opened,
    ranged,
    reply,
    site,
)
from uploader.errors import Reason, SourceTemporary
from uploader.transfer.parts import CAP_BYTES

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = random.Random(6).randbytes(300_000)
GZIPPED = gzip.compress(CONTENT)
LENGTH = f"Content-Length: {len(CONTENT)}"
ETAG = 'ETag: "v1"'
OVER_THE_CAP: Final = CAP_BYTES + 1


def by_range(to_range: Answer, to_plain: Answer) -> Answer:
    """One answer to requests for a range, another to those for the file."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (to_range if "range" in asked.headers else to_plain)(asked, writer)

    return answer


async def test_open_of_a_file_over_the_cap_fetches_its_beginning_at_most() -> None:
    """The size is known before the site has sent, or even written, more than 4 KiB of the body."""
    written = 0

    async def vast(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        first, last = asked.headers["range"].removeprefix("bytes=").split("-")
        stop = int(last) + 1 if last else OVER_THE_CAP
        writer.write(head(206, f"Content-Range: bytes {first}-{stop - 1}/{OVER_THE_CAP}", ETAG))
        for at in range(int(first), stop, 1 << 16):
            piece = bytes(min(1 << 16, stop - at))
            written += len(piece)
            writer.write(piece)
            await writer.drain()

    async with site(vast) as served, opened(served.url()) as remote:
        assert OVER_THE_CAP == remote.size_bytes
    assert (4096, 1) == (written, len(served.asked))


async def late(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """The byte arrives after its head."""
    if asked.headers["range"] != "bytes=0-4095":
        await ranged(CONTENT, KEPT, ETAG)(asked, writer)
        return
    writer.write(head(206, "Content-Range: bytes 0-0/300000", "Content-Length: 1", KEPT, ETAG))
    await asyncio.sleep(0.05)
    writer.write(CONTENT[:1])


@pytest.mark.parametrize(
    "answer",
    [ranged(CONTENT, KEPT, ETAG), ranged(CONTENT, KEPT), late],
    ids=["validator", "no-validator", "late-byte"],
)
async def test_read_after_the_probe_uses_its_connection_again(answer: Answer) -> None:
    """The request for a byte costs one round trip, not a connection."""
    async with site(answer, keeps=True) as served:
        _, body = await fetched(served.url())
    assert CONTENT == body
    assert (1, 2) == (served.connections, len(served.asked))


@pytest.mark.parametrize(
    ("lines", "ranges"),
    [
        ([ETAG], [("bytes=0-4095", None), ("bytes=0-299999", '"v1"')]),
        ([], [("bytes=0-4095", None), (None, None)]),
    ],
    ids=["validator", "no-validator"],
)
async def test_read_after_the_probe_asks_for_the_whole(
    lines: list[str], ranges: list[tuple[str | None, str | None]]
) -> None:
    """By a range of the same state of the file, or plainly where no state can be named."""
    async with site(ranged(CONTENT, *lines)) as served:
        _, body = await fetched(served.url())
    assert CONTENT == body
    assert ranges == [(asked.headers.get("range"), asked.headers.get("if-range")) for asked in served.asked]


async def test_open_of_a_file_of_one_byte_asks_once() -> None:
    """The first byte is the file."""
    async with site(ranged(b"x", ETAG)) as served:
        remote, body = await fetched(served.url())
    assert (1, b"x", 1) == (remote.size_bytes, body, len(served.asked))


@pytest.mark.parametrize(
    "to_range",
    [
        reply(416),
        reply(416, "Content-Range: bytes */300000"),
        reply(206, "Content-Range: bytes 0-0/*", "Content-Length: 1", ETAG, body=CONTENT[:1]),
        reply(206, "Content-Range: bytes 0-299999/*", LENGTH, ETAG, body=CONTENT),
        reply(206, "Content-Range: bytes 0-0/300000", "Content-Encoding: gzip", ETAG, body=GZIPPED[:1]),
    ],
    ids=["416", "416-with-size", "no-total", "no-total-whole", "gzip"],
)
@pytest.mark.parametrize(
    ("to_plain", "size_bytes"),
    [
        (reply(200, LENGTH, ETAG, body=CONTENT), len(CONTENT)),
        (reply(200, ETAG, body=CONTENT), None),
        (reply(200, "Content-Encoding: gzip", ETAG, body=GZIPPED), None),
    ],
    ids=["length", "until-close", "gzip"],
)
async def test_open_where_a_range_tells_nothing_asks_for_the_whole(
    to_range: Answer, to_plain: Answer, size_bytes: int | None
) -> None:
    """A plain request may tell the size, and its body is the file; nothing of the range is read."""
    async with site(by_range(to_range, to_plain)) as served:
        remote, body = await fetched(served.url())
    assert (size_bytes, CONTENT) == (remote.size_bytes, body)
    assert ["bytes=0-4095", None] == [asked.headers.get("range") for asked in served.asked]


async def test_read_of_a_site_that_never_tells_the_total_reads_what_is_promised() -> None:
    """Whatever it is asked, it answers with the same range of an unknown whole."""
    async with site(reply(206, "Content-Range: bytes 0-299999/*", LENGTH, body=CONTENT)) as served:
        remote, body = await fetched(served.url())
    assert (None, CONTENT) == (remote.size_bytes, body)
    assert ["bytes=0-4095", None, None] == [asked.headers.get("range") for asked in served.asked]


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["Content-Range: bytes 0-0/300000", "Content-Length: 1000"], b"?" * 1000),
        (["Content-Range: bytes 0-0/300000", "Transfer-Encoding: chunked"], b"3\r\n???\r\n0\r\n\r\n"),
        (["Content-Range: bytes 0-0/300000"], b"???"),
        (["Content-Range: bytes 0-999/300000", "Content-Length: 1000"], CONTENT[:1000]),
    ],
    ids=["length", "chunked", "no-end", "longer-range"],
)
@pytest.mark.parametrize("validator", [[ETAG], []], ids=["validator", "no-validator"])
async def test_read_after_a_probe_that_brought_more_than_asked_is_the_file(
    lines: list[str], body: bytes, validator: list[str]
) -> None:
    """What came besides the byte is no part of what is read, nor of the next answer of the connection."""
    more = reply(206, *lines, KEPT, *validator, body=body)
    rest = ranged(CONTENT, KEPT, *validator)
    async with site(in_turn(more, rest), keeps=True) as served:
        remote, read = await fetched(served.url())
    assert (len(CONTENT), CONTENT) == (remote.size_bytes, read)
    assert 2 == len(served.asked)


async def test_open_of_a_site_that_ignores_the_end_of_a_range_reads_its_answer() -> None:
    """A 206 of the whole file is as good as a 200: the site is asked once."""
    whole = reply(206, "Content-Range: bytes 0-299999/300000", LENGTH, ETAG, body=CONTENT)
    async with site(whole) as served:
        remote, body = await fetched(served.url())
    assert (len(CONTENT), '"v1"', CONTENT) == (remote.size_bytes, remote.validator, body)
    assert 1 == len(served.asked)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ranged(CONTENT, ETAG), ranged(CONTENT, 'ETag: "v2"')),
        (ranged(CONTENT, ETAG), ranged(CONTENT[:-1], ETAG)),
        (ranged(CONTENT), ranged(CONTENT[:-1])),
    ],
    ids=["validator", "size", "size-without-validator"],
)
async def test_read_of_a_file_that_changed_since_the_probe_says_so(before: Answer, after: Answer) -> None:
    """What was said of the file, and decided by it, holds for the bytes that are read."""
    async with site(in_turn(before, after)) as served, opened(served.url()) as remote:
        with pytest.raises(SourceTemporary) as caught:
            await collected(remote)
    assert Reason.CHANGED is caught.value.reason
    assert 2 == len(served.asked)


async def test_read_of_chunks_that_break_off_learns_the_size_from_the_rest() -> None:
    """A whole of unknown size ends where its later ranges say, however short each of them is."""
    chunk = b"3e8\r\n" + CONTENT[:1000] + b"\r\n"
    broken = reply(200, "Transfer-Encoding: chunked", "Accept-Ranges: bytes", ETAG, body=chunk)
    async with site(in_turn(broken, ranged(CONTENT, ETAG, most=100_000))) as served:
        remote, body = await fetched(served.url())
    assert (None, CONTENT) == (remote.size_bytes, body)
    assert ["bytes=0-4095", "bytes=1000-", "bytes=101000-299999", "bytes=201000-299999"] == [
        asked.headers["range"] for asked in served.asked
    ]
