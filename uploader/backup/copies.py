"""Copies of a database that is in use, and putting one in the place of another.

SQLite by its online backup, https://www.sqlite.org/backup.html; PostgreSQL by its own pg_dump and pg_restore.
"""

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import sqlalchemy as sa

from uploader.errors import BackupError, ConfigError, StorageUnavailable
from uploader.storage import tallies
from uploader.storage.engines import answering, from_url
from uploader.storage.tables import metadata

#: The longest wait for another writer, and for pg_dump or pg_restore, in seconds.
_BUSY_S: Final = 30.0
_TOOL_S: Final = 3600.0
_TABLES: Final = (*metadata.tables, "alembic_version")

_BUSY: Final = (
    "SELECT name FROM leases WHERE until > {now} "
    "UNION SELECT worker FROM jobs WHERE state = 'running' AND lease_until > {now} ORDER BY 1"
)
_REVISION: Final = "SELECT version_num FROM alembic_version"


def kind_of(url: str) -> str:
    """Return "sqlite" or "postgresql"."""
    return "sqlite" if sa.make_url(url).get_backend_name() == "sqlite" else "postgresql"


def file_of(url: str) -> Path:
    """Return the file of a SQLite database."""
    return Path(sa.make_url(url).database or "")


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, while others write it. Raises BackupError."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"file:{source.absolute()}?mode=ro", uri=True, timeout=_BUSY_S)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            # one plain file, without a log of changes beside it
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source.name} cannot be copied: {error}") from error


def check_sqlite(path: Path) -> None:
    """Raise BackupError unless the file is a whole SQLite database."""
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as database:
            ((answer,),) = database.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        raise BackupError(f"{path.name} in the backup is no database: {error}") from error
    if answer != "ok":
        raise BackupError(f"{path.name} in the backup is damaged: {answer}")


def revision_of(url: str) -> str:
    """Return the number of the last migration that a database has had. Raises BackupError."""
    ((revision,),) = ask(url, [_REVISION])
    return revision


def users_of(url: str) -> list[str]:
    """Return who works on the database now; nobody, if there is none or it cannot be used."""
    clock = "extract(epoch FROM statement_timestamp())"
    now = clock if kind_of(url) == "postgresql" else repr(time.time())
    if kind_of(url) == "postgresql":
        ((is_ours,),) = ask(url, ["SELECT to_regclass('leases') IS NOT NULL"])
        return [row[0] for row in ask(url, [_BUSY.format(now=now)])] if is_ours else []
    if not file_of(url).exists():
        return []
    try:
        return [row[0] for row in ask(url, [_BUSY.format(now=now)])]
    except BackupError:
        return []  # a damaged one is what backups are for


def ask(url: str, statements: Sequence[str]) -> list[tuple[str, ...]]:
    """Run statements as one transaction; returns the rows of the last. Raises BackupError."""

    async def run() -> list[tuple[str, ...]]:
        engines = from_url(url)
        rows: list[tuple[str, ...]] = []
        try:
            with answering():
                async with engines.writer.begin() as connection:
                    for statement in statements:
                        result = await connection.exec_driver_sql(statement)
                        rows = [tuple(row) for row in result] if result.returns_rows else []
        finally:
            await engines.close()
        return rows

    try:
        return asyncio.run(run())
    except (sa.exc.SQLAlchemyError, StorageUnavailable, ConfigError) as error:
        raise BackupError(f"the database cannot be asked: {error}") from error


def dump_postgresql(url: str, target: Path) -> None:
    """Write Peyk's tables of a PostgreSQL database, as they are at one moment. Raises BackupError."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
    tables = [f"--table={name}" for name in _TABLES]
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", *tables, f"--file={target}"], url)


def check_postgresql(dump: Path, url: str) -> None:
    """Raise BackupError unless pg_restore can read the file."""
    _run(["pg_restore", "--list", f"--file={os.devnull}", str(dump)], url)


def restore_postgresql(dump: Path, url: str, aside: str) -> None:
    """Put the tables of a dump in the place of Peyk's, which go into the new schema `aside`.

    Raises BackupError; then everything is as it was.
    """
    found = ask(url, ["SELECT schemaname, tablename FROM pg_tables WHERE schemaname = current_schema()"])
    tables = [name for _, name in found if name in _TABLES]
    ((schema,),) = ask(url, ["SELECT current_schema()"])
    moves = (f'ALTER TABLE "{name}" SET SCHEMA {aside}' for name in tables)
    ask(url, [f"CREATE SCHEMA {aside}", *moves, *tallies.functions()])
    name = sa.make_url(url).database or ""
    command = ["pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    try:
        _run([*command, f"--dbname={name}", str(dump)], url)
    except BackupError:
        back = (f'ALTER TABLE {aside}."{name}" SET SCHEMA "{schema}"' for name in tables)
        ask(url, [*back, f"DROP SCHEMA {aside}"])
        raise


def _run(command: Sequence[str], url: str) -> None:
    try:
        with NamedTemporaryFile("w", prefix="peyk-", encoding="utf-8") as passwords:  # for its owner alone
            passwords.write(_password_line(url))
            passwords.flush()
            subprocess.run(  # noqa: S603 - a fixed program with our own arguments
                command,
                env={**_environment(url), "PGPASSFILE": passwords.name},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TOOL_S,
                check=True,
            )
    except FileNotFoundError:
        raise BackupError(
            f"{command[0]} is not installed: take the package postgresql-client of the server's version"
        ) from None
    except subprocess.TimeoutExpired:
        raise BackupError(f"{command[0]} did not end within {_TOOL_S:.0f} s") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[-500:]
        raise BackupError(f"{command[0]} failed: {said}") from None


def _environment(url: str) -> Mapping[str, str]:
    """The URL in the words of libpq, without its password, and where things are; nothing else of ours."""
    parts = sa.make_url(url)
    query = {key: value for key, value in parts.query.items() if isinstance(value, str)}
    given = {
        "PGHOST": parts.host or query.get("host"),
        "PGPORT": str(parts.port) if parts.port else query.get("port"),
        "PGUSER": parts.username,
        "PGDATABASE": parts.database,
        "PGSSLMODE": query.get("sslmode") or query.get("ssl"),
    }
    here = {name: os.environ.get(name) for name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {key: value for key, value in {**here, **given}.items() if value}


def _password_line(url: str) -> str:
    """The password for any server: https://www.postgresql.org/docs/current/libpq-pgpass.html"""
    password = str(sa.make_url(url).password or "")
    return "*:*:*:*:" + password.replace("\\", "\\\\").replace(":", "\\:") + "\n" if password else ""
