"""The chat's control protocol, request by request."""

import asyncio
import hashlib
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.tui.other_end import OtherEnd
from tui.messenger import LINE_BYTES, Messenger, MessengerError, Pressed, Saved, SaveStep


async def test_hello_when_asked_says_who_is_who() -> None:
    """The person, the bot and the channel."""
    other = OtherEnd()
    async with other.listening() as address:
        hello = await Messenger(*address).hello()
    assert ("Sara", "peyk_bot", "daily_tech") == (
        hello.user.first_name,
        hello.bot.username,
        hello.channel.username,
    )


async def test_say_when_sent_arrives_as_it_was_written() -> None:
    """Persian, quotes and line breaks cross the line protocol."""
    other = OtherEnd()
    text = 'سلام "دوست"\nline 2'
    async with other.listening() as address:
        await Messenger(*address).say(text)
    assert [{"text": text}] == other.asked("say")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ok": True, "alert": "Join first"}, Pressed(alert="Join first")),
        ({"ok": True, "alert": None}, Pressed()),
        ({"ok": True, "joined": "daily_tech"}, Pressed(joined="daily_tech")),
        ({"ok": True, "url": "https://t.me/x"}, Pressed(url="https://t.me/x")),
    ],
)
async def test_press_when_answered_says_what_the_button_did(
    answer: dict[str, object], expected: Pressed
) -> None:
    """Three kinds of buttons, three answers."""
    other = OtherEnd()
    other.answers["press"] = answer
    async with other.listening() as address:
        assert expected == await Messenger(*address).press(5, 2)
    assert [{"message_id": 5, "button": 2}] == other.asked("press")


async def test_save_when_asked_gives_steps_and_then_the_file(tmp_path: Path) -> None:
    """The digest is the other end's, over what it wrote."""
    other = OtherEnd()
    other.content = b"film" * 1000
    async with other.listening() as address, aclosing(Messenger(*address).save(5, tmp_path)) as steps:
        seen = [step async for step in steps]
    path = tmp_path / "arrived.bin"
    assert [
        SaveStep(progress=2000, total=4000),
        Saved(path=str(path), size_bytes=4000, sha256=hashlib.sha256(other.content).hexdigest()),
    ] == seen


async def test_watch_when_things_happen_yields_them_in_order() -> None:
    """Messages, edits and deletes."""
    other = OtherEnd()
    async with other.listening() as address, aclosing(Messenger(*address).watch()) as events:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(anext(events))
            await other.watching.wait()
            await other.happen(event="message", message=other.message("one"))
        event = task.result()
        assert ("message", "one") == (event.event, event.message and event.message.text)
        await other.happen(event="delete", ids=[1, 2])
        assert (1, 2) == (await anext(events)).ids


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"ok": False, "error": "no such message"}, "no such message"),
        ({"ok": True, "user": 5}, "another protocol"),
        ({"ok": True, "user": "x" * 2 * LINE_BYTES}, "too long"),
    ],
)
async def test_call_when_refused_or_answered_strangely_raises(
    answer: dict[str, object], problem: str
) -> None:
    """The message is for the person at the screen."""
    other = OtherEnd()
    other.answers["hello"] = answer
    async with other.listening() as address:
        with pytest.raises(MessengerError, match=problem):
            await Messenger(*address).hello()


async def test_call_when_nobody_listens_raises() -> None:
    """The demo ended, or never began."""
    async with OtherEnd().listening() as address:
        pass
    with pytest.raises(MessengerError, match="is the demo still running"):
        await Messenger(*address).hello()
