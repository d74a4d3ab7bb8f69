"""The event stream: only news, never too often, and nobody can hold it up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp

from tests.tui.stage import FakeEngine, busy, transfer
from uploader.control.events import SUBSCRIBERS, Timing
from uploader.control.server import ControlServer
from uploader.snapshot import Snapshot

QUICK = Timing(interval_s=0.02, comment_s=0.1, write_s=0.3)


@asynccontextmanager
async def serving(engine: FakeEngine, socket_path: Path, timing: Timing = QUICK) -> AsyncIterator[None]:
    """A server with a quicker pulse than the real one's."""
    async with ControlServer(
        socket_path,
        snapshot=engine.snapshot,
        set_maintenance=engine.set_maintenance,
        drain=engine.drain,
        timing=timing,
    ):
        yield


async def block(stream: aiohttp.StreamReader) -> list[str]:
    """The lines of the next event, or the next comment."""
    lines = []
    async with asyncio.timeout(5):
        while line := (await stream.readline()).decode().rstrip("\n"):
            lines.append(line)
    return lines


def snapshot_of(lines: list[str]) -> Snapshot:
    """The snapshot that an event carries."""
    name, data = lines
    assert name == "event: snapshot"
    return Snapshot.model_validate_json(data.removeprefix("data: "))


async def test_stream_when_opened_begins_with_the_engine_as_it_is(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """A new subscriber waits for nothing to change."""
    engine.seen = busy()
    async with serving(engine, socket_path), http.get("/api/events") as answer:
        assert "text/event-stream" == answer.headers["Content-Type"]
        assert engine.seen == snapshot_of(await block(answer.content))


async def test_stream_when_only_the_clock_moves_sends_comments_alone(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """The moment of the look is no news; silence is filled with comment lines."""
    async with serving(engine, socket_path), http.get("/api/events") as answer:
        await block(answer.content)
        engine.seen = engine.seen.model_copy(update={"at": engine.seen.at + 1})
        assert [[": still here"], [": still here"]] == [
            await block(answer.content),
            await block(answer.content),
        ]


async def test_stream_when_much_changes_between_two_looks_sends_the_last_state_once(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """A burst of progress becomes one event."""
    async with serving(engine, socket_path), http.get("/api/events") as answer:
        await block(answer.content)
        for done in range(1, 101):
            engine.seen = engine.seen.model_copy(update={"transfers": (transfer(1, done_bytes=done),)})
        assert 100 == snapshot_of(await block(answer.content)).transfers[0].done_bytes
        assert [": still here"] == await block(answer.content)


async def test_stream_when_the_engine_changes_all_the_time_keeps_its_interval(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """Between two events lies at least the interval: two a second with the real timing."""
    clock = asyncio.get_running_loop().time

    async def restless() -> Snapshot:
        return engine.seen.model_copy(update={"started_at": clock()})

    server = ControlServer(
        socket_path,
        snapshot=restless,
        set_maintenance=engine.set_maintenance,
        drain=engine.drain,
        timing=Timing(interval_s=0.1),
    )
    async with server, http.get("/api/events") as answer:
        taken = [snapshot_of(await block(answer.content)).started_at for _ in range(4)]
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(taken))
    assert 0.5 == Timing().interval_s


async def test_stream_when_a_client_reads_nothing_drops_it_and_serves_the_others(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """A stuck reader costs its own connection and nothing else."""
    bulk = tuple(transfer(n, name="x" * 250) for n in range(600))  # more than the buffers between us hold

    async def restless() -> Snapshot:
        engine.seen = engine.seen.model_copy(update={"started_at": engine.seen.started_at + 1})
        return engine.seen.model_copy(update={"transfers": bulk})

    server = ControlServer(
        socket_path,
        snapshot=restless,
        set_maintenance=engine.set_maintenance,
        drain=engine.drain,
        timing=QUICK,
    )
    async with server:
        with socket.socket(socket.AF_UNIX) as stuck:
            stuck.connect(str(socket_path))
            stuck.sendall(b"GET /api/events HTTP/1.1\r\nHost: engine\r\n\r\n")
            async with http.get("/api/events") as answer:
                for _ in range(30):
                    await answer.content.readuntil(b"\n\n")
            assert await asyncio.to_thread(is_cut_off, stuck)


def is_cut_off(client: socket.socket) -> bool:
    """Whether what is left to read ends soon."""
    client.settimeout(0.5)
    left = 0
    try:
        while chunk := client.recv(1 << 20):
            left += len(chunk)
            if left > 8 << 20:
                return False
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


async def test_stream_when_too_many_watch_refuses_until_one_goes(
    engine: FakeEngine, socket_path: Path
) -> None:
    """The number of subscribers is bounded, and a gone one makes room."""
    connector = aiohttp.UnixConnector(path=str(socket_path), limit=0)
    async with (
        serving(engine, socket_path),
        aiohttp.ClientSession("http://engine", connector=connector) as http,
    ):
        watching = [await http.get("/api/events") for _ in range(SUBSCRIBERS)]
        async with http.get("/api/events") as refused:
            assert 503 == refused.status
            assert ["error"] == list(await refused.json())
        watching.pop().close()
        assert 200 == await first_status_that_is_not(503, http)
        for answer in watching:
            answer.close()


async def first_status_that_is_not(status: int, http: aiohttp.ClientSession) -> int:
    """Ask for the stream until another status comes."""
    async with asyncio.timeout(5):
        while True:
            async with http.get("/api/events") as answer:
                if answer.status != status:
                    return answer.status


async def test_stream_when_the_engine_stops_ends(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """A subscriber does not hold up the stop, and sees the end."""
    async with serving(engine, socket_path):
        answer = await http.get("/api/events")
        await block(answer.content)
    async with asyncio.timeout(5):
        rest = await answer.content.read()
    assert rest.replace(b": still here\n\n", b"") == b""
