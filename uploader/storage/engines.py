"""From a URL to open engines: the one place that knows how SQLite and PostgreSQL are opened."""

import asyncio
import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from uploader.errors import ConfigError, StorageUnavailable
from uploader.storage.tables import Row

#: The longest wait for a transaction, with all that it waits for.
ANSWER_S = 10.0
#: SQLite holds a thread while it waits for another writer, and so does what waits for the thread: it is asked
#: again and again for no longer than this.
BUSY_S = 1.0
#: PostgreSQL may be down, and a new connection be had at once when it is up again.
CONNECT_S = 5

#: A connection that was not used for so long may have been dropped by the other side.
REST_S = 2.0

#: Threads for single reads, and connections for views of several.
READERS = 2
CONNECTIONS = 10

_NEWER = "a newer Peyk has changed its tables: start that one, or put a backup back (run.py restore)"
_DAMAGED = "the file is damaged: put a backup back (run.py restore), or move it away and begin with none"
_FIX = "use sqlite:///path or postgresql://user:password@host/name"


#: A connection opens the journal beside the file (-wal) when it first reads.
_TOUCH: Final = "SELECT count(*) FROM sqlite_master"


class Lane:
    """SQLite for single statements: threads of their own run each whole, from BEGIN to COMMIT.

    The asynchronous driver changes threads for every step of a transaction, nine times for one statement,
    which costs several times what SQLite does.
    """

    def __init__(self, engine: sa.Engine, threads: int) -> None:
        """`engine` has a connection for each of the `threads`."""
        self._engine = engine
        self._count = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sqlite")

    async def fill(self) -> None:
        """Open all connections."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._fill)

    async def run(self, statement: sa.Executable, parameters: Mapping[str, Any] | None) -> list[Row]:
        """Run one statement; returns its rows. A cancel comes too late for what has begun."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, statement, parameters)

    async def close(self) -> None:
        """End the threads, and close their connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()

    def _fill(self) -> None:
        with ExitStack() as opened:
            for _ in range(self._count):
                opened.enter_context(self._engine.connect()).exec_driver_sql(_TOUCH)

    def _run(self, statement: sa.Executable, parameters: Mapping[str, Any] | None) -> list[Row]:
        with self._engine.begin() as connection:
            return rows_of(connection.execute(statement, parameters))


def rows_of(result: sa.CursorResult[*tuple[Any, ...]]) -> list[Row]:
    """All rows of a result; none of a statement that gives none."""
    return list(result) if result.returns_rows else []


@dataclass(frozen=True, slots=True)
class Engines:
    """Where to write and where to read. On PostgreSQL both share one pool, and there are no lanes."""

    writer: AsyncEngine
    reader: AsyncEngine
    single: AsyncEngine  # each statement is a transaction of its own
    writing: Lane | None = None
    reading: Lane | None = None

    async def fill(self) -> None:
        """Open all connections to SQLite now: later there may be no descriptor left for them."""
        lanes = self._lanes()
        for lane in lanes:
            await lane.fill()
        async with AsyncExitStack() as opened:
            for engine in (self.writer, *[self.reader] * READERS) if lanes else ():
                connection = await opened.enter_async_context(engine.connect())
                await connection.exec_driver_sql(_TOUCH)

    async def close(self) -> None:
        """Close all connections; nothing may be under way."""
        for lane in self._lanes():
            await lane.close()
        await self.writer.dispose()
        await self.reader.dispose()

    def _lanes(self) -> list[Lane]:
        return [lane for lane in (self.writing, self.reading) if lane is not None]


def from_url(text: str) -> Engines:
    """Return engines for `sqlite:///path` or `postgresql://...`; nothing is connected yet.

    A SQLite file that is not there yet is made with mode 0600, its folder with 0700.
    Raises ConfigError.
    """
    url = url_of(text)
    with opening(url):
        if url.get_backend_name() == "sqlite":
            return _sqlite(url.set(drivername="sqlite+aiosqlite"))
        return _postgresql(url.set(drivername="postgresql+asyncpg"))


def url_of(text: str) -> sa.URL:
    """Return the URL of a database that we can use, whether it is there or not. Raises ConfigError."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError([f"PEYK_DATABASE_URL is not a URL; {_FIX}"]) from None
    if url.get_backend_name() not in {"sqlite", "postgresql", "postgres"}:
        raise ConfigError([f"PEYK_DATABASE_URL names neither SQLite nor PostgreSQL; {_FIX}"])
    return url


@contextmanager
def opening(url: sa.URL) -> Iterator[None]:
    """Turn the errors of opening a database into ours, which name it without its password.

    Raises:
        ConfigError: it cannot be used
        StorageUnavailable: it may be later, as it is
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        if is_busy(error):
            raise _away(url, "another process holds its lock") from error
        raise _unusable(url, error.orig or error, _advice(error)) from error
    except (TimeoutError, ConnectionError, socket.gaierror, *_NOT_YET) as error:
        raise _away(url, str(error) or "no answer in time") from error
    except CommandError as error:  # migrations that this Peyk does not have
        raise _unusable(url, error, _NEWER) from error
    except (
        sa.exc.SQLAlchemyError,
        OSError,
        TypeError,  # a parameter in the URL that the driver does not have
    ) as error:
        # asyncpg tries all addresses of a host, and asyncio puts their failures into a plain OSError
        is_away = url.get_backend_name() != "sqlite" and isinstance(error, OSError)
        raise (_away(url, str(error)) if is_away else _unusable(url, error)) from error


#: A server that starts, stops, or has too many guests.
_NOT_YET = (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)

#: Bugs in a statement or in data; all other errors of drivers are a database that cannot do it now.
_BUGS = (sa.exc.ProgrammingError, sa.exc.IntegrityError, sa.exc.DataError, sa.exc.NotSupportedError)


@contextmanager
def answering() -> Iterator[None]:
    """Turn the errors of a database that is away, or too busy, into StorageUnavailable."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if isinstance(error, _BUGS) and not error.connection_invalidated:
            raise
        raise StorageUnavailable(str(error.orig) or type(error.orig).__name__) from error
    except TimeoutError as error:
        raise StorageUnavailable("no answer in time") from error
    except (
        sa.exc.TimeoutError,
        sa.exc.PendingRollbackError,  # its connection broke before
        sa.exc.ResourceClosedError,
        asyncpg.PostgresError,  # while a connection is made, the drivers' own
        asyncpg.InterfaceError,
        sqlite3.Error,
        OSError,
    ) as error:
        raise StorageUnavailable(str(error) or type(error).__name__) from error


def is_busy(error: sa.exc.DBAPIError) -> bool:
    """Whether another process writes to the SQLite file: nothing was done, and may be tried again."""
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _unusable(url: sa.URL, cause: BaseException, advice: str = _FIX) -> ConfigError:
    return ConfigError([f"PEYK_DATABASE_URL: {_shown(url)} cannot be used ({cause}); {advice}"])


def _advice(error: sa.exc.DBAPIError) -> str:
    """What to do about a database that cannot be used."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return _DAMAGED if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} else _FIX


def _away(url: sa.URL, cause: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"the database {_shown(url)} does not answer ({cause}): start it, or see PEYK_DATABASE_URL"
    )


def _shown(url: sa.URL) -> str:
    return url.set(query={}).render_as_string(hide_password=True)


def _sqlite(url: sa.URL) -> Engines:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError([f"PEYK_DATABASE_URL names no file, so nothing would last; {_FIX}"])
    if url.host or url.username:
        raise ConfigError([f"PEYK_DATABASE_URL names a host, and SQLite has none: mind the slashes; {_FIX}"])
    _make_private(Path(url.database))
    # one writer: SQLite has one anyway, and waiting for it here is fair and costs no busy loop
    writing = ("BEGIN IMMEDIATE", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
    reading = ("BEGIN", "query_only=ON")
    writer, reader = _sqlite_engine(url, 1), _sqlite_engine(url, READERS)
    _prepare(writer.sync_engine, *writing)
    _prepare(reader.sync_engine, *reading)
    return Engines(writer, reader, writer, _lane(url, 1, *writing), _lane(url, READERS, *reading))


def _lane(url: sa.URL, threads: int, *prepared: str) -> Lane:
    plain = url.set(drivername="sqlite")
    engine = sa.create_engine(plain, pool_size=threads, max_overflow=0, connect_args={"timeout": BUSY_S})
    _prepare(engine, *prepared)
    return Lane(engine, threads)


def _sqlite_engine(url: sa.URL, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=ANSWER_S, connect_args={"timeout": BUSY_S}
    )


def _prepare(engine: sa.Engine, begin: str, *pragmas: str) -> None:
    """Set each new connection up, and let transactions begin with `begin`."""

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions of its own
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        # a deferred transaction that reads and then writes fails at once while another one writes
        connection.exec_driver_sql(begin)


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
        pool_timeout=ANSWER_S,
        connect_args={"timeout": CONNECT_S, "command_timeout": ANSWER_S},
    )
    _ping_after_rest(writer.sync_engine)
    # like SQLite's readers: one view for the whole transaction, and no write by mistake
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    single = writer.execution_options(isolation_level="AUTOCOMMIT")
    return Engines(writer, reader, single)


def _ping_after_rest(engine: sa.Engine) -> None:
    """Try a connection that has rested before it is used, and take a new one if it is broken.

    SQLAlchemy's own `pool_pre_ping` tries each time, which takes longer than most of what we ask.
    """

    @sa.event.listens_for(engine, "checkin")
    def note(_: object, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @sa.event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _: object) -> None:
        if monotonic() - record.info.get("rests_since", monotonic()) < REST_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error
