"""Backups are taken while jobs move, and put back whole or not at all."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader import backup
from uploader.config import Config
from uploader.errors import BackupError, ConfigError
from uploader.model import JobState
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.leases import Leases


async def take(config: Config, folder: Path, keep: int = 7) -> Path:
    """A backup, as by the command: in a process of its own, here in a thread."""
    return await asyncio.to_thread(backup.take, config, folder, keep)


async def restore(config: Config, path: Path) -> str:
    """Put it back; where what was there lies."""
    return (await asyncio.to_thread(backup.restore, config, path))[1]


async def everything(config: Config) -> list[Any]:
    """All rows of all tables, and the bytes of the sessions."""
    rows: list[Any] = []
    async with await Database.open(config.database) as database, database.read() as connection:
        for table in tables.metadata.sorted_tables:
            found = await connection.execute(sa.select(table).order_by(*table.primary_key))
            rows += [(table.name, *row) for row in found]
    with sqlite3.connect(config.sessions_dir / "bot-77.session") as session:
        return [rows, list(session.iterdump())]


async def fill(config: Config, count: int) -> None:
    """Jobs in several states."""
    async with await Database.open(config.database) as database:
        jobs = Jobs(database)
        arrivals = Arrivals(jobs)
        for user_id in range(count):
            await arrivals.job(user_id)
        held = [await jobs.claim("w") for _ in range(3)]
        assert held[0] is not None
        assert held[1] is not None
        assert held[2] is not None
        await jobs.finish(held[0], 5)
        await jobs.reserve_random_id(held[1], 77)
        await jobs.release(held[1])
        await jobs.release(held[2])


async def test_backup_when_put_back_is_what_was_there_and_keeps_what_it_replaced(
    config: Config, tmp_path: Path
) -> None:
    """Every row and the login; what came after it lies aside, and nothing can be read in the file."""
    await fill(config, 5)
    before = await everything(config)
    path = await take(config, tmp_path / "backups")
    sealed = path.read_bytes()
    assert 0o600 == path.stat().st_mode & 0o777
    assert b"example.com" not in sealed
    assert b"SQLite format" not in sealed
    async with await Database.open(config.database) as database:
        await Jobs(database).cancel(4)
        await Arrivals(Jobs(database)).job(99)
    (config.sessions_dir / "bot-77.session").write_bytes(b"broken")
    aside = await restore(config, path)
    assert before == await everything(config)
    replaced = Path(aside.partition(",")[0])
    assert b"broken" == (replaced / "sessions" / "bot-77.session").read_bytes()
    if "schema" in aside:
        schema = aside.rpartition(" ")[2]
        async with await Database.open(config.database) as database, database.read() as connection:
            assert 6 == await connection.scalar(sa.text(f"SELECT count(*) FROM {schema}.jobs"))
    else:
        with sqlite3.connect(replaced / "peyk.db") as old:
            assert [(6,)] == old.execute("SELECT count(*) FROM jobs").fetchall()
    assert not (config.data_dir / ".peyk-backup").exists()
    # and once more on top of the first, where the next id must be free
    await restore(config, path)
    async with await Database.open(config.database) as database:
        assert before[0][4][1] < (await Arrivals(Jobs(database)).job(98)).id


async def test_restore_when_there_is_nothing_yet_fills_the_empty_place(
    config: Config, config_of: Callable[..., Config], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A new machine: no folders, no file, and on PostgreSQL a database without a table."""
    await fill(config, 3)
    config.secret_path.write_bytes(b"what opens the cookies")
    path = await take(config, tmp_path / "backups")
    new = {"data_dir": tmp_path / "new" / "data", "sessions_dir": tmp_path / "new" / "sessions"}
    if config.database_url.get_secret_value():
        new["database_url"] = request.getfixturevalue("postgres_server").new_database("template0")
    there = config_of(**new)
    await restore(there, path)
    assert await everything(config) == await everything(there)
    assert b"what opens the cookies" == there.secret_path.read_bytes()
    assert 0o600 == there.secret_path.stat().st_mode & 0o777


async def test_backup_when_taken_while_jobs_move_is_one_moment_and_goes_on(
    config: Config, tmp_path: Path
) -> None:
    """Workers claim and finish all the time; the copy has every job once, and its queue can be emptied."""
    count, lease_s = 60, 1.0
    async with await Database.open(config.database) as database:
        jobs = Jobs(database, lease_s=lease_s)
        arrivals = Arrivals(jobs)
        for user_id in range(count):
            await arrivals.job(user_id)

        async def work(name: str) -> None:
            while (job := await jobs.claim(name)) is not None:
                await jobs.reserve_random_id(job, job.id)
                await jobs.finish(job, job.id)

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(work(name))
            path = await take(config, tmp_path / "backups")
        assert count == (await jobs.counts())[JobState.DONE]
    await restore(config, path)
    async with await Database.open(config.database) as database:
        jobs = Jobs(database)
        counts = await jobs.counts()
        assert count == sum(counts.values())
        for _ in range(count - counts[JobState.DONE]):
            async with asyncio.timeout(10 * lease_s):
                while (job := await jobs.claim("next")) is None:  # noqa: ASYNC110 - a lease ends without a bell
                    await asyncio.sleep(0.05)
            await jobs.finish(job, 1)
        assert count == (await jobs.counts())[JobState.DONE]


async def test_restore_when_an_engine_works_on_the_database_refuses(config: Config, tmp_path: Path) -> None:
    """A lease that is alive says so; given back, the way is free."""
    await fill(config, 3)
    path = await take(config, tmp_path / "backups")
    async with await Database.open(config.database) as database:
        leases = Leases(database, "x")
        await leases.take("engine-x")
        before = await everything(config)
        with pytest.raises(BackupError, match="an engine works on this database"):
            await restore(config, path)
        assert before == await everything(config)
        await leases.give_back("engine-x")
    await restore(config, path)


@pytest.mark.parametrize("keep", [1, 2])
async def test_backup_when_there_are_enough_deletes_the_oldest_and_nothing_else(
    config_of: Callable[..., Config], tmp_path: Path, keep: int
) -> None:
    """Rotation by name; a stranger's file stays, and what a killed backup left is cleared away."""
    config, folder = config_of(), tmp_path / "backups"
    await (await Database.open(config.database)).close()
    left = folder / ".peyk-backup" / "content"
    left.mkdir(parents=True)
    (left / "database").write_bytes(b"not sealed yet")
    (folder / "holiday.jpg").write_bytes(b"x")
    made = [await take(config, folder, keep) for _ in range(3)]
    assert {*made[-keep:], folder / "holiday.jpg"} == set(folder.iterdir())


async def test_backup_when_no_secret_is_set_says_which_setting(
    config_of: Callable[..., Config], tmp_path: Path
) -> None:
    """Nothing leaves the house unsealed, and a short secret is none."""
    for secret in ("", "short"):
        with pytest.raises(ConfigError, match="PEYK_BACKUP_KEY"):
            await take(config_of(backup_key=secret), tmp_path / "backups")


async def test_backup_when_pg_dump_is_missing_says_what_to_install(
    config_of: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: Any
) -> None:
    """A clear sentence, no half backup, and no password in it."""
    config = config_of(database_url=postgres_server.new_database())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="pg_dump is not installed"):
        await take(config, tmp_path / "backups")
    assert [] == list((tmp_path / "backups").iterdir())


async def test_backup_when_pg_dump_needs_a_password_shows_it_to_nobody(
    config_of: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: Any
) -> None:
    """It gets no settings of ours, and finds the password in a file that its owner alone may read."""
    spy, told = tmp_path / "tools" / "pg_dump", tmp_path / "told"
    spy.parent.mkdir()
    spy.write_text(
        f'#!/bin/sh\n(env; echo "$@"; stat -c mode=%a "$PGPASSFILE"; cat "$PGPASSFILE") > {told}\n'
        f'exec {postgres_server.tools}/pg_dump "$@"\n'
    )
    spy.chmod(0o700)
    monkeypatch.setenv("PATH", f"{spy.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PEYK_BOT_TOKEN", "77:token")
    url = sa.make_url(postgres_server.new_database()).set(password="a:pass\\word")
    config = config_of(database_url=url.render_as_string(hide_password=False))
    async with await Database.open(config.database):
        pass
    await take(config, tmp_path / "backups")
    *seen, mode, line = told.read_text().splitlines()
    assert ("mode=600", "*:*:*:*:a\\:pass\\\\word") == (mode, line)
    assert [] == [each for each in seen if "pass\\word" in each or "token" in each]
