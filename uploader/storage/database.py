"""The way in: transactions on SQLite or PostgreSQL, and the few words in which the two differ."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import IntEnum
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.storage import migrate
from uploader.storage.engines import Engines, answering, from_url, opening, rows_of
from uploader.storage.tables import Row


class Lock(IntEnum):
    """What only one transaction at a time may do. The numbers are PostgreSQL's advisory lock keys."""

    MIGRATE = 7_394_001
    QUEUE = 7_394_002  # claim jobs, or move many of them


class Database:
    """An open database. Transactions are short: nothing but the database is awaited inside one."""

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines = engines
        self._is_postgresql = engines.writer.dialect.name == "postgresql"
        # not PostgreSQL's now(): that is when the transaction began, perhaps long before it got its lock
        statement_began = sa.cast(sa.extract("epoch", sa.func.statement_timestamp()), sa.Double)
        looked_at = sa.bindparam("now", callable_=clock, type_=sa.Double)
        self._now: sa.ColumnElement[float] = statement_began if self._is_postgresql else looked_at

    @classmethod
    async def open(cls, url: str, *, clock: Callable[[], float] = time.time) -> Self:
        """Connect and lead the tables to the newest migration.

        `clock` gives seconds since the epoch; only SQLite uses it, PostgreSQL has its own.
        Raises ConfigError if the database cannot be used.
        """
        database = cls(from_url(url), clock)
        try:
            with opening(sa.make_url(url)):
                async with database._engines.writer.begin() as connection:
                    await database.alone(connection, Lock.MIGRATE)
                    await connection.run_sync(migrate.upgrade)
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
        with answering():
            async with self._engines.writer.begin() as connection:
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
        with answering():
            if self._engines.lane is not None:
                return await self._engines.lane.run(statement, parameters)
            engine = self._engines.single if lock is None else self._engines.writer
            async with engine.begin() as connection:
                if lock is not None:
                    await self.alone(connection, lock)
                return rows_of(await connection.execute(statement, parameters))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A view of the database at one moment, in which nothing can be written."""
        with answering():
            async with self._engines.reader.begin() as connection:
                yield connection

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
