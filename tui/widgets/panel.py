"""A framed part of the dashboard that draws the picture."""

from textual.containers import VerticalScroll
from textual.reactive import reactive

from tui.picture import NOTHING_YET, Picture
from uploader.snapshot import Snapshot


class Panel(VerticalScroll):
    """A frame with a title. Subclasses draw each new snapshot in `show`."""

    DEFAULT_CSS = """
    Panel {
        border: round $primary 40%;
        border-title-color: $text;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        background: $background;
        padding: 0 0 0 1;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        scrollbar-color: $primary 40%;
        scrollbar-background: $background;
        & > * { padding-right: 1; }
        &:focus { border: round $primary; }
    }
    """

    picture: reactive[Picture] = reactive(NOTHING_YET)
    """What is drawn; bound to the screen's."""

    def watch_picture(self, picture: Picture) -> None:
        """Draw what the engine said last, also while it is away."""
        if picture.snapshot is not None:
            self.show(picture.snapshot, picture.now)

    def show(self, snapshot: Snapshot, now: float) -> None:
        """Draw `snapshot`, looked at `now`."""
        raise NotImplementedError
