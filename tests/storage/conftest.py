"""Both databases: every test that takes `database` or `database_url` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres_fixture import PostgresServer, postgres_server
from tests.storage.arrivals import Arrivals
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs

__all__ = ["postgres_server"]  # pytest finds fixtures by their names


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'peyk.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh database, open."""
    async with await Database.open(database_url) as opened:
        yield opened


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """The jobs of a fresh database, with leases that end after no test."""
    return Jobs(database, lease_s=3600)


@pytest.fixture
def doomed(database: Database) -> Jobs:
    """The same jobs; what is claimed by this door counts as left by a dead worker at once."""
    return Jobs(database, lease_s=0)


@pytest.fixture
def arrivals(jobs: Jobs) -> Arrivals:
    """Adds jobs."""
    return Arrivals(jobs)
