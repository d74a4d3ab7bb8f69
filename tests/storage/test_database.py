"""Opening, transactions and the clock, on both databases."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres_fixture import PostgresServer
from uploader.errors import ConfigError, StorageUnavailable
from uploader.storage.database import Database, Lock
from uploader.storage.settings import Settings
from uploader.storage.tables import settings


def mode_of(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


async def test_open_when_file_is_missing_then_folder_and_file_are_private(tmp_path: Path) -> None:
    """What people sent is nobody else's: folder 0700, all files 0600."""
    file = tmp_path / "new" / "peyk.db"
    async with await Database.open(f"sqlite:///{file}") as database:
        await Settings(database).set_maintenance(True)
        assert mode_of(file.parent) == 0o700
        modes = {path.name: mode_of(path) for path in file.parent.iterdir()}
    assert modes == {"peyk.db": 0o600, "peyk.db-wal": 0o600, "peyk.db-shm": 0o600}


async def test_open_when_folder_exists_then_its_mode_stays(tmp_path: Path) -> None:
    """A folder that the operator made is the operator's."""
    os.chmod(tmp_path, 0o755)  # noqa: PTH101 -- pathlib's is called blocking in a coroutine
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}"):
        assert mode_of(tmp_path) == 0o755


async def test_open_again_then_what_was_written_is_there(database_url: str) -> None:
    """A database outlives the process that made it."""
    async with await Database.open(database_url) as database:
        await Settings(database).set_maintenance(True)
    async with await Database.open(database_url) as database:
        assert await Settings(database).maintenance() is True


async def test_open_from_many_at_once_then_all_migrate_in_turn(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """Instances that start together on an empty database do not run the same migration twice."""
    for url in (f"sqlite:///{tmp_path / 'peyk.db'}", postgres_server.new_database("template0")):
        opened = await asyncio.gather(*(Database.open(url) for _ in range(4)))
        found = [await Settings(database).maintenance() for database in opened]
        for database in opened:
            await database.close()
        assert found == [False] * 4


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("peyk.db", "is not a URL"),
        ("postgresql://u:secret@host:port/name", "is not a URL"),
        ("mysql://u:secret@127.0.0.1/name", "neither SQLite nor PostgreSQL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
        ("sqlite:////dev/null/peyk.db", "File exists"),
        ("sqlite:////dev/null", "disk I/O error"),
        ("sqlite://data/peyk.db", "names a host"),
        ("sqlite+aiosqlite://u:secret@host/peyk.db", "names a host"),
        ("postgresql://u:secret@127.0.0.1:1/name?color=red", "color"),
    ],
)
async def test_open_when_url_cannot_be_used_then_config_error_names_key_and_fix(url: str, cause: str) -> None:
    """The operator reads the key, the cause and the fix, and never the password."""
    with pytest.raises(ConfigError) as caught:
        await Database.open(url)
    (problem,) = caught.value.problems
    assert problem.startswith("PEYK_DATABASE_URL")
    assert cause in problem
    assert problem.endswith("use sqlite:///path or postgresql://user:password@host/name")
    assert "secret" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:secret@127.0.0.1:1/name",
        "postgres://u:secret@127.0.0.1:1/name?sslmode=disable",
        "postgresql://u:secret@localhost:1/name",
        "postgresql://u:secret@nowhere.invalid/name",
    ],
)
async def test_open_when_server_is_away_then_its_address_is_told_and_not_how_to_write_one(url: str) -> None:
    """The settings are right: what helps is to start the server."""
    with pytest.raises(StorageUnavailable, match=r"u:\*\*\*@.*does not answer .*: start it") as caught:
        await Database.open(url)
    assert "secret" not in str(caught.value)


async def test_open_when_another_process_holds_the_lock_then_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup program that forgot its lock is no wrong setting."""
    monkeypatch.setattr("uploader.storage.database.OPEN_S", 1.5)
    file = tmp_path / "peyk.db"
    await (await Database.open(f"sqlite:///{file}")).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await Database.open(f"sqlite:///{file}")


async def test_open_when_file_is_no_database_then_config_error(tmp_path: Path) -> None:
    """A path to some other file is refused, and the file left alone."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database, " * 100)
    with pytest.raises(ConfigError, match="file is not a database"):
        await Database.open(f"sqlite:///{file}")
    assert file.read_text() == "not a database, " * 100


async def test_open_when_database_is_missing_on_server_then_config_error(
    postgres_server: PostgresServer,
) -> None:
    """What PostgreSQL says is passed on."""
    with pytest.raises(ConfigError, match='database "nowhere" does not exist'):
        await Database.open(postgres_server.url("nowhere"))


async def test_open_when_newer_peyk_wrote_it_then_config_error(database_url: str) -> None:
    """An older Peyk does not touch tables that it does not know."""
    async with await Database.open(database_url) as database, database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match=r"9999.*a newer Peyk has changed its tables"):
        await Database.open(database_url)


@pytest.mark.parametrize("is_cut", [True, False])
async def test_open_when_the_file_is_damaged_then_config_error_says_what_to_do(
    is_cut: bool, tmp_path: Path
) -> None:
    """Another address is no advice then."""
    path = tmp_path / "peyk.db"
    async with await Database.open(f"sqlite:///{path}"):
        pass
    path.write_bytes(path.read_bytes()[:20_000] if is_cut else b"no database" * 1000)
    with pytest.raises(ConfigError, match="damaged: put a backup back"):
        await Database.open(f"sqlite:///{path}")


async def test_write_when_it_raises_then_nothing_is_kept(database: Database) -> None:
    """A transaction is whole or not at all."""

    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(sa.insert(settings).values(key="k", value="1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await Settings(database).get("k") is None


async def test_write_when_cancelled_at_any_moment_then_the_next_one_goes_on(database: Database) -> None:
    """A task that is cancelled while it writes keeps no lock and no connection."""
    store = Settings(database)
    for moment in range(25):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(store.set("k", moment))
            await asyncio.sleep(moment * 0.0003)  # from "not begun" over all steps to "done"
            task.cancel()
    await store.set("k", "last")
    assert await store.get("k") == "last"


async def test_read_when_it_writes_then_refused(database: Database) -> None:
    """A read cannot change anything, on either database."""
    with pytest.raises((sa.exc.DBAPIError, StorageUnavailable), match=r"read-?only"):
        async with database.read() as connection:
            await connection.execute(sa.insert(settings).values(key="k", value="1"))
    await Settings(database).set("k", 2)
    assert await Settings(database).get("k") == 2


async def test_write_when_locked_for_too_long_then_storage_unavailable(tmp_path: Path) -> None:
    """Another program that holds SQLite's lock is waited for, but not for ever."""
    file = tmp_path / "peyk.db"
    async with await Database.open(f"sqlite:///{file}", answer_s=2.5) as database:
        with closing(sqlite3.connect(file)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="locked"):
                await Settings(database).set("k", 1)
            async with database.read():
                assert "locked" in (database.trouble() or "")
        await Settings(database).set("k", 2)
        assert await Settings(database).get("k") == 2
        assert database.trouble() is None


async def test_write_when_server_drops_the_connection_then_storage_unavailable(
    postgres_server: PostgresServer,
) -> None:
    """A connection that breaks fails its transaction; the next one gets a new connection."""

    async def fail(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(sa.insert(settings).values(key="k", value="1"))
            await connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    async with await Database.open(postgres_server.new_database()) as database:
        with pytest.raises(StorageUnavailable):
            await fail(database)
        assert await Settings(database).get("k") is None


async def test_write_when_server_is_gone_then_storage_unavailable(postgres_server: PostgresServer) -> None:
    """A database that cannot be reached any more is told apart from a bug."""
    url = postgres_server.new_database()
    async with await Database.open(url) as database:
        postgres_server.drop_database(url)
        with pytest.raises(StorageUnavailable):
            await Settings(database).set("k", 1)


async def test_read_when_another_writes_then_view_stays_the_same(database: Database) -> None:
    """All statements of one read see the same moment, and hold up no writer."""
    query = sa.select(sa.func.count()).select_from(settings)
    async with database.read() as connection:
        before = (await connection.execute(query)).scalar_one()
        await Settings(database).set("k", 1)
        after = (await connection.execute(query)).scalar_one()
    assert (before, after) == (0, 0)


async def test_alone_when_many_read_and_write_then_none_is_lost(database: Database) -> None:
    """Under the lock a read-modify-write is safe on both databases."""

    async def count_up() -> None:
        async with database.write() as connection:
            await database.alone(connection, Lock.QUEUE)
            old = (await connection.execute(sa.select(settings.c.value))).scalar_one()
            await connection.execute(sa.update(settings).values(value=str(int(old) + 1)))

    await Settings(database).set("k", 0)
    await asyncio.gather(*(count_up() for _ in range(20)))
    assert await Settings(database).get("k") == 20


async def test_now_on_either_database_is_that_of_the_given_clock(database_url: str) -> None:
    """Engines agree by Telegram's time; neither their machines' clocks count nor that of a server."""
    times = iter([1234.5, 1235.5])
    opening = Database.open(database_url, clock=lambda: next(times))
    async with await opening as database, database.read() as connection:
        seen = [await connection.scalar(sa.select(database.now())) for _ in range(2)]
    assert [1234.5, 1235.5] == seen
