"""A message of the chat: its text, its file, its buttons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, Static

from tui import plain
from tui.messenger import ChatButton, ChatMessage
from tui.widgets.file_card import FileCard


class ChoiceButton(Button):
    """A button under a message; `place` counts through all rows from 0."""

    def __init__(self, choice: ChatButton, place: int) -> None:
        mark = "↗ " if choice.kind == "url" else ""
        super().__init__(Content(mark + plain.name(choice.text)), compact=True, classes="choice")
        self.place = place


class Bubble(Horizontal):
    """One message: the bot's at the left, the person's own at the right. Edits redraw it in place."""

    DEFAULT_CSS = """
    Bubble {
        height: auto;
        padding-right: 2;
        margin-bottom: 1;
        & > .frame {
            width: auto;
            max-width: 90%;
            height: auto;
            padding: 0 1;
            background: $panel;
            border-left: thick $primary;
        }
        &.-out { align-horizontal: right; }
        &.-out > .frame { background: $primary 20%; border-left: none; border-right: thick $accent; }
        & Static { width: auto; max-width: 100%; text-overflow: fold; }
        & .at { color: $foreground 45%; }
        & .file, & .buttons, & .row { width: auto; height: auto; }
        & .row { margin-top: 1; }
        & Button.choice { min-width: 8; margin-right: 2; color: $text; background: $primary 30%; }
        & Button.choice:hover { background: $primary 50%; }
        & Button.choice:focus { color: $background; background: $accent; text-style: bold; }
    }
    """

    @dataclass
    class Chosen(Message):
        """The person pressed a button."""

        message_id: int
        place: int

    class Left(Message):
        """What had the focus goes away."""

    @dataclass
    class SaveWanted(Message):
        """The person wants the file; `card` shows how it goes."""

        card: FileCard
        message_id: int

    message: reactive[ChatMessage | None] = reactive(None)
    """The message as it is now."""

    def __init__(self, message: ChatMessage) -> None:
        super().__init__(classes="-out" if message.out else "")
        self._first = message

    def compose(self) -> ComposeResult:
        """A place for each part that a message may have."""
        with Vertical(classes="frame"):
            yield Static(classes="text", markup=False)
            yield Vertical(classes="file")
            yield Vertical(classes="buttons")
            yield Static(classes="at", markup=False)

    def on_mount(self) -> None:
        """Show the message as it came."""
        self.message = self._first

    def watch_message(self, before: ChatMessage | None, message: ChatMessage | None) -> None:
        """Show the message as it is now, leaving alone what did not change."""
        if message is None:
            return
        text = self.query_one(".text", Static)
        text.update(plain.paragraphs(message.text))
        text.display = bool(message.text)
        self.query_one(".at", Static).update(_clock(message.at))
        if (before and before.file) != message.file:
            self._fill(".file", [FileCard(message.file)] if message.file else [])
        if (before.buttons if before else ()) != message.buttons:
            self._fill(".buttons", list(_rows(message)))

    def _fill(self, place: str, parts: list[FileCard] | list[Horizontal]) -> None:
        box = self.query_one(place)
        if self.screen.focused in box.walk_children():
            self.post_message(self.Left())
        box.remove_children()
        box.mount_all(parts)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if self.message is not None and isinstance(event.button, ChoiceButton):
            self.post_message(self.Chosen(self.message.id, event.button.place))

    @on(FileCard.SaveWanted)
    def _save_wanted(self) -> None:
        if self.message is not None:
            self.post_message(self.SaveWanted(self.query_one(FileCard), self.message.id))


def _rows(message: ChatMessage) -> Iterator[Horizontal]:
    places = count()
    for choices in message.buttons:
        yield Horizontal(*(ChoiceButton(choice, next(places)) for choice in choices), classes="row")


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%H:%M}"
