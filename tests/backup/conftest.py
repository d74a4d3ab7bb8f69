"""Settings of an engine that is not running, on both databases."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from telethon.sessions import SQLiteSession

from tests.postgres_fixture import PostgresServer, postgres_server
from uploader.config import Config

__all__ = ["postgres_server"]  # pytest finds fixtures by their names

SECRET = "a secret of the operator's"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a fresh database; empty for the SQLite file in the data folder."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    monkeypatch.setenv("PATH", f"{server.tools}{os.pathsep}{os.environ['PATH']}")
    return server.new_database()


@pytest.fixture
def config_of(tmp_path: Path) -> Callable[..., Config]:
    """Make settings with folders of this test."""

    def make(**changes: object) -> Config:
        values = {
            "api_id": 1,
            "api_hash": "h",
            "bot_token": "77:token",
            "data_dir": tmp_path / "data",
            "sessions_dir": tmp_path / "sessions",
            "backup_key": SECRET,
        }
        config = Config(**{**values, **changes})  # type: ignore[arg-type] # pydantic checks them
        config.make_folders()
        return config

    return make


@pytest.fixture
def config(config_of: Callable[..., Config], database_url: str) -> Config:
    """Settings of an engine with a login, on a fresh database."""
    config = config_of(database_url=database_url)
    session = SQLiteSession(str(config.sessions_dir / "bot-77.session"))
    session.set_dc(2, "127.0.0.1", 443)
    session.save()
    session.close()
    return config
