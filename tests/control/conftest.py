"""A real control server in front of a small fake engine, and a real client of its socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.tui.stage import FakeEngine, idle


@pytest.fixture
def engine() -> FakeEngine:
    """An engine with nothing to do."""
    return FakeEngine(idle())


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    """Where the server of a test listens."""
    return tmp_path / "control.sock"


@pytest.fixture
async def http(socket_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of that socket, whether anybody listens or not."""
    connector = aiohttp.UnixConnector(path=str(socket_path))
    async with aiohttp.ClientSession("http://engine", connector=connector) as session:
        yield session
