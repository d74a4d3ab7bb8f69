"""What an operator asks first when films do not come: what runs JavaScript, what yt-dlp says of a link."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.media import app
from tests.sources import sayer
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


@pytest.mark.parametrize(
    ("link", "status", "said"),
    [
        (sayer.link("Sign in to confirm you're not a bot"), 1, "robot: says.example: robot (ExtractorError)"),
        ("ftp://films.example/a.mp4", 1, "not-http"),
        ("http://127.0.0.1/page.html", 1, "private-address"),
    ],
)
def test_media_look_says_why_nothing_is_found(
    link: str, status: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the version that is in use, in the cell and behind the guard, as for a person."""
    monkeypatch.setenv("PEYK_DATA_DIR", str(tmp_path))
    sayer.install(tmp_path / "yt-dlp")
    looked = CliRunner().invoke(app, ["look", link])
    assert (status, True) == (looked.exit_code, said in looked.output)
