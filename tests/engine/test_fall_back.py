"""A yt-dlp that was fine when it was tried, and breaks: the engine leaves it by itself, and says so."""

import pytest

from tests.engine.conftest import Scene
from uploader import limits
from uploader.sources.media.versions import Versions


async def test_admins_when_a_version_breaks_are_told_and_people_get_their_files(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link that met the broken version is brought by the one before it."""
    monkeypatch.setattr(limits, "MEDIA_FAILURES", 1)
    monkeypatch.setattr("uploader.service.WATCH_S", 0.05)
    broken = scene.folder / "data" / "yt-dlp" / "9.9" / "yt_dlp"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('broken')\n")
    versions = Versions(broken.parents[1])
    versions.choose("9.9")
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/start")
        await admin.expect()
        await user.send(scene.site.url("file.zip", 50_000))
        assert 50_000 == (await user.expect_file()).file.size
        told = await admin.expect("broke again and again")
    assert "my own version" in told.message
    assert versions.chosen() is None
