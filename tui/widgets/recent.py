"""The jobs that ended, newest first."""

from collections.abc import Iterable

from tui import units, wording
from tui.widgets.table import Cell, Column, TablePanel
from uploader.snapshot import JobRow, Snapshot


class Recent(TablePanel):
    """What was delivered, and why the rest was not."""

    BORDER_TITLE = "Recent"
    COLUMNS = (
        Column(""),
        Column("#", right=True),
        Column("file", share=1),
        Column("size", right=True),
        Column("outcome", share=1),
        Column("ended", right=True),
    )
    EMPTY = "Nothing has ended yet."

    def rows(self, snapshot: Snapshot, now: float) -> Iterable[tuple[Cell, ...]]:
        """One row per ended job."""
        for job in snapshot.recent:
            mark, outcome = _outcome(job)
            yield (
                mark,
                Cell(str(job.job_id), "quiet"),
                Cell(job.name or job.host),
                Cell("" if job.size_bytes is None else units.size(job.size_bytes)),
                outcome,
                Cell(f"{units.brief(now - job.updated_at)} ago", "quiet"),
            )


def _outcome(job: JobRow) -> tuple[Cell, Cell]:
    if job.state == "done":
        took = units.duration(job.updated_at - job.created_at)
        return Cell("✓", "good"), Cell(f"delivered in {took}")
    if job.state == "cancelled":
        return Cell("-", "quiet"), Cell("cancelled", "quiet")
    return Cell("✗", "bad"), Cell(wording.reason(job.reason), "bad")
