"""A question with two answers."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirmation(ModalScreen[bool]):
    """Asks `question`, explains it in `consequence`, and returns whether `deed` shall be done."""

    DEFAULT_CSS = """
    Confirmation {
        align: center middle;
        & > Vertical {
            width: 60;
            max-width: 90%;
            height: auto;
            padding: 1 2;
            background: $surface;
            border: round $warning;
            border-title-color: $warning;
            border-title-style: bold;
        }
        & Horizontal { height: auto; align-horizontal: right; margin-top: 1; }
        & Button { margin-left: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, *, question: str, consequence: str, deed: str) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._deed = deed

    def compose(self) -> ComposeResult:
        """The question as title, and the safe answer in focus."""
        with Vertical() as dialog:
            dialog.border_title = self._question
            yield Static(self._consequence, markup=False)
            with Horizontal():
                yield Button("Cancel (n)", id="no")
                yield Button(f"{self._deed} (y)", id="yes", variant="warning")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, deed: bool) -> None:
        """Answer by key."""
        self.dismiss(deed)
