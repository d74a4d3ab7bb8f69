"""The JavaScript runtime that YouTube wants is there, and is found by yt-dlp inside the cell."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.media import app
from uploader.sources import Sources


async def test_runtime_beside_our_python_is_found_whatever_the_path_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`.venv/bin/python run.py bot` does not put .venv/bin into PATH (yt-dlp/yt-dlp#15614)."""
    monkeypatch.setenv("PATH", "/nowhere")
    async with Sources((), "Peyk/test", work_dir=tmp_path) as sources:
        assert ["deno"] == [found.split()[0] for found in await sources.runtimes()][:1]


def test_media_status_says_what_runs_javascript(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An operator whose YouTube does not work looks there first."""
    monkeypatch.setenv("PEYK_DATA_DIR", str(tmp_path))
    said = CliRunner().invoke(app, ["status"])
    assert 0 == said.exit_code
    assert "JavaScript: deno 2." in said.output
