"""The files of logins, whatever a kill or a disk left of them."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from telethon.crypto import AuthKey

from uploader.config import Config
from uploader.telegram.sessions import KeptSession


def half_made(path: Path) -> None:
    """What a kill leaves between the tables and their first rows."""
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.execute("create table version (version integer primary key)")


def cut(path: Path) -> None:
    """What a full disk leaves."""
    path.write_bytes(path.read_bytes()[:5000])


def scribbled(path: Path) -> None:
    """No database at all, and a log of changes that belongs to none."""
    path.write_bytes(os.urandom(5000))
    path.with_name(f"{path.name}-journal").write_bytes(os.urandom(600))


@pytest.mark.parametrize("damage", [half_made, cut, scribbled])
def test_session_when_its_file_is_damaged_is_set_aside_and_made_anew(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    """Else each start would end with a traceback, until somebody deletes the file; a bot logs in anew."""
    values: dict[str, Any] = {"api_id": 1, "api_hash": "a", "bot_token": "7:a", "sessions_dir": tmp_path}
    config = Config(**values)
    path = tmp_path / "bot-7.session"
    kept = KeptSession.opened(config, path)
    kept.auth_key = AuthKey(bytes(range(256)))
    kept.save()
    kept.close()
    damage(path)
    for _ in range(2):
        opened = KeptSession.opened(config, path)
        assert opened.auth_key is None or not opened.auth_key.key
        opened.close()
    aside = tmp_path / "bot-7.session.damaged"
    assert [0o600] * 2 == [stat.S_IMODE(file.stat().st_mode) for file in (path, aside)]
    assert not path.with_name(f"{path.name}-journal").exists()
