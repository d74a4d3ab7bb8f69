"""yt-dlp, replaced: installed beside our own, tried, chosen in one step, and left when it breaks."""

import json
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.sources.films import web
from tests.sources.sites import HASTY, LOOPBACK
from uploader import limits
from uploader.errors import SourceError
from uploader.links import parse
from uploader.sources import Sources
from uploader.sources.media.canary import trouble
from uploader.sources.media.versions import CannotUpdate, Versions

BROKEN = "9999.1.1"


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


async def test_version_when_it_works_is_chosen_and_one_that_does_not_is_left(
    films: Path, tmp_path: Path
) -> None:
    """From a folder of wheels; children use the chosen one, and after many breaks the one before it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("yt-dlp", "yt-dlp-ejs"):
        wheel(wheels, name)
    options = ("--no-index", "--find-links", str(wheels))
    versions = Versions(tmp_path / "yt-dlp")
    assert versions.folder() is None
    good, folder = versions.install("", options)
    assert {"yt_dlp", "yt_dlp_ejs"} <= {path.name for path in folder.iterdir()}
    assert "" == await trouble(folder, (), tmp_path / "work")
    versions.choose(good)
    broken_wheel(wheels)
    newest, bad = versions.install(options=options)
    assert BROKEN == newest
    assert "child ended" in await trouble(bad, (), tmp_path / "work")
    async with (
        web(films) as there,
        Sources(
            LOOPBACK, "Peyk/test", patience=HASTY, work_dir=tmp_path / "work", versions=versions
        ) as sources,
    ):
        link = parse(there.url("/page.html"))
        assert "The Tone: a Film" == (await sources.look(link)).title
        versions.choose(BROKEN)
        with pytest.raises(SourceError):
            await sources.look(link)
        for _ in range(limits.MEDIA_FAILURES - 1):
            assert BROKEN == versions.chosen()
            versions.report(worked=False)
        assert (folder, [good]) == (versions.folder(), versions.kept())
        assert "The Tone: a Film" == (await sources.look(link)).title


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
