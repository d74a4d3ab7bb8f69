"""Files that people send or forward to the bot: given another name, other words, shown in another way."""

import asyncio
import hashlib
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from telethon.errors import DataInvalidError
from telethon.tl import types

from sandbox import Account, Fault
from sandbox.people import Person
from sandbox.stage import running_engine
from sandbox.world.box import Logged
from sandbox.world.events import ButtonPressed
from sandbox.world.files import Photo, Picture
from sandbox.world.letters import Draft, Forward, Media
from sandbox.world.uploads import Keep
from tests.engine import shelf
from tests.engine.conftest import Scene
from tests.engine.test_crashes import until_parts
from tests.engine.test_films import attribute, thumbnail
from tests.sources.conftest import films as films
from tests.sources.films import HEIGHT, SECONDS, WIDTH
from uploader.transfer.parts import PART_BYTES

MIB = 1024 * 1024
CONTENT = shelf.film(3 * MIB + 7)


async def answer(user: Person, card: Any, text: str) -> None:
    """Answer a message of the bot."""
    await user.client.send_message(user.bot, text, reply_to=card.id, parse_mode=None, link_preview=False)


async def test_file_when_renamed_by_an_answer_comes_with_that_name_and_the_same_bytes(scene: Scene) -> None:
    """Its extension is kept, its words stay under it, and nothing comes before it was asked for."""
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT), "for you")
        card = await user.expect("report.pdf")
        assert "3.0\u2069 MiB" in card.raw_text
        await answer(user, card, "گزارش ../۲")
        changed = await user.expect("۲.pdf")
        assert card.id == changed.id
        assert {} == shelf.moved(scene)
        await user.press(changed, "Send")
        message = await user.expect_file()
        assert ("۲.pdf", "for you") == (message.file.name, message.message)
        assert card.id == (await user.expect("Done")).id
        assert (len(CONTENT), shelf.digest(CONTENT)) == await user.save(message)


async def test_file_when_a_name_is_just_written_has_that_name(scene: Scene) -> None:
    """Copied with its marks of direction; a link or a command that is written meanwhile is no name."""
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        await user.expect("report.pdf")
        await user.send("\u2067\u200fمقاله‌ها 1\u2069\u200e")
        changed = await user.expect("مقاله‌ها 1.pdf")
        await user.send("/nonsense")
        await user.expect("do not know this command")
        await user.send("ftp://files.example/a.zip")
        await user.expect("only links that start with http")
        await user.press(changed, "Send")
        assert "مقاله‌ها 1.pdf" == (await user.expect_file()).file.name


async def test_file_when_a_link_stands_under_it_offers_that_too(scene: Scene) -> None:
    """One press brings what the link leads to, in place of the file."""
    async with scene.engine(), scene.person() as user:
        words = f"more at {scene.site.url('linked.bin', 5000)}"
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT), words)
        card = await user.expect("report.pdf")
        await user.press(card, "Bring the link under it")
        assert ("linked.bin", 5000) == ((file := (await user.expect_file()).file).name, file.size)
        assert card.id == (await user.expect("Done")).id


@pytest.mark.parametrize(
    ("button", "words", "expected"),
    [
        ("", "\u200f/caption\nMy own words @nobody", "My own words @nobody"),
        ("", "/caption My own words @nobody", "My own words @nobody"),
        ("No words under it", "", ""),
        ("", "", "for you"),
    ],
)
async def test_file_when_given_other_words_is_sent_without_a_byte_of_it(
    scene: Scene, button: str, words: str, expected: str
) -> None:
    """The same document again: with words of one's own, with none, and with those that it had."""
    bold = types.MessageEntityBold(0, 3)
    file = shelf.document(scene, CONTENT)
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, file, "for you", bold)
        card = await user.expect("report.pdf")
        if words:
            await user.send(words)
            await user.expect("Under it: \u2068My own words")
        if button:
            await user.press(card, button)
            await user.expect("Under it: nothing")
        await user.press(card, "Send")
        message = await user.expect_file()
        assert (file.id, expected) == (message.document.id, message.message)
        assert (message.entities == [bold]) is (expected == "for you")
        await user.expect("Done")
    assert {} == shelf.moved(scene)


async def test_film_when_sent_as_a_file_is_shown_as_a_film_by_one_press(scene: Scene, films: Path) -> None:
    """With its size, its length and a picture, and the bytes that were sent."""
    content = (films / "film.mp4").read_bytes()
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, content, "film.mp4", "video/mp4"))
        card = await user.expect("film.mp4")
        await user.press(card, "As a film / music")
        await user.press(await user.expect("As a film or as music"), "Send")
        message = await user.expect_file()
        video = attribute(message, types.DocumentAttributeVideo)
        assert (WIDTH, HEIGHT, True) == (video.w, video.h, bool(video.supports_streaming))
        assert SECONDS == pytest.approx(video.duration, abs=0.2)
        assert (WIDTH, HEIGHT) == await thumbnail(message)
        assert ("film.mp4", "video/mp4") == (message.file.name, message.document.mime_type)
        assert (len(content), shelf.digest(content)) == await user.save(message)


async def test_film_when_renamed_stays_the_film_that_it_was(scene: Scene, films: Path) -> None:
    """What Telegram knows of it is kept, its picture too: nothing is looked for in its bytes."""
    small = shelf.blob(scene, (films / "cover.jpg").read_bytes())
    shown = types.DocumentAttributeVideo(61.5, 640, 360, supports_streaming=True)
    file = shelf.document(scene, CONTENT, "a.mp4", "video/mp4", shown, thumb=Picture(small, 320, 180))
    async with scene.engine(), scene.person() as user:
        origin = Forward(scene.channel.peer_id, scene.world.clock.date(), 5)
        shelf.post(scene, scene.user, scene.bot, file, forward=origin)
        card = await user.expect("a.mp4")
        await answer(user, card, "b")
        await user.press(await user.expect("b.mp4"), "Send")
        message = await user.expect_file()
        video = attribute(message, types.DocumentAttributeVideo)
        assert (61.5, 640, 360, True) == (video.duration, video.w, video.h, video.supports_streaming)
        assert small.read(0, MIB) == await message.download_media(bytes, thumb=-1)
        assert "b.mp4" == message.file.name
        assert (len(CONTENT), shelf.digest(CONTENT)) == await user.save(message)


def photo_of(scene: Scene, content: bytes) -> Photo:
    """A photo that was sent before."""
    picture = Picture(shelf.blob(scene, content), 320, 180)
    made = Photo(scene.world.files.new_id(), picture, scene.world.clock.date(), scene.dc.id)
    scene.world.add_file(made)
    return made


@pytest.mark.parametrize("kind", ["film", "photo"])
async def test_film_or_photo_when_wanted_as_a_file_comes_as_one(scene: Scene, kind: str) -> None:
    """The bytes that Telegram has of it, to be saved and not to be played."""
    shown = types.DocumentAttributeVideo(61.5, 640, 360)
    film = shelf.document(scene, CONTENT, "a.mp4", "video/mp4", shown)
    file = film if kind == "film" else photo_of(scene, CONTENT)
    name = "a.mp4" if kind == "film" else "photo-"
    async with scene.engine(), scene.person() as user:
        scene.world.post_office.send(scene.user, scene.bot, Draft("", media=Media(file)))
        await user.press(await user.expect(name), "As a file")
        await user.press(await user.expect("As a file."), "Send")
        message = await user.expect_file()
        assert attribute(message, types.DocumentAttributeVideo) is None
        assert message.file.name.startswith(name)
        assert (len(CONTENT), shelf.digest(CONTENT)) == await user.save(message)


async def test_photo_when_it_is_to_stay_what_it_is_comes_without_a_byte_of_it(scene: Scene) -> None:
    """Somebody thought better of it."""
    photo = photo_of(scene, CONTENT)
    async with scene.engine(), scene.person() as user:
        scene.world.post_office.send(scene.user, scene.bot, Draft("us", media=Media(photo)))
        await user.press(await user.expect("photo-"), "As a file")
        await user.press(await user.expect("As a file."), "Shown as before")
        await user.press(await user.expect("photo-"), "Send")
        message = await user.expect_that(lambda message: message.photo is not None, "a photo", 30)
        assert (photo.id, "us") == (message.photo.id, message.message)
    assert {} == shelf.moved(scene)


async def test_photo_when_a_link_stands_under_it_is_taken_for_its_decoration(scene: Scene) -> None:
    """As posts of channels are that lead somewhere; a file with a link under it is the file."""
    photo = photo_of(scene, b"jpeg")
    link = scene.site.url("film.mp4", MIB)
    async with scene.engine(), scene.person() as user:
        scene.world.post_office.send(scene.user, scene.bot, Draft(link, media=Media(photo)))
        assert "film.mp4" == (await user.expect_file()).file.name
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT), link)
        await user.expect("report.pdf")


async def test_card_when_pressed_or_answered_by_others_or_too_late_does_nothing(scene: Scene) -> None:
    """Data of buttons proves nothing: whose job it is does; and what was sent is sent once."""
    async with scene.engine(), scene.person() as user, scene.person(scene.admin) as other:
        await other.send("/start")
        theirs = await other.expect()
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        card = await user.expect("report.pdf")
        for verb in (b"send", b"doc", b"bare", b"play", b"same"):
            assert "no longer open" in (await forge(scene, scene.admin, theirs, b"file:1:" + verb) or "")
        for data in (b"file:1:nonsense", b"file:1:send\n", b"file:-1:send", b"file:" + b"9" * 40 + b":send"):
            assert None is await forge(scene, scene.user, card, data)
        for verb in (b"play", b"doc"):
            assert "no longer open" in (await forge(scene, scene.user, card, b"file:1:" + verb) or "")
        await answer(other, theirs, "stolen")
        await other.expect("no link")
        await user.press(card, "Send")
        assert "report.pdf" == (await user.expect_file()).file.name
        await user.expect("Done")
        assert "no longer open" in (await forge(scene, scene.user, card, b"file:1:send") or "")
    assert 1 == scene.world.stats.calls["messages.sendMedia"]


async def forge(scene: Scene, who: Account, message: Any, data: bytes) -> str | None:
    """What the bot says to somebody who presses a button that is not there, as modified clients can."""
    number = scene.user.box.letters[message.id].ids[scene.bot.id] if who is scene.user else 1
    query_id, answer = scene.world.buttons.ask(scene.bot)
    event = ButtonPressed(query_id, who.id, who.id, number, data)
    scene.world.tell(scene.bot, Logged(event, 0, 0, 0))
    said = await answer
    return None if said is None else said.message


async def test_file_when_its_message_is_deleted_before_it_is_sent_on_is_told(scene: Scene) -> None:
    """The card outlives it, the file does not."""
    async with scene.engine(), scene.person() as user:
        sent = shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        card = await user.expect("report.pdf")
        scene.world.post_office.delete([sent.letter], scene.user.id, for_all=True)
        await user.press(card, "Send")
        assert "not there any more" in (await user.expect("did not work")).raw_text


async def test_file_when_sponsors_are_owed_is_asked_about_after_they_are_joined(scene: Scene) -> None:
    """The file is kept meanwhile, as a link is."""
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        sponsors = await user.expect("Our sponsors")
        await user.press(sponsors, 0)
        card = await user.expect("report.pdf")
        assert sponsors.id == card.id
        with suppress(DataInvalidError):  # it says "Accepted" for a moment, if that was later
            await user.press(card, "Send")
            card = None
        if card is not None:
            await user.press(await user.expect("report.pdf"), "Send")
        assert "report.pdf" == (await user.expect_file()).file.name


async def test_file_when_cancelled_in_mid_stream_stops_and_leaves_nothing(scene: Scene) -> None:
    """Neither a message nor pieces that somebody still waits for."""
    content = shelf.film(12 * MIB)
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, content))
        card = await user.expect("report.pdf")
        await answer(user, card, "other")
        card = await user.expect("other.pdf")
        scene.world.faults.append(Fault(method="upload.getFile", after=4, delay_s=30))
        await user.press(card, "Send")
        running = await user.expect("Accepted")
        await until_parts(scene, 4)
        await user.press(running, "Cancel")
        await user.expect("Cancelled")
        asked = scene.world.stats.calls["upload.getFile"]
        scene.world.faults.clear()
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        await user.press(await user.expect("report.pdf"), "Send")
        assert "report.pdf" == (await user.expect_file()).file.name
    assert asked == scene.world.stats.calls["upload.getFile"]
    assert 1 == scene.world.stats.calls["messages.sendMedia"]


async def test_file_when_the_engine_is_killed_in_mid_stream_goes_on_where_it_was(scene: Scene) -> None:
    """64 MiB, renamed: once, whole, little of it read or sent twice, and little of it ever in memory."""
    size_bytes = 64 * MIB
    parts = size_bytes // PART_BYTES
    content = shelf.film(size_bytes)
    digests = (
        hashlib.sha256(content[at : at + PART_BYTES]).digest() for at in range(0, size_bytes, PART_BYTES)
    )
    expected = hashlib.sha256(b"".join(digests)).hexdigest()
    scene.world.uploads.keep = Keep.DIGESTS
    async with scene.person() as user:
        async with running_engine(scene.settings, scene.folder) as engine:
            shelf.post(scene, scene.user, scene.bot, shelf.document(scene, content))
            await answer(user, await user.expect("report.pdf"), "large.bin")
            scene.world.faults.append(Fault(method="upload.getFile", delay_s=0.12))
            await user.press(await user.expect("large.bin"), "Send")
            await until_parts(scene, parts // 2)
            engine.process.send_signal(signal.SIGKILL)
            await engine.process.wait()
        asked = scene.world.stats.calls["upload.getFile"]
        scene.world.faults.clear()
        async with running_engine(scene.settings, scene.folder) as engine:
            before_bytes = peak_bytes(engine.process.pid)
            message = await user.expect_file(timeout_s=60)
            await user.expect("Done")
            assert peak_bytes(engine.process.pid) - before_bytes < 40 * MIB
    (delivered,) = [upload for upload in scene.world.stats.uploads.values() if upload.digest]
    assert (size_bytes, "large.bin", expected) == (message.file.size, message.file.name, delivered.digest)
    assert scene.world.stats.calls["upload.getFile"] - asked < parts * 3 // 4
    assert 1 == scene.world.stats.calls["messages.sendMedia"]


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


async def test_card_when_nobody_chooses_is_taken_back_visibly(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is let go after its deadline, and that is said."""
    monkeypatch.setattr("uploader.service.WATCH_S", 0.1)
    monkeypatch.setattr("uploader.limits.WAITING_CHOICE_S", 0.3)
    async with scene.engine(), scene.person() as user:
        shelf.post(scene, scene.user, scene.bot, shelf.document(scene, CONTENT))
        card = await user.expect("report.pdf")
        async with asyncio.timeout(30):
            assert card.id == (await user.expect("I waited")).id
