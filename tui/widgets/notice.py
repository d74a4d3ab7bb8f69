"""What is said over the dashboard while the engine cannot be seen."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui import units
from tui.picture import NOTHING_YET, Picture


class Notice(Static):
    """Says that the engine is away, why, and what to do; hidden while it is there."""

    DEFAULT_CSS = """
    Notice {
        display: none;
        height: auto;
        padding: 0 2;
        background: $error 20%;
        border-left: thick $error;
        &.-shown { display: block; }
    }
    """

    picture: reactive[Picture] = reactive(NOTHING_YET)
    """What is drawn; bound to the screen's."""

    def watch_picture(self, picture: Picture) -> None:
        """Appear when the engine goes, vanish when it is back."""
        self.set_class(picture.away is not None, "-shown")
        if picture.away is not None:
            self.update(_words(picture, picture.away))


def _words(picture: Picture, why: str) -> Content:
    if picture.snapshot is None:
        seen = "It was not seen yet."
    else:
        seen = f"Below is how it was {units.brief(picture.now - picture.snapshot.at)} ago."
    return Content.assemble(
        ("The engine is away: ", "bold"),
        f"{why}.\n",
        "Start it with: ",
        ("python run.py bot", "bold $accent"),
        f"\n{seen} This screen looks again every few seconds and comes back by itself.",
    )
