"""What the control API answers."""

from pathlib import Path

import aiohttp
import pytest

from tests.tui.stage import FakeEngine, busy
from tui.client import ControlClient, EngineTroubled
from uploader.errors import StorageUnavailable
from uploader.snapshot import Snapshot


async def test_snapshot_when_asked_for_is_the_engines(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """The snapshot crosses the wire whole, Persian names and unknown sizes included."""
    engine.seen = busy()
    async with engine.server(socket_path), http.get("/api/snapshot") as answer:
        assert answer.status == 200
        assert engine.seen == Snapshot.model_validate_json(await answer.text())


async def test_maintenance_when_switched_holds_and_is_answered_with_the_new_snapshot(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """The answer to the switch is already the engine after it."""
    async with engine.server(socket_path):
        async with http.post("/api/maintenance", json={"on": True}) as answer:
            assert (200, True) == (answer.status, (await answer.json())["maintenance"])
        assert engine.seen.maintenance
        async with http.post("/api/maintenance", json={"on": False}) as answer:
            assert (200, False) == (answer.status, (await answer.json())["maintenance"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{on: true}", 400),
        (b"\xff\xfe", 400),
        (b"{}", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"on": "yes"}', 422),
        (b'{"on": 1}', 422),
        (b'{"on": null}', 422),
        (b'{"on": true, "x": "' + b"a" * 5000 + b'"}', 413),
    ],
)
async def test_maintenance_when_the_body_is_bad_refuses_and_changes_nothing(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession, body: bytes, status: int
) -> None:
    """Every bad body gets a status of its class and a sentence, and the switch stays."""
    async with engine.server(socket_path), http.post("/api/maintenance", data=body) as answer:
        assert status == answer.status
        assert ["error"] == list(await answer.json())
    assert not engine.seen.maintenance


async def test_drain_when_asked_begins_once_and_says_so(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """The answer is already that of an engine that stops; a second request is no other."""
    async with engine.server(socket_path):
        for _ in range(2):
            async with http.post("/api/drain") as answer:
                assert (200, True) == (answer.status, (await answer.json())["stopping"])


@pytest.mark.parametrize(
    ("method", "route", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/nothing", 404),
        ("POST", "/api/snapshot", 405),
        ("GET", "/api/maintenance", 405),
        ("GET", "/api/drain", 405),
    ],
)
async def test_route_when_unknown_is_refused_in_json(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession, method: str, route: str, status: int
) -> None:
    """Also the web server's own refusals have our form."""
    async with engine.server(socket_path), http.request(method, route) as answer:
        assert status == answer.status
        assert ["error"] == list(await answer.json())


async def test_health_when_serving_is_ok_and_says_for_how_long(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """The uptime is that of the snapshot."""
    async with engine.server(socket_path), http.get("/health") as answer:
        assert answer.status == 200
        assert {
            "ok": True,
            "bot_username": "peyk_bot",
            "maintenance": False,
            "uptime_s": 11_520.0,
            "checks": {
                "telegram": {"ok": True, "silent_s": 0.0},
                "clock": {"ok": True, "ahead_s": 0.0},
            },
        } == await answer.json()


async def test_health_when_stopping_is_503(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """Who watches the engine learns that it takes no more work."""
    engine.seen = engine.seen.model_copy(update={"stopping": True})
    async with engine.server(socket_path), http.get("/health") as answer:
        assert answer.status == 503
        told = await answer.json()
        assert (False, "stopping") == (told["ok"], told["error"])


class Cut(FakeEngine):
    """An engine whose database does not answer."""

    async def snapshot(self) -> Snapshot:
        """There is nothing to see."""
        raise StorageUnavailable("connection refused")


@pytest.mark.parametrize("route", ["/health", "/api/snapshot", "/api/events"])
async def test_routes_when_the_database_does_not_answer_are_503_and_say_so(
    route: str, engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """As JSON, like every other refusal: monitoring reads it, and so does the dashboard."""
    async with Cut(engine.seen).server(socket_path), http.get(route) as answer:
        assert answer.status == 503
        assert "the database does not answer: connection refused" == (await answer.json())["error"]


async def test_health_when_something_keeps_it_from_serving_is_503(
    engine: FakeEngine, socket_path: Path, http: aiohttp.ClientSession
) -> None:
    """What can still be read of SQLite does not make an engine well that cannot write."""
    trouble = "writes to the database have failed for 20 s (database is locked)"
    engine.seen = engine.seen.model_copy(update={"troubles": (trouble,)})
    async with engine.server(socket_path), http.get("/health") as answer:
        assert answer.status == 503
        assert trouble in (await answer.json())["error"]


async def test_client_when_the_engine_is_in_trouble_is_told_which(
    engine: FakeEngine, socket_path: Path
) -> None:
    """It runs: `run.py status` must not advise to start it."""
    async with Cut(engine.seen).server(socket_path), ControlClient(socket_path) as client:
        with pytest.raises(EngineTroubled, match="the database does not answer: connection refused"):
            await client.snapshot()
        assert "the database does not answer: connection refused" in str(await anext(client.watch()))
