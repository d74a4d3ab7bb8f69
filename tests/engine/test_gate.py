"""The sponsors' gate over real MTProto: who waits, who goes on by themselves, and what admins hear of it."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox import Fault
from sandbox.people import Person
from sandbox.stage import running_engine
from sandbox.world.members import Role
from tests.engine import shelf
from tests.engine.conftest import Scene
from tests.engine.test_conversations import MIB, Site
from tests.engine.test_lists import feed

ASKED = "channels.getParticipant"
UNSURE = "does not tell me just now"
LOCKED = "Our sponsors"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at now and then is looked at often."""
    monkeypatch.setattr("uploader.service.WATCH_S", 0.1)
    monkeypatch.setattr("uploader.service.GATE_S", 0.1)
    monkeypatch.setattr("uploader.limits.WATCH_S", 0.3)
    monkeypatch.setattr("uploader.sponsors.membership.CHECK_S", 1.0)
    monkeypatch.setattr("uploader.sponsors.membership.AGAIN_S", 0.5)


@asynccontextmanager
async def locked(scene: Scene, **changes: Any) -> AsyncIterator[tuple[Person, Person]]:
    """An engine with one lock, its admin and a person."""
    async with scene.engine(**changes), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        yield admin, user


async def counts(admin: Person) -> tuple[int, int]:
    """What admins read of the only lock: asked and joined."""
    await admin.send("/lock")
    line = (await admin.expect("asked,")).raw_text.replace("\u2068", "").replace("\u2069", "")
    asked, joined = line.partition("): ")[2].split(" joined")[0].split(" asked, ")
    return int(asked), int(joined)


def links_of(message: Any) -> list[str]:
    """Where the buttons of a message lead."""
    rows = message.reply_markup.rows if message.reply_markup else []
    return [button.type.url for row in rows for button in row.buttons if hasattr(button.type, "url")]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(ASKED, error=(420, "FLOOD_WAIT_2"), count=1),
        Fault(ASKED, error=(500, "RPC_CALL_FAIL"), count=3),
        Fault(ASKED, error=(400, "PARTICIPANT_VERSION_OUTDATED"), count=1),
        Fault(ASKED, swallow=True, count=1),
    ],
    ids=["flood wait", "internal error", "unheard of", "no answer"],
)
@pytest.mark.parametrize("is_member", [True, False], ids=["member", "stranger"])
async def test_link_when_telegram_does_not_tell_who_is_inside_waits_and_goes_on_by_itself(
    scene: Scene, fault: Fault, is_member: bool
) -> None:
    """Nobody passes for want of an answer; a member's file comes unasked, a stranger is asked to join.

    Bots that take any failure of the check for a member, or for none, are the rule: in both cases people
    complain (SpEcHiDe/FilesBot#5 wants one notice and no flood of them).
    """
    fault.fired = fault.seen = 0
    if is_member:
        scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    async with locked(scene) as (admin, user):
        scene.world.faults.append(fault)
        await user.send(scene.site.url("film.mp4", MIB))
        card = await user.expect()
        assert UNSURE in card.raw_text
        assert "Sponsor One" in card.raw_text
        if is_member:
            assert (0, 0) == await counts(admin)
        else:  # who may be asked by now
            join = await user.expect(LOCKED)
            assert card.id == join.id
            assert (1, 0) == await counts(admin)
            await user.press(join, 0)
        await user.expect_file()
        assert card.id == (await user.expect("Done")).id
        assert (int(not is_member), int(not is_member)) == await counts(admin)


async def test_people_when_a_flood_wait_closes_the_question_all_wait_and_none_is_asked_about_before(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is obeyed: one question earned it, and nobody's is put while it lasts."""
    monkeypatch.setattr("uploader.service.WATCH_S", 3600.0)  # looks at the channel itself ask the same way
    scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    stranger = scene.world.add_user("Ali", phone="989120000004")
    async with locked(scene) as (_, user), scene.person(stranger) as ali:
        before = scene.world.stats.calls[ASKED]
        scene.world.faults.append(Fault(ASKED, error=(420, "FLOOD_WAIT_8"), count=1))
        await user.send(scene.site.url("film.mp4", 1000))
        first = await user.expect(UNSURE)
        await ali.send(scene.site.url("film.mp4", 1000))
        second = await ali.expect(UNSURE)
        pressed = await ali.press(second, "I have joined") if second.reply_markup else None
        assert pressed is None
        assert 1 == scene.world.stats.calls[ASKED] - before
        assert "Done" not in first.raw_text
        await user.expect_file()
        await ali.expect(LOCKED)
    assert 1 == scene.world.stats.calls["messages.sendMedia"]


async def test_press_when_telegram_does_not_tell_says_so_and_leaves_the_buttons(scene: Scene) -> None:
    """Who was asked to join can still do that; the file comes as soon as it is known."""
    async with locked(scene) as (admin, user):
        await user.send(scene.site.url("film.mp4", 1000))
        card = await user.expect(LOCKED)
        scene.world.faults.append(Fault("push.updateChannelParticipant", swallow=True))
        scene.world.faults.append(Fault(ASKED, error=(420, "FLOOD_WAIT_2"), count=1))
        await user.press(card, 0)
        answer = await user.press(card, "I have joined")
        assert answer.alert
        assert UNSURE in (answer.text or "") or "still missing" in (answer.text or "")
        await user.expect_file()
        assert (1, 1) == await counts(admin)


async def test_lock_when_the_bot_may_not_look_opens_and_admins_are_told_once_and_again_when_it_works(
    scene: Scene,
) -> None:
    """A channel that nobody can be checked in keeps nobody out; who can mend it hears of it."""
    async with locked(scene) as (admin, user):
        scene.world.seat(scene.channel, scene.bot, Role.MEMBER)
        for name in ("one.bin", "two.bin"):
            await user.send(scene.site.url(name, 1000))
            assert name == (await user.expect_file()).file.name
        alert = await admin.expect("Its lock is open")
        assert "ChatAdminRequiredError" in alert.raw_text
        await admin.send("/lock")
        assert "open to everybody" in (await admin.expect("asked,")).raw_text
        scene.world.seat(scene.channel, scene.bot, Role.ADMIN)
        await admin.expect("works again")
        history = await admin.client.get_messages(admin.bot, limit=50)
        await user.send(scene.site.url("three.bin", 1000))
        await user.expect(LOCKED)
    assert 1 == len([each for each in history if "Its lock is open" in each.raw_text])


@pytest.mark.parametrize("told", [True, False], ids=["by an update", "by a look"])
async def test_sponsor_when_it_changes_its_name_is_joined_by_the_new_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """What is kept is its id: cards that are shown get the new name, too."""
    if told:
        monkeypatch.setattr("uploader.service.WATCH_S", 3600.0)
    async with locked(scene) as (admin, user):
        await user.send(scene.site.url("film.mp4", 1000))
        card = await user.expect(LOCKED)
        assert ["https://t.me/sponsor_one"] == links_of(card)
        scene.channel.username, scene.channel.title = "better_name", "Better"
        if told:
            other = scene.world.add_user("Ali")
            scene.world.seat(scene.channel, other, Role.MEMBER)
        renamed = await user.expect_that(
            lambda message: ["https://t.me/better_name"] == links_of(message), "the new name", 30
        )
        assert card.id == renamed.id
        await user.press(renamed, 0)
        await user.expect_file()
        await admin.send("/lock")
        assert "Better\u2069 (\u2068@better_name\u2069)" in (await admin.expect("asked,")).raw_text


async def test_sponsor_when_it_has_no_public_name_any_more_locks_nobody_out(scene: Scene) -> None:
    """Nobody could be sent there. Admins are told, and can unlock it by its number."""
    async with locked(scene) as (admin, user):
        await user.send(scene.site.url("film.mp4", 1000))
        await user.expect(LOCKED)
        scene.channel.username = None
        await user.expect_file()
        alert = await admin.expect("no public name")
        assert str(scene.channel.id) in alert.raw_text
        await admin.send(f"/lock remove {scene.channel.id}")
        await admin.expect("Removed")


async def left(scene: Scene, user: Person) -> None:
    """The person, who was inside, leaves."""
    await user.leave("sponsor_one")


async def test_doors_when_who_left_presses_try_again_stay_shut_until_they_are_back(scene: Scene) -> None:
    """A file that failed is kept for them, in the message that they pressed."""
    found = asyncio.Event()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=b"here" * 5000) if found.is_set() else web.Response(status=404)

    scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    async with Site(serve) as url, locked(scene) as (admin, user):
        await user.send(url)
        told = await user.expect("no such file")
        await left(scene, user)
        found.set()
        await user.press(told, "Try again")
        card = await user.expect(LOCKED)
        assert told.id == card.id
        await user.press(card, 0)
        await user.expect_file()
        assert (1, 1) == await counts(admin)


async def test_doors_when_who_left_presses_try_these_again_stay_shut_until_they_are_back(
    scene: Scene,
) -> None:
    """Ten links would be ten files without a sponsor; after a join they come under the same card."""
    found = asyncio.Event()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=b"here" * 5000) if found.is_set() else web.Response(status=404)

    scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    async with Site(serve) as url, locked(scene) as (_, user):
        await user.send(" ".join(url.replace("file.bin", name) for name in "ab"))
        report = await user.expect("did not come", timeout_s=20)
        await left(scene, user)
        found.set()
        await user.press(report, "Try these again")
        card = await user.expect(LOCKED)
        assert report.id == card.id
        await user.press(card, 0)
        for _ in range(2):
            await user.expect_file()
        await user.expect("Done")


async def test_doors_when_who_left_sends_a_file_on_stay_shut_until_they_are_back(scene: Scene) -> None:
    """What they composed is kept."""
    scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    async with locked(scene) as (_, user):
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, shelf.film(MIB)), "for you")
        card = await user.expect("report.pdf")
        await user.press(card, "No words under it")
        await user.expect("Under it: nothing")
        await left(scene, user)
        await user.press(card, "Send")
        shut = await user.expect(LOCKED)
        assert card.id == shut.id
        await user.press(shut, 0)
        message = await user.expect_file()
        assert ("report.pdf", "") == (message.file.name, message.message)


async def test_doors_when_who_left_picks_of_a_list_stay_shut_until_they_are_back(scene: Scene) -> None:
    """Entries of a list are files as any others."""
    scene.world.seat(scene.channel, scene.user, Role.MEMBER)
    async with feed() as site, locked(scene) as (_, user):
        await user.send(site.url)
        card = await user.expect("My feed", timeout_s=60)
        await left(scene, user)
        await user.send("1-2")
        shut = await user.expect(LOCKED)
        assert card.id == shut.id
        await user.press(shut, 0)
        assert {"1.bin", "2.bin"} == {(await user.expect_file()).file.name for _ in range(2)}


def impatient(scene: Scene) -> dict[str, str]:
    """Settings of an engine that looks for cards that it owes after a second."""
    code = "from uploader import limits\nlimits.CARD_S = limits.WATCH_S = 1.0\n"
    (scene.folder / "sitecustomize.py").write_text(code)
    return {**scene.settings, "PYTHONPATH": f"{scene.folder}:{Path(__file__).parents[2]}"}


async def until(fits: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not fits():  # noqa: ASYNC110 - a counter of the data centre
            await asyncio.sleep(0.02)


async def killed(scene: Scene, act: Callable[[], Awaitable[object]]) -> None:
    """An engine that is killed when it has kept what a message asks for, and has not said so."""
    async with running_engine(impatient(scene), scene.folder) as engine:
        scene.world.faults.append(
            Fault("messages.sendMessage", user_id=scene.bot.id, error=(420, "FLOOD_WAIT_500"))
        )
        await act()
        await until(lambda: scene.world.faults[0].fired > 0)
        engine.process.send_signal(signal.SIGKILL)
        await engine.process.wait()
    scene.world.faults.clear()


@pytest.mark.parametrize("links", [1, 3], ids=["one link", "several links"])
async def test_card_when_the_engine_is_killed_before_it_was_shown_is_shown_by_the_next(
    scene: Scene, links: int
) -> None:
    """A row says that the person is owed it; nobody counts as asked twice, and who joins goes on."""
    urls = [scene.site.url(f"{number}.bin", 1000) for number in range(links)]
    async with scene.person(scene.admin) as admin, scene.person() as user:
        async with running_engine(impatient(scene), scene.folder):
            await admin.send("/lock add @sponsor_one")
            await admin.expect("Added")
        await killed(scene, lambda: user.send(" ".join(urls)))
        async with running_engine(impatient(scene), scene.folder):
            card = await user.expect(LOCKED)
            await user.press(card, 0)
            for _ in urls:
                await user.expect_file()
            await user.expect("Done")
            assert (1, 1) == await counts(admin)
        history = await user.client.get_messages(user.bot, limit=50)
        assert 1 == len([each for each in history if not each.out and not each.document])


@pytest.mark.parametrize("links", [1, 3], ids=["one link", "several links"])
async def test_card_when_the_engine_is_killed_before_it_noted_it_is_not_shown_again(
    scene: Scene, links: int
) -> None:
    """It was sent and its answer is lost, then `kill -9`: the next engine finds it, and goes on in it.

    danog/MadelineProto#1669: what is sent again under its random_id comes once.
    """
    urls = [scene.site.url(f"{number}.bin", 1000) for number in range(links)]
    async with scene.person(scene.admin) as admin, scene.person() as user:
        async with running_engine(impatient(scene), scene.folder) as engine:
            await admin.send("/lock add @sponsor_one")
            await admin.expect("Added")
            scene.world.faults.append(Fault("messages.sendMessage", user_id=scene.bot.id, swallow=True))
            await user.send(" ".join(urls))
            card = await user.expect(LOCKED)
            engine.process.send_signal(signal.SIGKILL)
            await engine.process.wait()
        scene.world.faults.clear()
        async with running_engine(impatient(scene), scene.folder):
            await asyncio.sleep(4)  # it looks for what is owed
            await user.press(card, b"joined")
            await user.press(card, 0)
            for _ in urls:
                await user.expect_file()
            assert card.id == (await user.expect("Done")).id
        history = await user.client.get_messages(user.bot, limit=50)
    assert 1 == len([each for each in history if not each.out and not each.document])


async def test_card_when_telegram_has_the_chat_wait_comes_by_itself_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a restart as well: what could not be said at once is said then."""
    monkeypatch.setattr("uploader.limits.CARD_S", 1.0)
    async with locked(scene) as (_, user):
        scene.world.faults.append(
            Fault("messages.sendMessage", user_id=scene.bot.id, error=(420, "FLOOD_WAIT_3"), count=2)
        )
        await user.send(scene.site.url("film.mp4", 1000))
        await user.expect(LOCKED)


async def test_card_when_looks_come_while_it_is_on_its_way_is_one(scene: Scene) -> None:
    """Whoever looks meanwhile waits for it, and finds nothing more to say."""
    async with locked(scene) as (_, user):
        scene.world.faults.append(Fault("messages.sendMessage", user_id=scene.bot.id, delay_s=2.0))
        await user.send(scene.site.url("film.mp4", 1000))
        await user.expect(LOCKED)
        await asyncio.sleep(4)  # longer than all that could be on its way
        history = await user.client.get_messages(user.bot, limit=50)
    assert 1 == len([each for each in history if LOCKED in each.raw_text])


async def test_counts_when_people_come_and_go_while_no_engine_runs_are_as_it_was(scene: Scene) -> None:
    """Who joined and left again in that time was a member: asked for afterwards, and counted once.

    What libraries catch up by themselves misses some of it (LonamiWebs/Telethon#4235, #4574).
    """
    async with scene.person() as user, scene.person(scene.admin) as admin:
        async with scene.engine():
            await admin.send("/lock add @sponsor_one")
            await admin.expect("Added")
            await user.send(scene.site.url("film.mp4", 1000))
            card = await user.expect(LOCKED)
            assert (1, 0) == await counts(admin)
            await until(lambda: place(scene) is not None)
        await user.press(card, 0)
        await left(scene, user)
        async with scene.engine():
            await admin.send("/start")
            await admin.expect("courier")
            await until_counts(admin, (1, 1))
            await user.press(card, 0)
            await user.expect_file()
            assert (1, 1) == await counts(admin)


def place(scene: Scene) -> int | None:
    """Which moves were seen to, as the database has it."""
    with closing(sqlite3.connect(scene.folder / "data" / "peyk.db")) as database:
        row = database.execute("SELECT value FROM settings WHERE key LIKE 'moves-%'").fetchone()
    return int(row[0]) if row else None


async def test_moves_when_it_is_not_known_which_were_seen_to_are_followed_from_then_on(scene: Scene) -> None:
    """A place in Telegram's count that it does not know, as after a restore, makes nobody deaf."""
    async with scene.engine():
        await until(lambda: place(scene) is not None)
    with closing(sqlite3.connect(scene.folder / "data" / "peyk.db")) as database, database:
        database.execute("UPDATE settings SET value = '999999' WHERE key LIKE 'moves-%'")
    async with locked(scene) as (admin, user):
        await until(lambda: (place(scene) or 0) < 999_999)
        await user.send(scene.site.url("film.mp4", 1000))
        card = await user.expect(LOCKED)
        scene.world.faults.append(Fault("push.updateChannelParticipant", swallow=True))
        scene.world.faults.append(Fault(ASKED, error=(420, "FLOOD_WAIT_500"), count=1))
        await user.press(card, "I have joined")
        await user.press(card, 0)
        await left(scene, user)
        await until_counts(admin, (1, 1))


@pytest.mark.parametrize("is_known", [True, False], ids=["outside", "in doubt"])
async def test_file_when_nobody_joined_for_it_is_let_go_with_the_true_cause(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """It waited for sponsors and not for a choice; and who could not be told apart is not blamed."""
    async with locked(scene) as (_, user):
        if not is_known:
            scene.world.faults.append(Fault(ASKED, error=(420, "FLOOD_WAIT_500")))
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, shelf.film(MIB)))
        card = await user.expect(LOCKED if is_known else UNSURE)
        monkeypatch.setattr("uploader.limits.WAITING_SPONSORS_S", 0.0)
        over = await user.expect("did not join" if is_known else "has not told me")
        assert card.id == over.id


async def until_counts(admin: Person, expected: tuple[int, int]) -> None:
    """Wait until admins read these counts."""
    async with asyncio.timeout(30):
        while await counts(admin) != expected:  # noqa: ASYNC110 - what an admin reads
            await asyncio.sleep(2)
