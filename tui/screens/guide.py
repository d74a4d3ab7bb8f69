"""The help page."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

_KEYS = (
    ("m", "switch maintenance: while it is on, no new links are taken"),
    ("d", "stop the engine: what it carries goes on at the next start"),
    ("c", "open the chat (in the demo)"),
    ("tab", "go from panel to panel; the arrow keys scroll"),
    ("?", "this page"),
    ("q", "close the dashboard; the engine goes on"),
)

_WORDS = (
    ("its turn", "the job starts as soon as a place is free"),
    ("sponsors", "the person still has channels to join"),
    ("retry in ...", "an attempt failed; parts that were sent are kept"),
    ("left", "from the bytes Telegram acknowledged just now"),
    ("asked, joined", "people shown the lock; those who joined after it"),
)


class Guide(ModalScreen[None]):
    """The keys, and the words that the panels use."""

    DEFAULT_CSS = """
    Guide {
        align: center middle;
        & > VerticalScroll {
            width: 76;
            max-width: 95%;
            height: auto;
            max-height: 90%;
            padding: 1 2;
            background: $surface;
            border: round $primary;
            border-title-style: bold;
            border-subtitle-color: $text-muted;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close"),
    ]

    def compose(self) -> ComposeResult:
        """One page of text."""
        with VerticalScroll() as page:
            page.border_title = "Help"
            page.border_subtitle = "escape closes"
            yield Static(Content("\n").join([*_lines(_KEYS, 8), "", *_lines(_WORDS, 15)]))


def _lines(pairs: tuple[tuple[str, str], ...], width: int) -> list[Content]:
    return [Content.assemble((f"{word:<{width}}", "bold $accent"), meaning) for word, meaning in pairs]
