"""A file in a message of the chat: its name, its size, and how saving it goes."""

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, ProgressBar, Static

from tui import plain, units
from tui.messenger import ChatFile, Saved, SaveStep

#: Leaves room for the size and the button on the narrowest terminal.
NAME_CHARACTERS: Final = 40


class FileCard(Vertical):
    """Offers to save `file`; whoever saves it tells the card how it goes, also when the card is gone."""

    DEFAULT_CSS = """
    FileCard {
        width: auto;
        height: auto;
        & Horizontal { width: auto; height: auto; }
        & .name { margin-right: 2; }
        & ProgressBar { display: none; margin-top: 1; }
        & .outcome { display: none; margin-top: 1; color: $success; }
        &.-saving ProgressBar, &.-saved .outcome, &.-failed .outcome { display: block; }
        &.-failed .outcome { color: $error; }
    }
    """

    class SaveWanted(Message):
        """The person wants the file of this card."""

    def __init__(self, file: ChatFile) -> None:
        super().__init__()
        self._file = file
        self._bar = ProgressBar(show_eta=False)
        self._outcome = Static(classes="outcome", markup=False)

    def compose(self) -> ComposeResult:
        """The file, and what is hidden until it is saved."""
        name = plain.short(plain.name(self._file.name), NAME_CHARACTERS)
        with Horizontal():
            yield Static(f"▣ {name} · {units.size(self._file.size_bytes)}", classes="name", markup=False)
            yield Button("Save", classes="choice save", compact=True)
        yield self._bar
        yield self._outcome

    def show_step(self, step: SaveStep) -> None:
        """Show how much of the file is here."""
        self._look("-saving")
        self._bar.update(total=step.total, progress=step.progress)

    def show_saved(self, saved: Saved) -> None:
        """Show where the file is, and its digest to compare."""
        self._look("-saved", f"✓ saved: {plain.name(saved.path)}\nSHA-256:\n{plain.name(saved.sha256)}")

    def show_failure(self, why: str) -> None:
        """Show why the file is not here."""
        self._look("-failed", f"✗ not saved: {plain.name(why)}")

    def _look(self, look: str, outcome: str = "") -> None:
        self.remove_class("-saving", "-saved", "-failed").add_class(look)
        self._outcome.update(outcome)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if not self.has_class("-saving"):
            self.post_message(self.SaveWanted())
