"""The jobs that wait, next first."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tui import units
from tui.widgets.table import Cell, Column, TablePanel
from uploader.snapshot import JobRow, Snapshot

#: What people have to do before a job goes on, by its state.
_PEOPLE: Mapping[str, str] = MappingProxyType({"waiting_choice": "a choice", "waiting_sponsors": "sponsors"})


class Queue(TablePanel):
    """What waits, for what, and how long already."""

    BORDER_TITLE = "Queue"
    COLUMNS = (
        Column("#", right=True),
        Column("file", share=1),
        Column("waits for"),
        Column("since", right=True),
    )
    EMPTY = "Nobody waits."

    def show(self, snapshot: Snapshot, now: float) -> None:
        """Say in the frame how many wait in all: the rows are only the first of them."""
        super().show(snapshot, now)
        counts = snapshot.counts
        waiting = sum(counts.get(state, 0) for state in ("queued", *_PEOPLE))
        self.border_subtitle = f"{waiting:,}" if waiting else ""

    def rows(self, snapshot: Snapshot, now: float) -> Iterable[tuple[Cell, ...]]:
        """The file is named by its host until its name is known."""
        for job in snapshot.queue:
            yield (
                Cell(str(job.job_id), "quiet"),
                Cell(job.name or job.host),
                _awaited(job, now),
                Cell(units.brief(now - job.created_at), "quiet"),
            )


def _awaited(job: JobRow, now: float) -> Cell:
    if job.state in _PEOPLE:
        return Cell(_PEOPLE[job.state], "busy")
    if job.run_at > now:
        return Cell(f"retry in {units.brief(job.run_at - now)}", "bad")
    return Cell("its turn", "good")
