"""The running jobs, each with its bar."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
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

    def __init__(self, row: TransferRow) -> None:
        super().__init__()
        self._bar = ProgressBar(show_percentage=False, show_eta=False)
        self._words = {name: Static(classes=name, markup=False) for name in ("name", "facts")}
        self._figures = {
            name: Static(classes=name, markup=False) for name in ("percent", "amount", "speed", "eta")
        }
        self.row = row
        self.show(row)

    def compose(self) -> ComposeResult:
        """A line of words and a line with the bar."""
        yield Horizontal(*self._words.values(), classes="line")
        yield Horizontal(self._bar, *self._figures.values(), classes="line")

    def show(self, row: TransferRow) -> None:
        """Show the job as it is now."""
        self.row = row
        done, total = row.done_bytes, row.total_bytes
        self._bar.update(total=total, progress=done)
        self._words["name"].update(_name(row))
        self._words["facts"].update(_facts(row))
        self._figures["percent"].update(units.percent(done, total))
        self._figures["amount"].update(_amount(done, total))
        self._figures["speed"].update(units.speed(row.speed_bytes_s))
        self._figures["eta"].update("" if row.eta_s is None else f"{units.brief(row.eta_s)} left")


class Transfers(Panel):
    """A card per running job, oldest first."""

    BORDER_TITLE = "Active transfers"
    DEFAULT_CSS = """
    Transfers > .empty { color: $foreground 55%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[int, TransferCard] = {}

    def compose(self) -> ComposeResult:
        """The words that stand there while nothing runs."""
        yield Static("Nothing is on its way. Send the bot a link and it appears here.", classes="empty")

    def show(self, snapshot: Snapshot, now: float) -> None:
        """Give each job its card: new ones get one, ended ones lose theirs."""
        rows = {row.job_id: row for row in snapshot.transfers}
        for job_id in self._cards.keys() - rows.keys():
            self._cards.pop(job_id).remove()
        for job_id, row in rows.items():
            if job_id in self._cards:
                self._cards[job_id].show(row)
            else:
                self._cards[job_id] = TransferCard(row)
                self.mount(self._cards[job_id])
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
    parts = [plain.name(row.host), plain.name(wording.phase(row.phase))]
    if row.attempt > 1:
        parts.append(f"attempt {row.attempt}")
    if row.parked_s:
        parts.append(f"waiting for Telegram, {units.brief(row.parked_s)}")
    return Content(" · ".join(parts))


def _amount(done: int, total: int | None) -> str:
    if total is None:
        return f"{units.size(done)} so far" if done else ""
    return f"{units.size(done)} of {units.size(total)}"
