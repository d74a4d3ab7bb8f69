"""The demo's chat, played by mouse and keyboard against a scripted other end."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.other_end import OtherEnd
from tests.tui.stage import FakeEngine, StillApp, shown, until
from tui.screens.chat import BUBBLES, ChatScreen
from tui.screens.dashboard import DashboardScreen
from tui.widgets.bubble import Bubble, ChoiceButton

LINK = "http://127.0.0.1:8080/film.mkv"
BUTTONS = [
    [
        {"text": "Join", "kind": "url", "url": "https://t.me/daily_tech"},
        {"text": "[b]What?", "kind": "callback"},
    ],
    [{"text": "I have joined", "kind": "callback"}],
]


class Chatting:
    """An app in its chat screen, and who is at the other end."""

    def __init__(self, app: StillApp, pilot: Pilot[None], other: OtherEnd) -> None:
        self.app = app
        self.pilot = pilot
        self.other = other

    async def until_shown(self, text: str) -> None:
        """Wait until the terminal shows `text`."""
        await until(self.pilot, lambda: text in shown(self.app))

    async def until_asked(self, op: str) -> list[dict[str, object]]:
        """Wait for the first such request."""
        await until(self.pilot, lambda: self.other.asked(op))
        return self.other.asked(op)

    async def receive(self, text: str, **changes: object) -> int:
        """Let the bot say something, and give the message's id once it is shown."""
        message = self.other.message(text, **changes)
        await self.other.happen(event="message", message=message)
        await until(
            self.pilot, lambda: any(b.message and b.message.id == message["id"] for b in self.bubbles)
        )
        await self.pilot.pause()
        return int(message["id"])

    @property
    def bubbles(self) -> list[Bubble]:
        """The messages on the screen."""
        return list(self.app.screen.query(Bubble))

    def button(self, label: str) -> ChoiceButton:
        """The button with this label."""
        (found,) = (b for b in self.app.screen.query(ChoiceButton) if str(b.label) == label)
        return found


@asynccontextmanager
async def chatting(
    socket_path: Path, *, downloads: Path = Path("downloads"), size: tuple[int, int] = (100, 40)
) -> AsyncIterator[Chatting]:
    """Open the chat as a newcomer does: `c` on the dashboard. The engine may be away for this."""
    other = OtherEnd()
    async with other.listening() as address:
        app = StillApp(socket_path, address, sample_link=LINK, downloads=downloads)
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, ChatScreen) and other.watching.is_set())
            yield Chatting(app, pilot, other)


async def test_chat_when_opened_says_who_talks_and_what_to_do(socket_path: Path) -> None:
    """A newcomer knows what to type."""
    async with chatting(socket_path, size=(80, 24)) as chat:
        await chat.until_shown("You are Sara, talking to @peyk_bot")
        text = shown(chat.app)
        assert "Write /start to meet the bot" in text
        assert "press F2 for a link" in text


async def test_text_when_typed_is_sent_and_shown_at_the_right(socket_path: Path) -> None:
    """What the person said comes back from the chat as their own message."""
    async with chatting(socket_path) as chat:
        await chat.pilot.press(*"/start", "enter")
        assert [{"text": "/start"}] == await chat.until_asked("say")
        await until(chat.pilot, lambda: chat.bubbles)
        assert chat.bubbles[0].has_class("-out")
        assert "" == chat.app.screen.query_one(Input).value
        await chat.pilot.press("space", "enter")
        await chat.receive("Hello!")
        assert [{"text": "/start"}] == chat.other.asked("say")
        assert not chat.bubbles[1].has_class("-out")


async def test_sample_link_when_suggested_is_put_into_the_input_and_can_be_sent(socket_path: Path) -> None:
    """One key, then enter."""
    async with chatting(socket_path) as chat:
        await chat.pilot.press("f2")
        assert LINK == chat.app.screen.query_one(Input).value
        await chat.pilot.press("enter")
        assert [{"text": LINK}] == await chat.until_asked("say")


async def test_message_when_edited_changes_in_place(socket_path: Path) -> None:
    """The bot's progress is one message, not a hundred; its buttons go when they are taken away."""
    async with chatting(socket_path) as chat:
        cancel = [[{"text": "Cancel", "kind": "callback"}]]
        await chat.receive("10 %", buttons=cancel)
        bubble = chat.bubbles[0]
        message = chat.other.message("20 %", buttons=cancel, id=1)
        await chat.other.happen(event="edit", message=message)
        await chat.until_shown("20 %")
        assert "10 %" not in shown(chat.app)
        assert [bubble] == chat.bubbles
        await chat.other.happen(event="edit", message=message | {"text": "done", "buttons": []})
        await chat.until_shown("done")
        await until(chat.pilot, lambda: not chat.app.screen.query(ChoiceButton))


async def test_message_when_deleted_leaves_the_screen(socket_path: Path) -> None:
    """The others stay."""
    async with chatting(socket_path) as chat:
        for text in ("one", "two", "three"):
            await chat.receive(text)
        await chat.other.happen(event="delete", ids=[1, 3])
        await until(chat.pilot, lambda: [b.message.text for b in chat.bubbles if b.message] == ["two"])


@pytest.mark.parametrize(("label", "place"), [("↗ Join", 0), ("[b]What?", 1), ("I have joined", 2)])
async def test_button_when_clicked_is_pressed_by_its_place(socket_path: Path, label: str, place: int) -> None:
    """Places count through the rows; a label is no markup."""
    async with chatting(socket_path) as chat:
        message_id = await chat.receive("Join first:", buttons=BUTTONS)
        await chat.pilot.click(chat.button(label))
        assert [{"message_id": message_id, "button": place}] == await chat.until_asked("press")


async def test_button_when_reached_by_keyboard_is_pressed(socket_path: Path) -> None:
    """Shift+tab from the input is the newest button, enter presses it."""
    async with chatting(socket_path) as chat:
        message_id = await chat.receive("Join first:", buttons=BUTTONS)
        await chat.pilot.press("shift+tab", "enter")
        assert [{"message_id": message_id, "button": 2}] == await chat.until_asked("press")


async def test_button_when_it_goes_away_after_its_press_leaves_the_keys_to_the_input(
    socket_path: Path,
) -> None:
    """Who has pressed one by the keyboard can write on, and presses no other by that."""
    async with chatting(socket_path) as chat:
        await chat.receive("Another one:", buttons=BUTTONS[:1])
        message_id = await chat.receive("Join first:", buttons=BUTTONS)
        await chat.pilot.press("shift+tab", "enter")
        await chat.until_asked("press")
        await chat.other.happen(
            event="edit", message=chat.other.message("Thanks.", id=message_id, buttons=[])
        )
        await until(chat.pilot, lambda: len(chat.app.screen.query(ChoiceButton)) == 2)
        await chat.pilot.pause()
        assert isinstance(chat.app.focused, Input)
        await chat.pilot.press("h", "i")
        assert "hi" == chat.app.screen.query_one(Input).value


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ok": True, "alert": "[i]You still have to join."}, "[i]You still have to join."),
        ({"ok": True, "joined": "daily_tech"}, "You joined @daily_tech."),
        ({"ok": True, "url": "https://example.org/[x]"}, "https://example.org/[x]"),
        ({"ok": False, "error": "the bot is silent"}, "The button did nothing: the bot is silent."),
    ],
)
async def test_button_when_answered_shows_the_answer(
    socket_path: Path, answer: dict[str, object], expected: str
) -> None:
    """Alerts, joined channels, addresses and refusals are told as plain text."""
    async with chatting(socket_path) as chat:
        chat.other.answers["press"] = answer
        await chat.receive("Join first:", buttons=BUTTONS)
        await chat.pilot.click(chat.button("I have joined"))
        await chat.until_shown(expected)


async def test_file_when_saved_shows_its_place_and_digest(socket_path: Path, tmp_path: Path) -> None:
    """The folder is made, the other end writes into it, the digest can be compared."""
    async with chatting(socket_path, downloads=tmp_path / "new" / "downloads") as chat:
        chat.other.content = b"film" * 5000
        file = {"name": "f" * 100 + "ilm.mkv", "size_bytes": 20_000, "mime_type": "video/x-matroska"}
        await chat.receive("", file=file)
        assert "lm.mkv · 19.5 KiB" in shown(chat.app)
        await chat.pilot.click(".save")
        await chat.until_shown(hashlib.sha256(chat.other.content).hexdigest())
        assert (tmp_path / "new" / "downloads" / "arrived.bin").read_bytes() == chat.other.content


async def test_file_when_it_cannot_be_saved_says_why(socket_path: Path, tmp_path: Path) -> None:
    """A refusal of the chat, and a folder that cannot be made."""
    (tmp_path / "file").write_text("")
    file = {"name": "film.mkv", "size_bytes": 5, "mime_type": ""}
    async with chatting(socket_path, downloads=tmp_path / "file" / "folder") as chat:
        await chat.receive("", file=file)
        await chat.pilot.click(".save")
        await chat.until_shown("✗ not saved:")
    async with chatting(socket_path, downloads=tmp_path) as chat:
        chat.other.answers["save"] = {"ok": False, "error": "file expired"}
        await chat.receive("", file=file)
        await chat.pilot.click(".save")
        await chat.until_shown("✗ not saved: file expired")


async def test_file_when_its_message_is_deleted_while_it_is_saved_does_no_harm(
    socket_path: Path, tmp_path: Path
) -> None:
    """The file arrives all the same."""
    async with chatting(socket_path, downloads=tmp_path) as chat:
        chat.other.content = b"film"
        chat.other.may_save.clear()
        message_id = await chat.receive("", file={"name": "film.mkv", "size_bytes": 4, "mime_type": ""})
        await chat.pilot.click(".save")
        await chat.until_asked("save")
        await chat.other.happen(event="delete", ids=[message_id])
        await until(chat.pilot, lambda: not chat.bubbles)
        chat.other.may_save.set()
        await until(chat.pilot, (tmp_path / "arrived.bin").exists)
        await until(chat.pilot, lambda: all(worker.name != "save" for worker in chat.app.workers))


async def test_messages_when_hostile_are_shown_as_plain_text(socket_path: Path) -> None:
    """No markup, no escapes, no overrides; lines stay lines."""
    async with chatting(socket_path) as chat:
        await chat.receive("[red]a[/red]\x1b[31m\n\u202eb\u2068c\u2069 [@click=app.quit]d[/]")
        text = shown(chat.app)
        assert "[red]a[/red]" in text
        assert "bc [@click=app.quit]d[/]" in text
        assert not set("\x1b\u202e\u2068\u2069") & set(text)


async def test_messages_when_there_are_many_keep_the_newest(socket_path: Path) -> None:
    """The screen does not grow without end."""
    async with chatting(socket_path) as chat:
        for n in range(BUBBLES + 5):
            await chat.other.happen(event="message", message=chat.other.message(f"message {n}"))
        await chat.until_shown(f"message {BUBBLES + 4}")
        assert BUBBLES == len(chat.bubbles)


async def test_chat_when_left_and_opened_again_kept_everything(engine: FakeEngine, socket_path: Path) -> None:
    """Escape leads to the dashboard, where letters are keys again; what came meanwhile is there."""
    async with engine.server(socket_path), chatting(socket_path) as chat:
        await chat.receive("one")
        await chat.pilot.press("escape")
        await until(chat.pilot, lambda: isinstance(chat.app.screen, DashboardScreen))
        await until(chat.pilot, lambda: "● serving" in shown(chat.app))
        assert "c Chat" in shown(chat.app)
        await chat.other.happen(event="message", message=chat.other.message("two"))
        await chat.pilot.press("c")
        await chat.until_shown("two")
        assert "one" in shown(chat.app)


async def test_chat_when_the_demo_has_ended_says_so(socket_path: Path) -> None:
    """No traceback, and the text that was typed is told to be lost."""
    async with OtherEnd().listening() as address:
        pass
    app = StillApp(socket_path, address)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        await pilot.press("c")
        await until(pilot, lambda: "The chat is away" in shown(app))
        assert "Suggest" not in shown(app)
        await pilot.press(*"hi", "enter")
        await until(pilot, lambda: "Not sent: the chat cannot be reached" in shown(app))
