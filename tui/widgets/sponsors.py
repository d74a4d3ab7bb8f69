"""The sponsor locks and what they brought."""

from collections.abc import Iterable

from tui import units
from tui.widgets.table import Cell, Column, TablePanel
from uploader.snapshot import Snapshot


class Sponsors(TablePanel):
    """Each locked channel: people who were asked, and those of them who joined."""

    BORDER_TITLE = "Sponsor locks"
    COLUMNS = (
        Column("channel", share=1),
        Column("asked", right=True),
        Column("joined", right=True),
        Column("", right=True, spare=True),
    )
    EMPTY = "No locks: everybody is served at once. An admin adds one in chat: /lock add @channel"

    def rows(self, snapshot: Snapshot, now: float) -> Iterable[tuple[Cell, ...]]:
        """The share is of those asked; a lock that was shown to nobody has none."""
        for lock in snapshot.sponsors:
            yield (
                Cell(f"{lock.title} @{lock.username}"),
                Cell(f"{lock.asked:,}"),
                Cell(f"{lock.joined:,}", "good"),
                Cell(units.percent(lock.joined, lock.asked) if lock.asked else "", "quiet"),
            )
