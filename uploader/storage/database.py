"""The way in: transactions on SQLite or PostgreSQL, and the few words in which the two differ."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from enum import IntEnum
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.errors import StorageUnavailable
from uploader.storage import migrate
from uploader.storage.engines import ANSWER_S, Engines, answering, from_url, is_busy, opening, rows_of
from uploader.storage.pulse import Pulse
from uploader.storage.tables import Row

#: Another engine may be leading the tables to a new migration.
OPEN_S = 30.0

_T = TypeVar("_T")


class Lock(IntEnum):
    """What only one transaction at a time may do. The numbers are PostgreSQL's advisory lock keys."""

    MIGRATE = 7_394_001
    QUEUE = 7_394_002  # claim jobs, or move many of them


class Database:
    """An open database. Transactions are short: nothing but the database is awaited inside one."""

    def __init__(self, engines: Engines, clock: Callable[[], float], answer_s: float = ANSWER_S) -> None:
        self._engines = engines
        self._answer_s = answer_s
        self._writes, self._reads = Pulse("writes to the database"), Pulse("reads of the database")
        self._is_postgresql = engines.writer.dialect.name == "postgresql"
        self._now: sa.ColumnElement[float] = sa.bindparam("now", callable_=clock, type_=sa.Double)

    @classmethod
    async def open(
        cls, url: str, *, clock: Callable[[], float] = time.time, answer_s: float = ANSWER_S
    ) -> Self:
        """Connect and lead the tables to the newest migration.

        `clock` gives seconds since the epoch, and agrees with those of all others on the database. A
        transaction that has no answer within `answer_s` has failed.
        Raises ConfigError if the database cannot be used, StorageUnavailable if it does not answer now.
        """
        database = cls(from_url(url), clock, answer_s)
        try:
            with opening(sa.make_url(url)):
                async with asyncio.timeout(OPEN_S), database._writing() as connection:
                    await database.alone(connection, Lock.MIGRATE)
                    await connection.run_sync(migrate.upgrade)
                await database._engines.fill()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close all connections; nothing may be under way."""
        await self._engines.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end and rolled back on an error.

        Raises StorageUnavailable if the database does not answer, as `read` does.
        """
        async with self._answered(self._writes), self._writing() as connection:
            yield connection

    async def once(
        self,
        statement: sa.Executable,
        parameters: Mapping[str, Any] | None = None,
        *,
        lock: Lock | None = None,
    ) -> list[Row]:
        """Run one statement as a transaction of its own, under `lock`; returns its rows.

        The same as `write` with nothing else in it, and much cheaper. Raises StorageUnavailable as well; a
        task that is cancelled meanwhile does not know whether it was done.
        """
        async with self._answered(self._writes):
            if (lane := self._engines.writing) is not None:
                return await self._patiently(lambda: lane.run(statement, parameters))
            engine = self._engines.single if lock is None else self._engines.writer
            async with engine.begin() as connection:
                if lock is not None:
                    await self.alone(connection, lock)
                return rows_of(await connection.execute(statement, parameters))

    async def select(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Row]:
        """Return what one statement reads.

        The same as `read` with nothing else in it, and much cheaper. Raises StorageUnavailable as well.
        """
        async with self._answered(self._reads):
            if (lane := self._engines.reading) is not None:
                return await lane.run(statement, None)
            async with self._engines.single.connect() as connection:
                return rows_of(await connection.execute(statement))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A view of the database at one moment, in which nothing can be written."""
        async with self._answered(self._reads), self._engines.reader.begin() as connection:
            yield connection

    def trouble(self) -> str | None:
        """Why the database does not answer at present; None: it does, as far as anybody asked."""
        return self._writes.trouble() or self._reads.trouble()

    @asynccontextmanager
    async def _answered(self, pulse: Pulse) -> AsyncIterator[None]:
        """One transaction, within its time."""
        with pulse.transaction(), answering():
            try:
                async with asyncio.timeout(self._answer_s):
                    yield
            except TimeoutError:
                cause = pulse.cause or "no answer"
                raise StorageUnavailable(f"{cause}, for {self._answer_s:g} s") from None

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as exits:
            begin = self._engines.writer.begin
            yield await self._patiently(lambda: exits.enter_async_context(begin()))

    async def _patiently(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Try again for as long as another process writes to the file; the caller bounds that."""
        while True:
            try:
                return await attempt()
            except sa.exc.OperationalError as error:
                if not is_busy(error):
                    raise
                self._writes.missed(str(error.orig))

    def now(self) -> sa.ColumnElement[float]:
        """The time at which a statement runs, in seconds since the epoch, by the clock that all share."""
        return self._now

    def insert(self, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table) if self._is_postgresql else sqlite.insert(table)

    async def alone(self, connection: AsyncConnection, lock: Lock) -> None:
        """Wait until no other transaction holds `lock`; it is given back when this one ends."""
        if self._is_postgresql:  # SQLite has one writer at a time in any case
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock.value)))
