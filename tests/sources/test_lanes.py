"""Files over several connections at once: the same bytes, whatever the site makes of it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.crowds import Crowd, span
from tests.sources.sites import (
    HASTY,
    Answer,
    Asked,
    Site,
    collected,
    head,
    opened,
    reply,
    reset,
    site,
)
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import RemoteFile
from uploader.sources import Hosts, Patience
from uploader.sources.growth import Growth
from uploader.sources.lanes import File, Lanes
from uploader.sources.window import Window

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = random.Random(9).randbytes(16 * MIB)
#: Trials that a test can wait for.
EAGER = replace(HASTY, look_s=0.05)


@asynccontextmanager
async def over_four(crowd: Crowd, patience: Patience = HASTY) -> AsyncIterator[tuple[Site, RemoteFile]]:
    """A file of a site of which it is known already that four connections are best."""
    hosts = Hosts(pause_s=0.01)
    async with site(crowd, keeps=True) as served:
        hosts.remember(f"{served.host}:{served.port}", 4)
        async with opened(served.url(), patience, hosts) as remote:
            yield served, remote


async def test_read_from_a_site_that_caps_each_connection_takes_several_and_the_same_bytes() -> None:
    """What two connections bring is twice as much, in the order of the file."""
    crowd = Crowd(CONTENT, enough=2)
    async with site(crowd, keeps=True) as served, opened(served.url(), EAGER) as remote:
        assert CONTENT == await collected(remote)
    assert 2 <= crowd.peak <= 8


async def test_read_of_a_part_over_several_connections_begins_and_ends_where_it_was_asked_to() -> None:
    """An upload that is resumed reads from the middle."""
    crowd = Crowd(CONTENT)
    start, stop = 3 * MIB + 5, len(CONTENT) - 7
    async with over_four(crowd) as (_, remote):
        assert CONTENT[start:stop] == await collected(remote, start, stop)
    assert 4 == crowd.peak


async def fully(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """The whole file, whatever was asked for."""
    writer.write(head(200, f"Content-Length: {len(CONTENT)}", 'ETag: "v1"') + CONTENT)


REFUSALS = {
    "429": reply(429),
    "503": reply(503),
    "403": reply(403),
    "reset": reset,
    "no-range": fully,
    "elsewhere": reply(206, f"Content-Range: bytes 0-9/{len(CONTENT)}", body=CONTENT[:10]),
    "empty": reply(206),
}


@pytest.mark.parametrize("beyond", REFUSALS.values(), ids=REFUSALS)
async def test_read_from_a_site_that_serves_one_connection_only_goes_on_over_one(beyond: Answer) -> None:
    """The file arrives, and it is remembered of the host that one is best."""
    crowd, hosts = Crowd(CONTENT, enough=2, most=1, beyond=beyond), Hosts(pause_s=0.01)
    async with site(crowd, keeps=True) as served, opened(served.url(), EAGER, hosts) as remote:
        assert CONTENT == await collected(remote)
        assert 1 == hosts.lanes(f"{served.host}:{served.port}")
    assert 1 == crowd.peak


async def test_read_of_a_file_that_changes_while_several_connections_read_it_says_so() -> None:
    """Pieces of two states of a file are never put together."""
    crowd = Crowd(CONTENT, enough=100)
    got = b""

    async def read(remote: RemoteFile) -> None:
        nonlocal got
        async for chunk in remote.read(0, None):
            got += chunk
            if len(got) > MIB:
                crowd.etag, crowd.content = '"v2"', bytes(len(CONTENT))

    async with over_four(crowd) as (_, remote):
        with pytest.raises(SourceTemporary) as caught:
            await read(remote)
    assert Reason.CHANGED is caught.value.reason
    assert CONTENT[: len(got)] == got


class Fragile(Crowd):
    """Breaks every third answer in its middle, once several are served."""

    served = 0

    async def serve(self, content: bytes, first: int, stop: int, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        middle = (first + stop) // 2
        if self.active > 1 and self.served % 3 == 0:
            await super().serve(content, first, middle, writer)
            raise ConnectionResetError
        await super().serve(content, first, stop, writer)


async def test_read_over_connections_that_break_asks_for_what_is_missing() -> None:
    """What a connection brought before it broke is kept, and nothing is fetched twice."""
    crowd = Fragile(CONTENT)
    async with over_four(crowd) as (served, remote):
        assert CONTENT == await collected(remote)
    assert 4 == crowd.peak
    starts = [span(asked, len(CONTENT)) for asked in served.asked]
    assert len(starts) == len(set(starts))


class Stalling(Crowd):
    """The first answer from the second piece on falls silent in its middle, and never goes on."""

    has_stalled = False

    async def serve(self, content: bytes, first: int, stop: int, writer: asyncio.StreamWriter) -> None:
        if first == 2 * MIB and not self.has_stalled:
            self.has_stalled = True
            await super().serve(content, first, first + MIB, writer)
            await asyncio.Event().wait()
        await super().serve(content, first, stop, writer)


async def test_read_overtakes_a_connection_that_all_others_wait_for() -> None:
    """The rest of its piece is fetched anew, long before its silence would end it."""
    crowd = Stalling(CONTENT)
    async with over_four(crowd, replace(EAGER, silence_s=60.0)) as (_, remote), asyncio.timeout(30):
        assert CONTENT == await collected(remote)
    assert crowd.has_stalled


@pytest.mark.parametrize(
    "body",
    [CONTENT[:100], CONTENT],
    ids=["short", "endless"],
)
async def test_read_over_connections_that_lie_about_their_length_brings_the_file(body: bytes) -> None:
    """A piece that ends early is asked for again, of one that goes on no more is taken than was wanted."""

    async def liar(asked: Asked, writer: asyncio.StreamWriter) -> None:
        first, stop = span(asked, len(CONTENT))
        shown = f"Content-Range: bytes {first}-{stop - 1}/{len(CONTENT)}"
        told = (CONTENT[first:] + CONTENT)[: len(body)]
        writer.write(head(206, shown, "Transfer-Encoding: chunked", 'ETag: "v1"'))
        writer.write(f"{len(told):x}\r\n".encode() + told + b"\r\n0\r\n\r\n")

    crowd = Crowd(CONTENT, enough=2, most=1, beyond=liar)
    async with site(crowd, keeps=True) as served, opened(served.url(), EAGER) as remote:
        assert CONTENT == await collected(remote)


async def test_read_by_a_slow_reader_stays_with_one_connection() -> None:
    """What nobody waits for is not asked for ahead."""
    crowd = Crowd(CONTENT, enough=1)
    async with site(crowd, keeps=True) as served, opened(served.url(), EAGER) as remote:
        got = 0
        async for chunk in remote.read(0, None):
            got += len(chunk)
            await asyncio.sleep(0.02 if got < 8 * MIB else 0)
    assert len(CONTENT) == got
    assert 1 == crowd.peak


async def test_read_that_is_cancelled_leaves_no_task_and_no_connection() -> None:
    """Within a second all that several connections held is gone."""
    crowd = Crowd(CONTENT, enough=100)
    async with over_four(crowd) as (_, remote):
        before = asyncio.all_tasks()

        async def read() -> None:
            async for _ in remote.read(0, None):
                if crowd.active > 1:
                    several.set()

        several = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read())
            await several.wait()
            reading.cancel()
        async with asyncio.timeout(1):
            await crowd.idle.wait()
        assert [] == [task for task in asyncio.all_tasks() - before if "uploader" in repr(task)]


async def test_sources_that_close_under_a_read_end_it() -> None:
    """A read that nobody finishes does not keep the engine from stopping."""
    crowd = Crowd(CONTENT, enough=100)
    async with asyncio.timeout(20):
        async with over_four(crowd) as (_, remote):
            reading = aiter(remote.read(0, None))
            while crowd.active < 2:
                assert await anext(reading)
        await crowd.idle.wait()


def test_room_is_shared_by_the_files_that_are_read() -> None:
    """Memory does not grow with their number: 32 pieces for all, one at least for each."""
    lanes, windows = Lanes(Hosts(), 1.0), [Window(0, 100 * MIB) for _ in range(3)]
    with lanes.held(windows[0]):
        assert 32 == lanes.room(windows[0])
        for _ in range(25):
            windows[0].ask(32)
        with lanes.held(windows[1]), lanes.held(windows[2]):
            assert [10, 7, 7] == [lanes.room(window) for window in windows]
            while windows[1].ask(7):
                pass
            assert [10, 7, 1] == [lanes.room(window) for window in windows]


#: What a stretch does next: bring so many bytes (0: let others go first), or break in one of these ways.
STEPS = st.integers(0, 60) | st.sampled_from([Reason.SITE_BROKEN, Reason.SITE_BUSY, Reason.CHANGED])
PIECE_BYTES = 64
SIZE_BYTES = 2000


@settings(deadline=None)
@given(st.lists(STEPS, max_size=100), st.integers(2, 8), st.integers(0, SIZE_BYTES))
def test_read_in_any_weather_yields_the_exact_bytes_or_an_error(
    steps: list[int | Reason], known: int, start: int
) -> None:
    """Connections that come and go as they like: the file, or the beginning of it and a reason."""
    weather = iter(steps)
    under_way = 0

    async def stretch(first: int, stop: int, resumes: bool) -> AsyncIterator[bytes]:
        nonlocal under_way
        under_way += 1
        assert under_way <= known
        try:
            at = first
            while at < stop:
                step = next(weather, PIECE_BYTES)
                await asyncio.sleep(0)
                if isinstance(step, Reason):
                    raise SourceTemporary(step, "broke")
                if chunk := CONTENT[at : min(at + step, stop)]:
                    at += len(chunk)
                    yield chunk
        finally:
            under_way -= 1

    async def read() -> tuple[bytes, bool]:
        got = b""
        async with asyncio.TaskGroup() as tasks:
            lanes = Lanes(Hosts(), 1000.0, PIECE_BYTES)
            growth = Growth(1000.0, known)
            file = File(site="a", owner=None, growth=growth, stretch=stretch, spawn=tasks.create_task)
            try:
                async for chunk in lanes.read(file, start, SIZE_BYTES):
                    got += chunk
            except SourceError:
                return got, False
        return got, True

    got, is_whole = asyncio.run(read())
    assert CONTENT[start : start + len(got)] == got
    assert not is_whole or start + len(got) == SIZE_BYTES
    assert 0 == under_way
