"""What sites say, through the whole engine: to the person, to the admins once, and to nobody's harm."""

import pytest

from tests.engine.conftest import Scene
from tests.sources import sayer
from uploader import limits


async def test_admins_when_something_is_missing_for_a_site_are_told_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person hears that it is not their fault, and the admin what to do."""
    monkeypatch.setattr("uploader.service.WATCH_S", 0.05)
    sayer.install(scene.folder / "data" / "yt-dlp")
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/start")
        await admin.expect()
        for number in range(2):
            words = "Only images are available for download"
            await user.send(sayer.link(words, number=number))
            await user.expect("something is missing on my side")
        told = await admin.expect("run.py media update")
        await admin.send("/sites")
        await admin.expect("No site rests")
        alerts = [
            said async for said in admin.client.iter_messages(admin.bot) if "media update" in said.message
        ]
    assert "says" in told.message
    assert 1 == len(alerts)


async def test_version_when_ten_people_send_links_that_break_one_site_stays_chosen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one family of extractors stumbles over says nothing of yt-dlp, and files go on coming."""
    monkeypatch.setattr(limits, "ATTEMPTS", 1)
    versions = sayer.install(scene.folder / "data" / "yt-dlp")
    async with scene.engine(links_per_minute=0):
        for number in range(10):
            account = scene.world.add_user(f"Hostile {number}", phone=f"98912000010{number}")
            async with scene.person(account) as person:
                await person.send(sayer.link("no such key", expected=False, number=number))
                await person.expect("This did not work")
        async with scene.person() as user:
            await user.send(scene.site.url("file.zip", 50_000))
            assert 50_000 == (await user.expect_file()).file.size
    assert sayer.VERSION == versions.chosen()
