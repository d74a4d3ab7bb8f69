"""The jobs that ended, newest first, and the sites that are let rest because too many failed there."""

from collections.abc import Iterable

from textual.content import Content

from tui import plain, units, wording
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

    def show(self, snapshot: Snapshot, now: float) -> None:
        """The rows, and in the frame which sites rest and for how long."""
        super().show(snapshot, now)
        self.border_subtitle = _resting(snapshot, now)

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


def _resting(snapshot: Snapshot, now: float) -> Content:
    passed_s = now - snapshot.at
    sites = [
        f"{plain.name(row.site)} {units.duration(max(0.0, row.wait_s - passed_s))}"
        for row in snapshot.resting
    ]
    return Content.styled(f"resting: {' · '.join(sites)}" if sites else "", "$warning")


def _outcome(job: JobRow) -> tuple[Cell, Cell]:
    if job.state == "done":
        took = units.duration(job.updated_at - job.created_at)
        return Cell("✓", "good"), Cell(f"delivered in {took}")
    if job.state == "cancelled":
        return Cell("-", "quiet"), Cell("cancelled", "quiet")
    return Cell("✗", "bad"), Cell(wording.reason(job.reason), "bad")
