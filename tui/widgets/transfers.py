"""The running jobs, each with its bar."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import ProgressBar, Static

from tui import plain, units, wording
from tui.widgets.panel import Panel
from uploader.snapshot import Snapshot, TransferRow


class TransferCard(Vertical):
    """One running job in two lines: what it is, and how far it is."""

    DEFAULT_CSS = """
    TransferCard {
        height: 2;
        margin-bottom: 1;
        & .line { height: 1; }
        & .name { width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
        & .facts { width: auto; max-width: 60%; text-wrap: nowrap; color: $foreground 60%; padding-left: 2; }
        & ProgressBar { width: 1fr; }
        & Bar { width: 1fr; }
        & Bar > .bar--bar { color: $primary; background: $panel; }
        & Bar > .bar--complete { color: $success; background: $panel; }
        & Bar > .bar--indeterminate { color: $secondary; background: $panel; }
        & .percent { width: 6; text-align: right; text-style: bold; }
        & .amount { width: 22; text-align: right; }
        & .speed { width: 12; text-align: right; color: $primary; }
        & .eta { width: 12; text-align: right; color: $foreground 60%; }
    }
    """

    row: reactive[TransferRow | None] = reactive(None)
    """The job as it is now."""

    def __init__(self, row: TransferRow) -> None:
        super().__init__()
        self._first = row

    def compose(self) -> ComposeResult:
        """A line of words and a line with the bar."""
        with Horizontal(classes="line"):
            yield Static(classes="name", markup=False)
            yield Static(classes="facts", markup=False)
        with Horizontal(classes="line"):
            yield ProgressBar(show_percentage=False, show_eta=False)
            for figure in ("percent", "amount", "speed", "eta"):
                yield Static(classes=figure, markup=False)

    def on_mount(self) -> None:
        """Show the first figures."""
        self.row = self._first

    def watch_row(self, row: TransferRow | None) -> None:
        """Show the job's new figures."""
        if row is None:
            return
        total = row.total_bytes
        self.query_one(ProgressBar).update(total=total, progress=row.done_bytes)
        left = "" if row.eta_s is None else f"{units.brief(row.eta_s)} left"
        figures: dict[str, Content | str] = {
            "name": _name(row),
            "facts": _facts(row),
            "percent": units.percent(row.done_bytes, total),
            "amount": _amount(row.done_bytes, total),
            "speed": units.speed(row.speed_bytes_s),
            "eta": left,
        }
        for figure, text in figures.items():
            self.query_one(f".{figure}", Static).update(text, layout=figure == "facts")


class Transfers(Panel):
    """A card per running job, oldest first."""

    BORDER_TITLE = "Active transfers"
    DEFAULT_CSS = """
    Transfers > .empty { color: $foreground 55%; }
    """

    def compose(self) -> ComposeResult:
        """The words that stand there while nothing runs."""
        yield Static("Nothing is on its way. Send the bot a link and it appears here.", classes="empty")

    async def show(self, snapshot: Snapshot, now: float) -> None:
        """Give each job its card: new ones get one, ended ones lose theirs."""
        cards = {card.row.job_id: card for card in self.query(TransferCard) if card.row is not None}
        rows = {row.job_id: row for row in snapshot.transfers}
        await self.remove_children([card for job_id, card in cards.items() if job_id not in rows])
        await self.mount_all([TransferCard(row) for job_id, row in rows.items() if job_id not in cards])
        for job_id, card in cards.items():
            card.row = rows.get(job_id, card.row)
        self.query_one(".empty").display = not rows
        speed = units.speed(sum(row.speed_bytes_s for row in rows.values()))
        self.border_subtitle = f"{len(rows)} at once · {speed}" if speed else ""


def _name(row: TransferRow) -> Content:
    name = plain.name(row.name or "")
    return Content.assemble(
        (f"{row.job_id}  ", "$foreground 55%"),
        (name, "bold") if name else ("no name yet", "italic $foreground 55%"),
    )


def _facts(row: TransferRow) -> Content:
    parts = [plain.name(row.host), wording.phase(row.phase)]
    if row.attempt > 1:
        parts.append(f"attempt {row.attempt}")
    return Content(" · ".join(parts))


def _amount(done: int, total: int | None) -> str:
    if total is None:
        return f"{units.size(done)} so far" if done else ""
    return f"{units.size(done)} of {units.size(total)}"
