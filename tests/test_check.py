"""`run.py check`: what an operator got wrong is told, with what to do about it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).parents[1] / "run.py"
SETTINGS = {
    "PEYK_API_ID": "1",
    "PEYK_API_HASH": "0123456789abcdef0123456789abcdef",
    "PEYK_BOT_TOKEN": "123456789:AAEabcdefghijklmnopqrstuvwxyz01234",
    "PEYK_ADMINS": "5",
}


def check(folder: Path, **settings: str) -> tuple[int, str]:
    """The exit status and all that is said, in a folder of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PEYK_")}
    ran = subprocess.run(
        [sys.executable, str(RUN), "check"],
        cwd=folder,
        env={**clean, **SETTINGS, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_check_when_keys_mean_nothing_names_those_that_are_meant(tmp_path: Path) -> None:
    """In the environment, in `.env` and in `peyk.toml`: a wrong letter, and what is far from all."""
    (tmp_path / ".env").write_text("PEYK_LINKS_PER_MINUT=3\nOTHER=1\n")
    (tmp_path / "peyk.toml").write_text("queue_job = 5\n")
    status, said = check(tmp_path, PEYK_DATABASE_URI="sqlite:///x.db", PEYK_COLOUR="red")
    assert 2 == status
    for key, place, meant in (
        ("PEYK_DATABASE_URI", "the environment", "is PEYK_DATABASE_URL meant?"),
        ("PEYK_COLOUR", "the environment", "see docs/CONFIGURATION.md"),
        ("PEYK_LINKS_PER_MINUT", ".env", "is PEYK_LINKS_PER_MINUTE meant?"),
        ("PEYK_queue_job", "peyk.toml", "is PEYK_QUEUE_JOBS meant?"),
    ):
        assert f"{key} in {place} is no setting of Peyk's: {meant}" in said
    assert "OTHER" not in said
    assert "sqlite:///x.db" not in said


@pytest.mark.parametrize("url", ["mysql://peyk:hunter2@host/name", "peyk.db", "postgres"])
def test_check_when_the_database_cannot_be_used_says_so_without_its_password(
    url: str, tmp_path: Path
) -> None:
    """Before an engine finds out."""
    status, said = check(tmp_path, PEYK_DATABASE_URL=url)
    assert (2, True) == (status, "PEYK_DATABASE_URL" in said)
    assert "use sqlite:///path or postgresql://" in said
    assert "hunter2" not in said


def test_check_when_all_is_well_shows_the_settings(tmp_path: Path) -> None:
    """And nothing was made."""
    (tmp_path / ".env").write_text("peyk_queue_jobs=7\n")
    status, said = check(tmp_path)
    assert (0, True) == (status, "PEYK_QUEUE_JOBS = 7" in said)
    assert [".env"] == [path.name for path in tmp_path.iterdir()]


async def test_sandbox_when_all_that_it_says_is_pasted_serves_a_bot(tmp_path: Path) -> None:
    """Into `.env`, with nothing added and nothing taken out: it passes the check, and the bot serves."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PEYK_")}
    pipes: dict[str, Any] = {"cwd": tmp_path, "env": clean, "stdout": asyncio.subprocess.PIPE}
    centre = await asyncio.create_subprocess_exec(sys.executable, str(RUN), "sandbox", **pipes)
    bot = None
    try:
        assert centre.stdout is not None
        async with asyncio.timeout(60):
            said = await centre.stdout.readuntil(b"control port")
            said += await centre.stdout.readline()
            (tmp_path / ".env").write_bytes(said)
            stderr = asyncio.subprocess.STDOUT
            checked = await asyncio.create_subprocess_exec(
                sys.executable, str(RUN), "check", **pipes, stderr=stderr
            )
            told, _ = await checked.communicate()
            assert (0, False) == (checked.returncode, b"could not parse" in told), told
            assert b"127.0.0.0/8" in told
            bot = await asyncio.create_subprocess_exec(
                sys.executable, str(RUN), "bot", **pipes, stderr=stderr
            )
            assert bot.stdout is not None
            while b"hearing the updates" not in (line := await bot.stdout.readline()):
                assert line, "the bot ended"
    finally:
        for process in (bot, centre):
            if process is not None and process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.communicate()
