"""A film in several formats: its person is asked, and what was chosen arrives."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest

from sandbox import Account, Fault
from sandbox.world.box import Logged
from sandbox.world.events import ButtonPressed
from sandbox.world.letters import Letter
from tests.engine.conftest import Scene
from tests.engine.test_kill import engine, nursery, until_it_listens
from tests.engine.test_sharing import files_of, letters_of, until, write
from tests.sources.films import ffmpeg, web
from tests.sources.sites import Site
from uploader import limits, service

PEOPLE = 8
HEIGHTS = ((480, 854), (240, 426))
PAGE = f"""<!DOCTYPE html>
<html><head><title>The Heights</title></head><body><video controls>
{"".join(f'<source src="/{height}.mp4" type="video/mp4" res="{height}">' for height, _ in HEIGHTS)}
</video></body></html>
"""


@pytest.fixture(scope="module")
def heights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a film of three seconds in two heights."""
    folder = tmp_path_factory.mktemp("heights")
    for height, width in HEIGHTS:
        picture = ("-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=25:duration=3")
        tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3")
        coded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac")
        ffmpeg(*picture, *tone, *coded, "-movflags", "+faststart", f"{height}.mp4", cwd=folder)
    (folder / "page.html").write_text(PAGE)
    return folder


@pytest.fixture
async def there(heights: Path) -> AsyncIterator[Site]:
    """The site of that film."""
    async with web(heights) as listening:
        yield listening


async def film_of(message: Any) -> tuple[int, int, int]:
    """Width, height and seconds of a film that arrived, as its own bytes say."""
    with av.open(io.BytesIO(await message.download_media(bytes)), "r") as film:
        stream = film.streams.video[0]
        return stream.width, stream.height, round((film.duration or 0) / av.time_base)


def plain(text: str) -> str:
    """Without what nobody sees."""
    return "".join(character for character in text if character not in "\u2060\u2068\u2069")


def label(message: Any, beginning: str) -> str:
    """The whole label of the button that begins so."""
    labels = [button.text for row in message.buttons for button in row]
    return next(each for each in labels if plain(each).startswith(beginning))


def press(scene: Scene, person: Account, message_id: int, data: bytes) -> asyncio.Future[Any]:
    """A press as a client makes it that holds nothing back: any data, any message."""
    query_id, answer = scene.world.buttons.ask(scene.bot)
    event = ButtonPressed(query_id, person.id, person.id, message_id, data)
    scene.world.tell(scene.bot, Logged(event, 0, 0, 0))
    return answer


def number_of(scene: Scene, letter: Letter) -> int:
    """What the bot calls a message."""
    number = letter.number(scene.bot.id)
    assert number is not None
    return number


def data_of(card: Letter, ending: bytes) -> bytes:
    """The data of the one button of a card whose data ends so."""
    every = [button.type.data for row in card.draft.markup.rows for button in row.buttons]
    (data,) = [each for each in every if each.endswith(ending)]
    return data


def cards_of(person: Account) -> list[Letter]:
    """The questions in a person's chat."""
    return [each for each in person.box.letters.values() if "Which one shall I bring" in each.draft.text]


async def test_film_when_one_of_its_heights_is_pressed_arrives_in_it(scene: Scene, there: Site) -> None:
    """Asked in the status message; a part of it can be wanted meanwhile, and the whole after all."""
    async with scene.engine(), scene.person() as user:
        await user.send(there.url("/page.html"))
        card = await user.expect("Which one shall I bring")
        assert "The Heights\n127.0.0.1\n" in card.raw_text
        how = await user.press(card, label(card, "Only a part"))
        assert (True, True) == (how.alert, "1:20-2:35" in (how.text or ""))
        await user.client.send_message(user.bot, "۰:۰۱ تا ۰:۰۲", reply_to=card.id)
        part = await user.expect("Only this part: \u20680:01-0:02")
        await user.press(part, label(part, "The whole film"))
        whole = await user.expect("Which one shall I bring")
        assert "Only this part" not in whole.raw_text
        await user.press(whole, label(whole, "240p"))
        assert (426, 240, 3) == await film_of(await user.expect_file())
        done = await user.expect("Done")
        assert {card.id} == {part.id, whole.id, done.id}
        always = await user.press(done, label(done, "Always: at most 240p"))
        assert "From now on: at most 240p." == plain(always.text or "")
        over = await press(scene, scene.user, card.id, b"pick:1:v480")
        assert (True, True) == (over.alert, "no longer open" in over.message)


async def test_film_when_its_person_has_a_preset_comes_unasked(scene: Scene, there: Site) -> None:
    """`/settings` says once and for all what else is asked each time; the link says which part."""
    async with scene.engine(), scene.person() as user:
        await user.send("/settings")
        settings = await user.expect("I ask you each time")
        await user.press(settings, label(settings, "480p"))
        await user.expect("at most \u2068480p")
        await user.send(there.url("/page.html") + " ۰:۰۱-")
        assert (854, 480, 2) == await film_of(await user.expect_file())
    assert [] == cards_of(scene.user)


async def test_film_when_many_people_choose_the_same_is_looked_at_and_fetched_once(
    scene: Scene, there: Site
) -> None:
    """All are asked after one look; the film that they choose comes from the site, and to Telegram, once."""
    crowd = [scene.world.add_user(f"Person {number}") for number in range(PEOPLE)]
    async with scene.engine():
        for person in crowd:
            write(scene, person, there.url("/page.html"))
        await until(lambda: all(map(cards_of, crowd)))
        looked = [asked.path for asked in there.asked]
        for person in crowd:
            (card,) = cards_of(person)
            press(scene, person, number_of(scene, card), data_of(card, b":v480"))
        await until(lambda: all(map(files_of, crowd)))
    fetched = [asked.path for asked in there.asked[len(looked) :]]
    assert ["/page.html"] * 2 == looked
    assert (["/page.html"] * 2, {"/480.mp4"}) == (fetched[:2], set(fetched[2:]))
    brought = [letter.draft.media for person in crowd for letter in files_of(person)]
    assert (PEOPLE, 1) == (len(brought), len({media.file.id for media in brought if media}))


async def test_card_when_others_press_or_data_is_forged_waits_for_its_own_person(
    scene: Scene, there: Site
) -> None:
    """What somebody else presses is no longer open, what was never offered neither; garbage is nothing."""
    async with scene.engine():
        write(scene, scene.user, there.url("/page.html"))
        await until(lambda: bool(cards_of(scene.user)))
        (card,) = cards_of(scene.user)
        number, data = number_of(scene, card), data_of(card, b":v240")
        told = [
            (await press(scene, person, number, forged)).message or ""
            for person, forged in (
                (scene.admin, data),
                (scene.admin, b"whole:1"),
                (scene.user, b"pick:1:v4320"),
                (scene.user, b"pick:99:v240"),
                (scene.user, b"sub:1:9"),
                (scene.user, b"pick:1:\xff"),
            )
        ]
        assert [True] * 5 + [False] == ["no longer open" in text for text in told]
        assert [card] == cards_of(scene.user)
        write(scene, scene.user, "/cancel")
        await until(lambda: "Cancelled." in letters_of(scene.user))


async def test_card_when_it_could_not_be_shown_comes_anew_and_when_nobody_answers_is_let_go(
    scene: Scene, there: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No question is lost, none waits for ever; both are told, with what to do next."""
    monkeypatch.setattr(service, "WATCH_S", 0.1)
    monkeypatch.setattr(limits, "CARD_S", 0.0)
    scene.world.faults.append(Fault("messages.editMessage", error=(400, "INPUT_METHOD_INVALID")))
    async with scene.engine():
        write(scene, scene.user, there.url("/page.html"))
        await until(lambda: bool(cards_of(scene.user)))
        (card,) = cards_of(scene.user)
        assert "Accepted" in letters_of(scene.user)[1]
        scene.world.faults.clear()
        monkeypatch.setattr(limits, "WAITING_CHOICE_S", 0.0)
        await until(lambda: "let this go. Send it again" in letters_of(scene.user)[-1])
        over = await press(scene, scene.user, number_of(scene, card), b"pick:1:v480")
        assert (True, True) == (over.alert, "no longer open" in over.message)
    assert [] == files_of(scene.user)


async def test_card_when_the_engine_is_killed_is_answered_to_the_next(scene: Scene, there: Site) -> None:
    """What was asked, and what was said so far, are rows."""
    async with scene.person() as user, nursery() as parent:
        async with engine(parent, scene):
            await until_it_listens(scene)
            await user.send(there.url("/page.html"))
            card = await user.expect("Which one shall I bring")
            await user.send("0:01-0:02")
            await user.expect("Only this part")
        (scene.folder / "data" / "control.sock").unlink()
        async with engine(parent, scene):
            await until_it_listens(scene)
            await user.press(card, data_of(cards_of(scene.user)[0], b":v240"))
            assert (426, 240, 1) == await film_of(await user.expect_file())
