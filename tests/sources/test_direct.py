"""What comes out of a link: the bytes, and what is known of the file."""

import asyncio
import gzip
import random

import pytest

from tests.sources.sites import (
    HASTY,
    Answer,
    Asked,
    collected,
    fetched,
    head,
    in_turn,
    opened,
    ranged,
    reply,
    reset,
    site,
)
from uploader.errors import Reason, SourceError, SourceTemporary

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = random.Random(5).randbytes(300_000)
GZIPPED = gzip.compress(CONTENT)
LENGTH = f"Content-Length: {len(CONTENT)}"
ETAG = 'ETag: "v1"'
MODIFIED = "Last-Modified: Sun, 01 Jun 2025 10:00:00 GMT"


async def test_open_of_a_ranged_file_tells_all_that_is_known_and_reads_its_bytes() -> None:
    """Size, validator, name and type come from the request for one byte; the next one reads them all."""
    async with site(ranged(CONTENT, ETAG, MODIFIED, "Content-Type: video/mp4; x=y")) as served:
        remote, body = await fetched(served.url("/films/one%20two.mp4?token=1"))
    assert ("one two.mp4", len(CONTENT), "video/mp4", '"v1"') == (
        remote.name,
        remote.size_bytes,
        remote.mime_type,
        remote.validator,
    )
    assert CONTENT == body
    assert [
        ("/films/one%20two.mp4?token=1", "bytes=0-4095"),
        ("/films/one%20two.mp4?token=1", "bytes=0-299999"),
    ] == [(asked.path, asked.headers["range"]) for asked in served.asked]


async def test_open_sends_a_polite_request_for_plain_bytes() -> None:
    """The site learns who asks; no compression, no referrer, no cookie of another job."""
    async with site(ranged(CONTENT)) as served:
        await fetched(served.url())
        headers = dict(served.asked[0].headers)
    assert f"{served.host}:{served.port}" == headers.pop("host")
    assert headers == {
        "user-agent": "Peyk/test",
        "accept": "*/*",
        "accept-encoding": "identity",
        "range": "bytes=0-4095",
    }


@pytest.mark.parametrize(
    ("lines", "body", "size_bytes"),
    [
        ([LENGTH], CONTENT, len(CONTENT)),
        ([], CONTENT, None),
        (["Transfer-Encoding: chunked"], b"493e0\r\n" + CONTENT + b"\r\n0\r\n\r\n", None),
        ([LENGTH, "Content-Encoding: none"], CONTENT, len(CONTENT)),
        (["Content-Encoding: gzip"], GZIPPED, None),
        (["Content-Encoding: gzip", f"Content-Length: {len(GZIPPED)}"], GZIPPED, None),
    ],
    ids=["length", "until-close", "chunked", "no-coding", "gzip", "gzip-with-length"],
)
async def test_open_without_ranges_reads_the_whole_file_from_one_request(
    lines: list[str], body: bytes, size_bytes: int | None
) -> None:
    """A site without ranges is asked once, and without them there is no validator to resume by."""
    async with site(reply(200, *lines, ETAG, body=body)) as served:
        remote, read = await fetched(served.url())
    assert (size_bytes, None) == (remote.size_bytes, remote.validator)
    assert CONTENT == read
    assert 1 == len(served.asked)


@pytest.mark.parametrize(
    ("lines", "validator"),
    [
        ([ETAG], '"v1"'),
        ([ETAG, MODIFIED], '"v1"'),
        (['ETag: W/"v1"', MODIFIED], "Sun, 01 Jun 2025 10:00:00 GMT"),
        (['ETag: W/"v1"'], None),
        (["ETag: v1"], None),
        (["ETag: " + '"' + "x" * 300 + '"'], None),
        (["Last-Modified: yesterday"], None),
        ([], None),
    ],
)
async def test_open_takes_a_strong_validator_or_none(lines: list[str], validator: str | None) -> None:
    """Only a strong ETag or a date can stand in If-Range."""
    async with site(ranged(CONTENT, *lines)) as served:
        remote, _ = await fetched(served.url())
    assert validator == remote.validator


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, None), (0, 1), (0, 300_000), (1, 2), (1000, 200_000), (299_999, None), (150_000, None), (7, 7)],
)
async def test_read_of_any_range_yields_exactly_these_bytes(start: int, stop: int | None) -> None:
    """Reads may begin and end anywhere, before and after others."""
    async with site(ranged(CONTENT, ETAG)) as served, opened(served.url()) as remote:
        assert CONTENT[start:stop] == await collected(remote, start, stop)
        assert CONTENT == await collected(remote)


async def test_read_of_several_ranges_at_once_yields_each() -> None:
    """Reads do not disturb one another."""
    cuts = [(at, at + 30_000) for at in range(0, 300_000, 30_000)]
    async with (
        site(ranged(CONTENT, ETAG)) as served,
        opened(served.url()) as remote,
        asyncio.TaskGroup() as group,
    ):
        reads = [group.create_task(collected(remote, *cut)) for cut in cuts]
    assert CONTENT == b"".join(read.result() for read in reads)


async def test_read_past_the_start_without_validator_is_refused() -> None:
    """Bytes of which nobody knows whether they belong to the same file are not read."""
    async with site(ranged(CONTENT)) as served, opened(served.url()) as remote:
        with pytest.raises(SourceError):
            await collected(remote, 5)


async def test_read_again_without_validator_asks_for_the_whole_file() -> None:
    """From the start, a file can be read as often as the site gives it."""
    async with site(reply(200, LENGTH, body=CONTENT)) as served, opened(served.url()) as remote:
        assert CONTENT == await collected(remote)
        assert CONTENT == await collected(remote)
    assert [False, True] == ["range" not in asked.headers for asked in served.asked]


async def test_read_of_a_body_that_breaks_off_goes_on_where_it_ended() -> None:
    """The rest is asked for by range and validator; the bytes are the file's."""
    whole = ranged(CONTENT, ETAG)
    broken = ranged(CONTENT, ETAG, breaks_at=100_000)
    async with site(in_turn(whole, broken, broken, whole)) as served:
        _, body = await fetched(served.url())
    assert CONTENT == body
    assert [
        ("bytes=0-4095", None),
        ("bytes=0-299999", '"v1"'),
        ("bytes=100000-299999", '"v1"'),
        ("bytes=200000-299999", '"v1"'),
    ] == [(asked.headers["range"], asked.headers.get("if-range")) for asked in served.asked]


async def test_read_after_a_reset_goes_on_where_it_ended() -> None:
    """A connection cut with violence is resumed as one that ended early is."""

    async def cut(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await ranged(CONTENT, MODIFIED, breaks_at=50_000)(asked, writer)
        await reset(asked, writer)

    whole = ranged(CONTENT, MODIFIED)
    async with site(in_turn(whole, cut, cut, whole)) as served:
        _, body = await fetched(served.url())
    assert CONTENT == body
    assert 4 == len(served.asked)


async def test_read_of_a_busy_site_waits_and_goes_on() -> None:
    """503 and refused connections in the middle of a file pass by."""
    whole = ranged(CONTENT, ETAG)
    broken = ranged(CONTENT, ETAG, breaks_at=1000)
    async with site(in_turn(whole, broken, reply(503), reset, whole)) as served:
        _, body = await fetched(served.url())
    assert CONTENT == body
    assert 5 == len(served.asked)


async def test_read_of_a_site_that_serves_little_at_once_asks_for_more() -> None:
    """Some sites shorten every range; the file is whole all the same."""
    async with site(ranged(CONTENT, ETAG, most=70_000)) as served:
        remote, body = await fetched(served.url())
    assert (len(CONTENT), CONTENT) == (remote.size_bytes, body)
    assert 1 + 5 == len(served.asked)


async def test_read_that_breaks_again_and_again_fails_for_this_time() -> None:
    """The number of resumes without progress is bounded."""
    broken = ranged(CONTENT, ETAG, breaks_at=10)
    async with site(broken) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason
    assert 1 + 1 + HASTY.resumes == len(served.asked)


async def test_read_without_validator_that_breaks_off_fails_for_this_time() -> None:
    """What cannot be resumed ends with an error, never with fewer bytes."""
    async with site(reply(200, LENGTH, body=CONTENT[:1000])) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason
    assert 1 == len(served.asked)


async def test_read_of_chunks_that_break_off_fails_for_this_time() -> None:
    """Without a length, the missing last chunk tells that the body is not whole."""
    chunk = b"3e8\r\n" + CONTENT[:1000] + b"\r\n"
    async with site(reply(200, "Transfer-Encoding: chunked", body=chunk)) as served:
        with pytest.raises(SourceTemporary):
            await fetched(served.url())


async def test_read_of_a_damaged_coding_fails() -> None:
    """A gzip body that is none is the site's fault."""
    async with site(reply(200, "Content-Encoding: gzip", body=b"no gzip at all")) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason


async def test_read_of_more_than_promised_stops_at_the_promise() -> None:
    """A 206 whose chunks go on past its Content-Range adds nothing to the file."""
    lines = ("Content-Range: bytes 0-99/100", "Transfer-Encoding: chunked")
    async with site(reply(206, *lines, ETAG, body=b"c8\r\n" + CONTENT[:200] + b"\r\n0\r\n\r\n")) as served:
        remote, body = await fetched(served.url())
    assert (100, CONTENT[:100]) == (remote.size_bytes, body)


CHANGED = [
    ranged(CONTENT, 'ETag: "v2"'),
    reply(206, "Content-Range: bytes 1000-299999/300000", 'ETag: "v2"', body=CONTENT[1000:]),
    reply(206, "Content-Range: bytes 1000-299999/300001", ETAG, body=CONTENT[1000:]),
    reply(200, LENGTH, ETAG, body=CONTENT),
    reply(416, "Content-Range: bytes */500"),
    reply(412),
]


@pytest.mark.parametrize("rest", CHANGED, ids=["200-v2", "206-v2", "206-size", "200-same", "416", "412"])
async def test_read_of_a_file_that_changed_meanwhile_says_so(rest: Answer) -> None:
    """Two halves of different files are never glued together."""
    async with site(in_turn(ranged(CONTENT, ETAG), ranged(CONTENT, ETAG, breaks_at=1000), rest)) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert Reason.CHANGED is caught.value.reason
    assert 3 == len(served.asked)


async def test_read_of_the_wrong_range_is_refused() -> None:
    """A 206 that begins elsewhere would shift every byte after it."""
    wrong = reply(206, "Content-Range: bytes 0-298999/300000", ETAG, body=CONTENT[:299_000])
    async with site(in_turn(ranged(CONTENT, ETAG), ranged(CONTENT, ETAG, breaks_at=1000), wrong)) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert (Reason.SITE_BROKEN, f"{served.host}: Content-Range") == (caught.value.reason, caught.value.detail)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, Reason.FORBIDDEN), (404, Reason.NOT_FOUND), (410, Reason.NOT_FOUND)],
)
async def test_read_refused_in_the_middle_may_be_tried_anew(status: int, reason: Reason) -> None:
    """A signed address that ran out is opened again by a later attempt, so this is temporary."""
    broken = ranged(CONTENT, ETAG, breaks_at=1000)
    async with site(in_turn(ranged(CONTENT, ETAG), broken, reply(status))) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert reason is caught.value.reason
    assert 3 == len(served.asked)


@pytest.mark.parametrize("answer", [reply(200, "Content-Length: 0"), reply(416, "Content-Range: bytes */0")])
async def test_open_of_an_empty_file_says_so(answer: Answer) -> None:
    """Nothing can be sent of 0 bytes."""
    async with site(answer) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url())
    assert Reason.EMPTY is caught.value.reason


async def test_read_left_in_the_middle_closes_the_connection() -> None:
    """A reader that stops leaves nothing open at the site, and the site's bytes wait at the site."""
    stalled, left = asyncio.Event(), asyncio.Event()
    sent = 0

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head(200))
        try:
            while True:
                writer.write(bytes(1 << 16))
                sent += 1 << 16
                try:
                    await asyncio.wait_for(writer.drain(), 0.5)
                except TimeoutError:
                    stalled.set()
        except ConnectionError:
            left.set()

    async with site(endless) as served, asyncio.timeout(20):
        async with opened(served.url()) as remote:
            reading = aiter(remote.read(0, None))
            assert await anext(reading)
            await stalled.wait()
        await left.wait()
    assert sent < 64 << 20  # what two sockets and our buffer hold; the site could have sent without end
