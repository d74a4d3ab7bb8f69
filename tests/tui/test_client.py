"""The client of the control API, without a screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.tui.stage import FakeEngine, busy, idle, transfer
from tui.client import Away, ControlClient, ControlError, EngineUnreachable
from uploader.snapshot import WIRE_VERSION, Snapshot


@asynccontextmanager
async def answering(socket_path: Path, text: str, status: int = 200) -> AsyncIterator[None]:
    """Somebody else's server at the engine's socket, with one answer to everything."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket_path)).start()
        yield
    finally:
        await runner.cleanup()


async def next_of(seen: AsyncIterator[Snapshot | Away]) -> Snapshot | Away:
    """What the watch yields next."""
    async with asyncio.timeout(10):
        return await anext(seen)


async def test_snapshot_when_asked_for_comes_whole(engine: FakeEngine, socket_path: Path) -> None:
    """`run.py status` needs no more than this."""
    async with engine.server(socket_path), ControlClient(socket_path) as client:
        assert busy() == await client.snapshot()


async def test_maintenance_when_set_is_answered_with_the_engine_after_it(
    engine: FakeEngine, socket_path: Path
) -> None:
    """On and off."""
    async with engine.server(socket_path), ControlClient(socket_path) as client:
        assert (await client.set_maintenance(True)).maintenance
        assert not (await client.set_maintenance(False)).maintenance


async def test_drain_when_asked_is_answered_by_the_engine_that_stops(
    engine: FakeEngine, socket_path: Path
) -> None:
    """What `run.py drain` tells first."""
    async with engine.server(socket_path), ControlClient(socket_path) as client:
        assert (await client.drain()).stopping


async def test_client_when_nobody_listens_says_so(socket_path: Path) -> None:
    """The message is for a person."""
    async with ControlClient(socket_path) as client:
        with pytest.raises(EngineUnreachable, match="nobody listens at its control socket"):
            await client.snapshot()
        with pytest.raises(EngineUnreachable, match="nobody listens"):
            await client.set_maintenance(True)


@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        ("hello", 200, "another version"),
        ("{}", 200, "another version"),
        (idle(wire_version=WIRE_VERSION + 1).model_dump_json(), 200, f"speaks version {WIRE_VERSION + 1}"),
        ('{"error": "no"}', 500, "answered 500"),
    ],
)
async def test_client_when_the_answer_is_strange_says_what_is_wrong(
    socket_path: Path, text: str, status: int, problem: str
) -> None:
    """Another program, or another version of ours, at the socket."""
    async with answering(socket_path, text, status), ControlClient(socket_path) as client:
        with pytest.raises(ControlError, match=problem):
            await client.snapshot()


async def test_watch_when_the_engine_changes_yields_each_news(engine: FakeEngine, socket_path: Path) -> None:
    """First the engine as it is, then what changed."""
    async with (
        engine.server(socket_path),
        ControlClient(socket_path) as client,
        aclosing(client.watch()) as seen,
    ):
        assert busy() == await next_of(seen)
        engine.seen = idle()
        assert idle() == await next_of(seen)


async def test_watch_when_the_engine_goes_and_comes_goes_on_by_itself(
    engine: FakeEngine, socket_path: Path
) -> None:
    """One `Away` per attempt that failed, then snapshots again."""
    async with ControlClient(socket_path) as client, aclosing(client.watch()) as seen:
        assert Away("nobody listens at its control socket") == await next_of(seen)
        async with engine.server(socket_path):
            while isinstance(found := await next_of(seen), Away):
                pass
            assert busy() == found
        assert isinstance(await next_of(seen), Away)
        async with engine.server(socket_path):
            while isinstance(found := await next_of(seen), Away):
                pass
            assert busy() == found


async def test_watch_when_names_are_as_long_as_they_get_reads_the_line(
    engine: FakeEngine, socket_path: Path
) -> None:
    """An event is one line: far longer than a reader's usual limit."""
    engine.seen = idle(transfers=tuple(transfer(n, name="پ" * 255) for n in range(500)))
    async with (
        engine.server(socket_path),
        ControlClient(socket_path) as client,
        aclosing(client.watch()) as seen,
    ):
        assert engine.seen == await next_of(seen)


async def test_watch_when_a_line_is_longer_than_any_snapshot_is_away_not_broken(socket_path: Path) -> None:
    """A stranger at the socket cannot fill the memory."""
    async with (
        answering(socket_path, "data: " + "x" * (4 << 20)),
        ControlClient(socket_path) as client,
        aclosing(client.watch()) as seen,
    ):
        assert Away("it sends more than this program can read") == await next_of(seen)
