"""A message of the chat: its text, its buttons, its file."""

from dataclasses import dataclass
from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, ProgressBar, Static

from tui import plain, units
from tui.messenger import ChatButton, ChatMessage, Saved, SaveStep


class ChoiceButton(Button):
    """A button under a message; `place` counts through all rows from 0."""

    def __init__(self, choice: ChatButton, place: int) -> None:
        mark = "↗ " if choice.kind == "url" else ""
        super().__init__(Content(mark + plain.name(choice.text)), compact=True)
        self.place = place


class Bubble(Horizontal):
    """One message: the bot's at the left, the person's own at the right. Edits redraw it in place."""

    DEFAULT_CSS = """
    Bubble {
        height: auto;
        margin-bottom: 1;
        & > .frame {
            width: auto;
            max-width: 80%;
            height: auto;
            padding: 0 1;
            background: $panel;
            border-left: thick $primary;
        }
        &.-out { align-horizontal: right; }
        &.-out > .frame { background: $primary 20%; border-left: none; border-right: thick $accent; }
        & Static { width: auto; }
        & .at { color: $foreground 45%; }
        & .buttons, & .file, & .row { width: auto; height: auto; }
        & .row { margin-top: 1; }
        & Button { margin-right: 2; background: $primary 35%; }
        & Button:focus { background: $accent; color: $background; text-style: bold; }
        & .file { margin-top: 1; }
        & .file Static { margin-right: 2; }
        & ProgressBar { display: none; margin-top: 1; }
        & .saved { display: none; margin-top: 1; color: $success; }
        &.-saving ProgressBar, &.-saved .saved { display: block; }
        &.-failed .saved { display: block; color: $error; }
    }
    """

    @dataclass
    class Chosen(Message):
        """The person pressed a button."""

        message_id: int
        place: int

    @dataclass
    class SaveWanted(Message):
        """The person wants the file."""

        shown_in: "Bubble"
        message_id: int

    message: reactive[ChatMessage | None] = reactive(None)
    """The message as it is now."""

    def __init__(self, message: ChatMessage) -> None:
        super().__init__(classes="-out" if message.out else "")
        self._first = message

    def compose(self) -> ComposeResult:
        """Everything a message may have; what this one has not stays empty or hidden."""
        with Vertical(classes="frame"):
            yield Static(classes="text", markup=False)
            with Horizontal(classes="file"):
                yield Static(classes="name", markup=False)
                yield Button("Save", classes="save", compact=True)
            yield ProgressBar(show_eta=False)
            yield Static(classes="saved", markup=False)
            yield Vertical(classes="buttons")
            yield Static(classes="at", markup=False)

    async def on_mount(self) -> None:
        """Show the message as it came."""
        self.message = self._first

    async def watch_message(self, before: ChatMessage | None, message: ChatMessage | None) -> None:
        """Show the message as it is now."""
        if message is None:
            return
        text = self.query_one(".text", Static)
        text.update(plain.paragraphs(message.text))
        text.display = bool(message.text)
        self.query_one(".at", Static).update(_clock(message.at))
        self.query_one(".file").display = message.file is not None
        if message.file is not None:
            name = plain.name(message.file.name)
            self.query_one(".name", Static).update(f"▣ {name} · {units.size(message.file.size_bytes)}")
        if before is None or before.buttons != message.buttons:
            await self._show_buttons(message)

    async def _show_buttons(self, message: ChatMessage) -> None:
        box = self.query_one(".buttons")
        await box.remove_children()
        place = 0
        rows = []
        for choices in message.buttons:
            buttons = [ChoiceButton(choice, place + n) for n, choice in enumerate(choices)]
            place += len(buttons)
            rows.append(Horizontal(*buttons, classes="row"))
        await box.mount_all(rows)

    def show_step(self, step: SaveStep) -> None:
        """Show how much of the file is here."""
        self._look("-saving")
        self.query_one(ProgressBar).update(total=step.total, progress=step.progress)

    def show_saved(self, saved: Saved) -> None:
        """Show where the file is, and its digest to compare."""
        self._look("-saved", f"✓ saved: {plain.name(saved.path)}\nSHA-256 {plain.name(saved.sha256)}")

    def show_failure(self, why: str) -> None:
        """Show why the file is not here."""
        self._look("-failed", f"✗ not saved: {plain.name(why)}")

    def _look(self, look: str, text: str = "") -> None:
        self.remove_class("-saving", "-saved", "-failed").add_class(look)
        self.query_one(".saved", Static).update(text)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if self.message is None:
            return
        if isinstance(event.button, ChoiceButton):
            self.post_message(self.Chosen(self.message.id, event.button.place))
        elif not self.has_class("-saving"):
            self.post_message(self.SaveWanted(self, self.message.id))


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%H:%M}"
