"""yt-dlp, replaced: installed beside our own, tried, chosen in one step, and left when it breaks."""

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.media import app
from tests.sources.films import web
from tests.sources.sites import HASTY, LOOPBACK
from uploader import limits
from uploader.errors import SourceError
from uploader.links import parse
from uploader.sources import Sources
from uploader.sources.media.chooser import Chooser
from uploader.sources.media.process import Cells
from uploader.sources.media.versions import CannotUpdate, Versions, javascript_runtime
from uploader.sources.media.workshop import Workshop

RUN = Path(__file__).parents[2] / "run.py"
BROKEN = "9999.1.1"
#: As much of yt-dlp as the chooser asks for, and one extractor.
NEWER = """
from types import SimpleNamespace
globals = SimpleNamespace(plugin_dirs=SimpleNamespace(value=[]))
class New:
    IE_NAME, _VALID_URL = "brand-new", r"https://brand\\.example/"
    suitable = staticmethod(lambda url: url.startswith("https://brand.example/"))
class YoutubeDL:
    def __init__(self, params, auto_init):
        pass
    def add_default_info_extractors(self):
        self.add_info_extractor(New)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
"""


def wheel(folder: Path, name: str) -> None:
    """A wheel of what is installed under that name."""
    installed = distribution(name)
    path = folder / f"{name.replace('-', '_')}-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for file in installed.files or ():
            if not file.parts[0].startswith("..") and file.suffix != ".pyc":
                packed.write(str(file.locate()), str(file))


def broken_wheel(folder: Path) -> None:
    """A newer yt-dlp that cannot even be imported."""
    with zipfile.ZipFile(folder / f"yt_dlp-{BROKEN}-py3-none-any.whl", "w") as packed:
        info = f"yt_dlp-{BROKEN}.dist-info"
        packed.writestr("yt_dlp/__init__.py", "raise ImportError('broken')\n")
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: yt-dlp\nVersion: {BROKEN}\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", f"yt_dlp/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n")


def fake(folder: Path, code: str) -> None:
    """A yt-dlp of a few lines."""
    (folder / "yt_dlp").mkdir(parents=True)
    (folder / "yt_dlp" / "__init__.py").write_text(code)


def media(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit status of `run.py media ...` where the data folder is `folder`, and all that it said."""
    ran = subprocess.run(
        [sys.executable, str(RUN), "media", *arguments],
        env={**os.environ, "PEYK_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


async def test_version_when_it_works_is_chosen_and_one_that_does_not_is_left(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command, from a folder of wheels; children use it, and after many breaks the one before it."""
    monkeypatch.setattr(limits, "MEDIA_FAILURES", 4)
    wheels, data = tmp_path / "wheels", tmp_path / "data"
    wheels.mkdir()
    for name in ("yt-dlp", "yt-dlp-ejs"):
        wheel(wheels, name)
    update = ("update", "--find-links", str(wheels))
    versions = Versions(data / "yt-dlp")
    assert versions.folder() is None
    status, said = await asyncio.to_thread(media, data, *update)
    assert (0, True) == (status, "is used from now on (tried on a page of our own" in said)
    folder, good = versions.folder(), versions.chosen()
    assert folder is not None
    assert {"yt_dlp", "yt_dlp_ejs"} <= {path.name for path in folder.iterdir()}
    broken_wheel(wheels)
    status, said = await asyncio.to_thread(media, data, *update)
    assert (1, True) == (status, f"yt-dlp {BROKEN} does not work here; {good} is used as before" in said)
    assert ([good], False) == (versions.kept(), (versions.root / BROKEN).exists())
    fake(versions.root / BROKEN, "raise ImportError('broken')")
    async with (
        web(films) as there,
        Sources(LOOPBACK, "Peyk/test", patience=HASTY, work_dir=data / "work", versions=versions) as sources,
    ):
        link = parse(there.url("/page.html"))
        assert "The Tone: a Film" == (await sources.look(link)).title
        versions.choose(BROKEN)
        for _ in range(limits.MEDIA_FAILURES // 2):  # each link is tried twice
            assert (BROKEN, None) == (versions.chosen(), versions.left())
            with pytest.raises(SourceError):
                await sources.look(link)
        assert (folder, [good], BROKEN, None) == (
            versions.folder(),
            versions.kept(),
            versions.left(),
            versions.left(),
        )
        assert "The Tone: a Film" == (await sources.look(link)).title


def test_update_when_the_settings_name_canaries_tries_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the second of them nothing may be looked for: the version is not used."""
    own = Path(str(distribution("yt-dlp").locate_file("")))
    monkeypatch.setattr(Versions, "install", lambda *_: ("9.9", own))
    monkeypatch.setenv("PEYK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PEYK_MEDIA_CANARIES", " http://10.0.0.1/film.html\thttp://10.0.0.2/film.html ")
    ran = CliRunner().invoke(app, ["update"])
    assert (1, True) == (ran.exit_code, "private-address: 10.0.0.1" in ran.output)
    assert Versions(tmp_path / "yt-dlp").chosen() is None


async def test_patterns_are_those_of_the_version_that_is_used(tmp_path: Path) -> None:
    """A site that only the new version knows; the child that answered before is replaced."""
    link = parse("https://brand.example/new")
    versions = Versions(tmp_path / "yt-dlp")
    fake(versions.root / "9.9", NEWER)
    async with Workshop(tmp_path / "work") as workshop, Chooser(Cells(), workshop, versions) as chooser:
        assert "generic" == await chooser.choose(link)
        versions.choose("9.9")
        assert "brand-new" == await chooser.choose(link)
        versions.fall_back()
        assert "generic" == await chooser.choose(link)


def test_version_when_it_cannot_be_had_changes_nothing(tmp_path: Path) -> None:
    """No such version, or what is no version."""
    versions = Versions(tmp_path)
    for wanted in ("1.0", "--index-url=x", "../1"):
        with pytest.raises(CannotUpdate):
            versions.install(wanted, ("--no-index", "--find-links", str(tmp_path)))
    assert [] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("content", ["", "{", "[1]", '["../x", "2020.1.1"]', "{}"])
def test_choice_when_it_is_damaged_is_our_own_version(content: str, tmp_path: Path) -> None:
    """And what was deleted is not chosen; at most a few are kept."""
    (tmp_path / "chosen.json").write_text(content)
    versions = Versions(tmp_path)
    assert versions.folder() is None
    for number in range(5):
        (tmp_path / f"{number}.0" / "yt_dlp").mkdir(parents=True)
        versions.choose(f"{number}.0")
    assert ["4.0", "3.0", "2.0"] == json.loads((tmp_path / "chosen.json").read_text())
    assert "3.0" == versions.fall_back()


@pytest.mark.parametrize(
    ("looks", "leaves"),
    [
        ([("youtube", "odd")] * 99, False),
        ([("youtube", str(n)) for n in range(99)], False),
        ([("youtube", str(n)) for n in range(99)] + [("vimeo", "x")], True),
        ([("youtube", "odd"), ("vimeo", "odd")] * 99, False),
        ([(f"site{n % 2}", str(n)) for n in range(limits.MEDIA_FAILURES - 1)], False),
        ([(f"site{n % 2}", str(n)) for n in range(limits.MEDIA_FAILURES)], True),
        ([("", "")] * limits.MEDIA_FAILURES, True),
    ],
    ids=["one-link", "one-family", "two-families", "two-links", "nine", "ten", "dead"],
)
def test_version_is_left_when_links_of_several_families_break_it(
    looks: list[tuple[str, str]], leaves: bool, tmp_path: Path
) -> None:
    """Ten people with one odd link each, or one family whose site has changed, do not undo an update."""
    (tmp_path / "2.0" / "yt_dlp").mkdir(parents=True)
    versions = Versions(tmp_path)
    versions.choose("2.0")
    for family, link in looks:
        versions.broke(family, link)
    assert (None if leaves else "2.0") == versions.chosen()
    assert ("2.0" if leaves else None) == versions.left()


def test_javascript_runtime_beside_our_python_is_found_and_nothing_is_told_of_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the PATH says; without one the engine says so at its start."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(Path(sys.executable).with_name("deno")) == javascript_runtime()
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert "" == javascript_runtime()
