"""A panel of rows whose columns share the width there is."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import ClassVar, Final, Literal

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from tui import plain
from tui.widgets.panel import Panel
from uploader.snapshot import Snapshot

#: Cells; below this the spare columns go.
NARROW: Final = 40

#: From here on the columns stand two cells apart.
WIDE: Final = 90

Tone = Literal["", "good", "bad", "quiet", "busy"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text from anywhere, shown as one plain line in its tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. One with a `share` takes that share of the width the others leave."""

    title: str
    share: int | None = None
    right: bool = False
    spare: bool = False  # left out of a panel narrower than NARROW


class TablePanel(Panel):
    """Subclasses name their `COLUMNS`, their `EMPTY` text, and say their `rows`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head",
        "table--good",
        "table--bad",
        "table--quiet",
        "table--busy",
    }
    DEFAULT_CSS = """
    TablePanel {
        & > .table--head { color: $secondary; }
        & > .table--good { color: $success; }
        & > .table--bad { color: $error; }
        & > .table--quiet { color: $foreground 55%; }
        & > .table--busy { color: $accent; }
        & > .-empty { color: $foreground 55%; }
    }
    """

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    EMPTY: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        """One text block: the table, or the words that stand in for an empty one."""
        yield Static(markup=False)

    def on_resize(self) -> None:
        """Draw again: other columns may fit now."""
        self.watch_picture(self.picture)

    def show(self, snapshot: Snapshot, now: float) -> None:
        """Draw all rows anew: they are few."""
        rows = list(self.rows(snapshot, now))
        text = self.query_one(Static)
        text.set_class(not rows, "-empty")
        text.update(self._table(rows) if rows else self.EMPTY)

    def rows(self, snapshot: Snapshot, now: float) -> Iterable[tuple[Cell, ...]]:
        """The rows of `snapshot`, one cell per column."""
        raise NotImplementedError

    def _table(self, rows: list[tuple[Cell, ...]]) -> Table:
        table = Table(
            box=None,
            expand=True,
            pad_edge=False,
            padding=(0, 2, 0, 0) if self.size.width >= WIDE else (0, 1, 0, 0),
            header_style=self._style("head"),
        )
        fitting = [not column.spare or self.size.width >= NARROW for column in self.COLUMNS]
        for column in compress(self.COLUMNS, fitting):
            table.add_column(
                column.title,
                ratio=column.share,
                justify="right" if column.right else "left",
                no_wrap=True,
                overflow="ellipsis",
            )
        for row in rows:
            table.add_row(
                *(
                    Text(plain.name(cell.text), style=self._style(cell.tone))
                    for cell in compress(row, fitting)
                )
            )
        return table

    def _style(self, tone: Tone | Literal["head"]) -> str:
        if not tone:
            return ""
        color = self.get_component_rich_style(f"table--{tone}").color
        return "" if color is None else color.name
