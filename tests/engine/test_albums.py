"""Albums: Telegram sends their files one by one, the bot asks about them once."""

import asyncio
import sqlite3
from typing import Any

from sandbox import Fault
from sandbox.people import Person
from sandbox.world.letters import Draft, Media
from tests.engine import shelf
from tests.engine.conftest import Scene

KIB = 1024
NAMES = ("a.pdf", "b.pdf", "c.pdf")


def send(scene: Scene, *texts: str, album_id: int = 77, first: int = 0) -> list[Any]:
    """The person sends an album with a file for each text."""
    sent = []
    for number, text in enumerate(texts, first):
        file = shelf.document(scene, shelf.film(KIB + number, f"{number}"), NAMES[number])
        draft = Draft(text, media=Media(file), album_id=album_id)
        sent.append(scene.world.post_office.send(scene.user, scene.bot, draft))
    return sent


def offered(scene: Scene) -> str:
    """What is kept of the question."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        rows = database.execute("SELECT offer FROM jobs").fetchall()
    return " ".join(offer for (offer,) in rows)


async def answers(user: Person) -> list[Any]:
    """What the bot has said so far, the oldest first."""
    return [each for each in reversed(await user.client.get_messages(user.bot, limit=50)) if not each.out]


async def test_album_when_sent_is_one_card_and_then_its_files(scene: Scene) -> None:
    """Nothing else is said; each keeps its words, and no byte of it moves.

    go-telegram-bot-api/telegram-bot-api#242: a bot that answered each picture of an album.
    """
    async with scene.engine(), scene.person() as user:
        send(scene, "for you", "", "the last")
        card = await user.expect("files")
        assert all(name in card.raw_text for name in NAMES)
        await user.press(card, "Send")
        await user.expect("All \u20683\u2069 are here")
        said = await answers(user)
    assert {*zip(NAMES, ("for you", "", "the last"), strict=True)} == {
        (each.file.name, each.message) for each in said if each.document
    }
    assert 4 == len(said)
    assert {} == shelf.moved(scene)


async def test_album_when_given_other_words_has_them_under_the_first(scene: Scene) -> None:
    """Or none at all; a name is nobody's, for there are several."""
    async with scene.engine(), scene.person() as user:
        send(scene, "for you", "and you")
        card = await user.expect("files")
        await user.send("other name")
        await user.expect("I see no link")
        await user.send("/caption mine")
        await user.expect("Under the first: \u2068mine")
        await user.press(card, "Send")
        await user.expect("All \u20682\u2069 are here")
        assert {("a.pdf", "mine"), ("b.pdf", "")} == {
            (each.file.name, each.message) for each in await answers(user) if each.document
        }


async def test_album_when_a_link_stands_under_it_offers_that_once(scene: Scene) -> None:
    """Also one that was corrected meanwhile; then the link comes in place of the files."""
    async with scene.engine(), scene.person() as user:
        link = scene.site.url("linked.bin", 5000)
        first, _ = send(scene, "no link yet", "")
        await user.expect("files")
        message = await user.client.get_messages(user.bot, ids=first.letter.number(scene.user.id))
        await message.edit(f"more at {link}", link_preview=False)
        await message.edit(f"more at {link} and no more", link_preview=False)
        card = await user.expect_that(
            lambda each: each.buttons and any("link" in b.text for row in each.buttons for b in row), "it", 30
        )
        await user.press(card, "Bring the link under it")
        assert ("linked.bin", 5000) == ((file := (await user.expect_file()).file).name, file.size)
        await user.expect("Done")
        assert 2 == len(await answers(user))


async def test_album_when_a_file_comes_late_or_its_engine_has_died_is_the_same_card(scene: Scene) -> None:
    """What came is kept as it comes: an engine that dies before it asks leaves the question to the next."""
    async with scene.person() as user:
        async with scene.engine():
            await user.send("/start")
            await user.expect()
            scene.world.faults.append(Fault("messages.sendMessage", user_id=scene.bot.id, delay_s=60))
            send(scene, "", "")
            async with asyncio.timeout(30):
                while NAMES[1] not in offered(scene):  # noqa: ASYNC110 - a row
                    await asyncio.sleep(0.01)
        scene.world.faults.clear()
        async with scene.engine():
            card = await user.expect("files")
            send(scene, "", first=2)
            changed = await user.expect("c.pdf")
            assert card.id == changed.id
            await user.press(changed, "Cancel")
            await user.expect("Cancelled")
            assert 2 == len(await answers(user))


async def test_album_when_sponsors_are_owed_is_asked_about_whole_after_they_are_joined(scene: Scene) -> None:
    """The files that came meanwhile are kept; they are asked about in the sponsors' card."""
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        send(scene, "", "", "")
        sponsors = await user.expect("Our sponsors")
        await user.press(sponsors, 0)
        card = await user.expect("c.pdf")
        assert sponsors.id == card.id
        await user.press(card, "Send")
        await user.expect("All \u20683\u2069 are here")
        assert 3 == len([each for each in await answers(user) if each.document])
