"""One engine under load in bad weather: it serves again by itself, and every job has ended exactly once.

    PEYK_OUTAGE_S=600 pytest tests/engine/test_weather.py --timeout 2000

keeps the database away for ten minutes.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.engine import weather
from tests.engine.conftest import Scene
from tests.engine.weather import PATIENCE_S, under_load
from tests.postgres_fixture import PostgresServer

#: How long the database is away: within what a lease lasts, unless said otherwise.
OUTAGE_S = float(os.environ.get("PEYK_OUTAGE_S", "7"))

#: Where the engine's database is, and the weather in which it is away.
Place = tuple[str, Callable[[], AbstractAsyncContextManager[None]]]


@pytest.fixture(params=["sqlite", "postgresql", "postgresql, read-only"])
def place(request: pytest.FixtureRequest, scene: Scene) -> Place:
    """Both databases; and a server that gives reads alone, as after a failover (graphile/worker#449)."""
    if request.param == "sqlite":
        file = scene.folder / "data" / "peyk.db"
        return f"sqlite:///{file}", lambda: weather.sqlite_locked(file)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    away = weather.postgresql_read_only if "read-only" in request.param else weather.postgresql_stopped
    return server.new_database(), lambda: away(server)


async def test_database_when_gone_and_back_under_load_costs_nothing(scene: Scene, place: Place) -> None:
    """Eight transfers are under way: each ends once; monitoring, operators and people are told meanwhile."""
    url, away = place
    async with under_load(scene, url) as load:
        person = load.people[-1]
        async with away():
            said = await load.until_health(503)
            assert not said["ok"]
            assert "database" in said["error"]
            assert "database" in await load.status()
            await person.send("/start")
            await asyncio.sleep(OUTAGE_S)
            assert load.engine.process.returncode is None
        await load.until_health(200)
        assert "TROUBLE" not in await load.status()
        await person.send("/help")
        await person.expect("link")
        assert [] == await load.wrongs()


async def test_engine_when_told_to_stop_without_its_database_ends(scene: Scene, place: Place) -> None:
    """What cannot be written down is not waited for; the next start goes on, and every file comes once."""
    url, away = place
    async with under_load(scene, url) as load:
        async with away():
            load.engine.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_S):
                assert 0 == await load.engine.process.wait()
        async with load.started_again():
            assert [] == await load.wrongs(most_failures=1)
