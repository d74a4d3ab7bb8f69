"""From a URL to open engines: the one place that knows how SQLite and PostgreSQL are opened."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from uploader.errors import ConfigError, StorageUnavailable

#: The longest wait for another writer, a free connection, a connection and an answer, in seconds.
BUSY_S = 15
POOL_S = 30
CONNECT_S = 10
ANSWER_S = 30

READERS = 4
CONNECTIONS = 10

_FIX = "use sqlite:///path or postgresql://user:password@host/name"


@dataclass(frozen=True, slots=True)
class Engines:
    """Where to write and where to read. On PostgreSQL both share one pool."""

    writer: AsyncEngine
    reader: AsyncEngine


def from_url(text: str) -> Engines:
    """Return engines for `sqlite:///path` or `postgresql://...`; nothing is connected yet.

    A SQLite file that is not there yet is made with mode 0600, its folder with 0700.
    Raises ConfigError.
    """
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError([f"PEYK_DATABASE_URL is not a URL; {_FIX}"]) from None
    with opening(url):
        match url.get_backend_name():
            case "sqlite":
                return _sqlite(url.set(drivername="sqlite+aiosqlite"))
            case "postgresql" | "postgres":
                return _postgresql(url.set(drivername="postgresql+asyncpg"))
    raise ConfigError([f"PEYK_DATABASE_URL names neither SQLite nor PostgreSQL; {_FIX}"])


@contextmanager
def opening(url: sa.URL) -> Iterator[None]:
    """Turn the errors of opening a database into ConfigError, which names it without its password."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _unusable(url, error.orig or error) from error
    except (
        sa.exc.SQLAlchemyError,
        CommandError,  # migrations that this Peyk does not have
        OSError,
        TypeError,  # a parameter in the URL that the driver does not have
    ) as error:
        raise _unusable(url, error) from error


@contextmanager
def answering() -> Iterator[None]:
    """Turn the errors of a database that is away, or too busy, into StorageUnavailable."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        # asyncpg's errors that mean a bug in a statement or in data come as subclasses
        if error.connection_invalidated or type(error) in (sa.exc.DBAPIError, sa.exc.OperationalError):
            raise StorageUnavailable(str(error.orig)) from error
        raise
    except (sa.exc.TimeoutError, OSError) as error:
        raise StorageUnavailable(str(error)) from error


def _unusable(url: sa.URL, cause: BaseException) -> ConfigError:
    shown = url.set(query={}).render_as_string(hide_password=True)
    return ConfigError([f"PEYK_DATABASE_URL: {shown} cannot be used ({cause}); {_FIX}"])


def _sqlite(url: sa.URL) -> Engines:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError([f"PEYK_DATABASE_URL names no file, so nothing would last; {_FIX}"])
    if url.host or url.username:
        raise ConfigError([f"PEYK_DATABASE_URL names a host, and SQLite has none: mind the slashes; {_FIX}"])
    _make_private(Path(url.database))
    # one writer: SQLite has one anyway, and waiting for it here is fair and costs no busy loop
    writer = _sqlite_engine(
        url, 1, "BEGIN IMMEDIATE", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"
    )
    reader = _sqlite_engine(url, READERS, "BEGIN", "query_only=ON")
    return Engines(writer, reader)


def _sqlite_engine(url: sa.URL, pool_size: int, begin: str, *pragmas: str) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=POOL_S, connect_args={"timeout": BUSY_S}
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions of its own
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def start(connection: sa.Connection) -> None:
        # a deferred transaction that reads and then writes fails at once while another one writes
        connection.exec_driver_sql(begin)

    return engine


def _make_private(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        # two that turn a new file to WAL at once fail with "database is locked" without waiting
        fcntl.flock(folder, fcntl.LOCK_EX)
        # a file that is there is not opened here: closing it would drop the locks of SQLite in this process
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
    finally:
        os.close(folder)


def _postgresql(url: sa.URL) -> Engines:
    if "sslmode" in url.query:  # libpq's name for it, which hosters print; asyncpg takes the same values
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    writer = create_async_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_S,
        pool_pre_ping=True,
        connect_args={"timeout": CONNECT_S, "command_timeout": ANSWER_S},
    )
    # like SQLite's readers: one view for the whole transaction, and no write by mistake
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(writer, reader)
