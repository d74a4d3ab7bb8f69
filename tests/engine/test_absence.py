"""The engine goes away and comes back: what it missed is answered once, and nothing is done again."""

import asyncio
import signal

import pytest

from sandbox import Account, Fault
from sandbox.stage import running_engine
from sandbox.world.letters import Draft
from tests.engine.conftest import Scene
from tests.engine.test_sharing import files_of, letters_of, until, write
from uploader import limits

MIB = 1024 * 1024


def said(person: Account, text: str) -> int:
    """How often the bot said something with this in it."""
    return sum(text in letter for letter in letters_of(person))


async def test_messages_when_the_engine_is_killed_and_they_come_again_are_acted_on_once(scene: Scene) -> None:
    """`kill -9`: Telegram tells again what no state was kept of. What was missed is answered."""
    user, admin, link = scene.user, scene.admin, scene.site.url("film.mp4", MIB)
    async with running_engine(scene.settings, scene.folder):
        write(scene, user, "/start")
        await until(lambda: said(user, "courier") == 1)
    async with running_engine(scene.settings, scene.folder) as engine:
        for text in ("/help", "no link", link, "http://127.0.0.1:22/x.zip"):
            write(scene, user, text)
        await until(lambda: len(files_of(user)) == 1 and said(user, "Done") == 1)
        await until(lambda: said(user, "see no link") == 1)
        write(scene, admin, "/maintenance on")
        await until(lambda: said(admin, "Maintenance is on") == 1)
        write(scene, admin, "/maintenance off")
        await until(lambda: said(admin, "Maintenance is off") == 1)
        answered = len(letters_of(user)), len(letters_of(admin))
        engine.process.send_signal(signal.SIGKILL)
        await engine.process.wait()
    calls = scene.world.stats.calls["messages.sendMedia"]
    write(scene, user, "/start")
    async with running_engine(scene.settings, scene.folder):
        await until(lambda: said(user, "courier") == 2)
        write(scene, user, "nothing")
        await until(lambda: said(user, "see no link") == 2)
        write(scene, admin, "/status")
        await until(lambda: said(admin, "waiting for sponsors") == 1)
    # two of theirs and two of ours; one and one
    assert (answered[0] + 4, answered[1] + 2) == (len(letters_of(user)), len(letters_of(admin)))
    assert calls == scene.world.stats.calls["messages.sendMedia"]


async def test_messages_when_missed_for_too_long_are_not_answered(scene: Scene) -> None:
    """Nobody waits for a file that was asked for the day before yesterday; a new one comes."""
    async with scene.engine():
        write(scene, scene.user, "/start")
        await until(lambda: said(scene.user, "courier") == 1)
    for name, age_s in (("old.bin", limits.MISSED_S + 60), ("late.bin", limits.MISSED_S - 60)):
        scene.world.clock.skip(-age_s)
        for text in ("/start", scene.site.url(name, MIB)):
            scene.world.post_office.send(scene.user, scene.bot, Draft(text))
        scene.world.clock.skip(age_s)
    async with scene.engine():
        await until(lambda: bool(files_of(scene.user)) and said(scene.user, "Done") == 1)
        await until(lambda: said(scene.user, "courier") == 2)
    assert 1 == len(files_of(scene.user))
    assert 1 == said(scene.user, "old.bin")  # what they wrote themselves


async def test_people_when_their_files_waited_for_the_engine_are_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message to each person who had files under way, and none to others."""
    monkeypatch.setattr(limits, "STOP_DEADLINE_S", 0.1)
    monkeypatch.setattr(limits, "AWAY_S", 0.5)
    async with scene.engine():
        scene.world.faults.append(Fault("upload.", delay_s=5.0))
        write(scene, scene.admin, "/start")
        for name in ("one.bin", "two.bin"):
            write(scene, scene.user, scene.site.url(name, MIB))
        await until(lambda: said(scene.user, "Accepted") + said(scene.user, "of 1") == 2)
        await until(lambda: scene.world.stats.parts > 0)
    scene.world.faults.clear()
    await asyncio.sleep(limits.AWAY_S)
    async with scene.engine():
        await until(lambda: said(scene.user, "Done") == 2 and said(scene.user, "I was away") == 1)
    await asyncio.sleep(limits.AWAY_S)
    async with scene.engine():
        write(scene, scene.user, "/start")
        await until(lambda: said(scene.user, "courier") == 1)
    assert (1, 0) == (said(scene.user, "I was away"), said(scene.admin, "I was away"))
    assert 1 == said(scene.user, "2\u2069 files go on")
