"""`bench upload`: runs the benchmark before a person's eyes, as JSON, or into the docs."""

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from sandbox.bench import plot, roster
from sandbox.bench.facts import Clock, Facts
from sandbox.bench.plan import FULL, QUICK, Plan, Regime
from sandbox.bench.program import ProgramFailed
from sandbox.bench.roster import Client
from sandbox.bench.rounds import Run, Step, run
from sandbox.bench.table import bars, tables

#: The peers of a quick run.
_QUICK_PEERS: Final = frozenset({"telethon", "kurigram"})
_PAGE: Final = "PERFORMANCE.md"
_PICTURE: Final = "performance.png"
#: What stands between these lines of the page is written by a run.
_FIGURES: Final = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->)", re.DOTALL)
#: Narrower, the tables' numbers would be cut; wider, the bars say no more.
_WIDTH_LEAST: Final = 96
_WIDTH_MOST: Final = 110


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for. `only`: the names of the peers to measure, all if empty; `rounds` 0: as planned."""

    quick: bool
    rounds: int
    as_json: bool
    docs: Path | None
    only: Sequence[str]

    @property
    def plan(self) -> Plan:
        """The benchmark."""
        plan = QUICK if self.quick else FULL
        return replace(plan, rounds=self.rounds) if self.rounds else plan

    @property
    def clients(self) -> list[Client]:
        """Who takes part."""
        peers = roster.peers()
        if self.only:
            peers = [peer for peer in peers if peer.name in self.only]
        elif self.quick:
            peers = [peer for peer in peers if peer.name in _QUICK_PEERS]
        return [*roster.ours_and_limit(), *peers]


def bench_upload(wish: Wish) -> int:
    """Measure and show; returns the exit status. Raises OSError when the docs cannot be written."""
    quiet = Console(stderr=True, highlight=False)
    clock = Clock()
    try:
        outcome = _watched(wish, quiet)
    except ProgramFailed as error:
        quiet.print(f"The benchmark broke off: {error}", markup=False)
        return 1
    facts = clock.facts()
    titles = {client.name: client.title for client in wish.clients}
    if wish.as_json:
        sys.stdout.write(json.dumps(_as_json(outcome, facts)) + "\n")
    else:
        _print(outcome, facts, titles)
    if wish.docs is not None:
        for name in write_docs(wish.docs, outcome, facts, titles):
            quiet.print(f"written: {name}", markup=False)
    return 0


def _watched(wish: Wish, console: Console) -> Run:
    """Run behind a progress bar, if anybody is there to see it."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=None)

        def tell(step: Step) -> None:
            progress.update(task, description=step.what, completed=step.done, total=step.total)

        return asyncio.run(run(wish.plan, wish.clients, list(Regime), tell))


def _as_json(outcome: Run, facts: Facts) -> dict[str, object]:
    about = {"when": facts.when, "machine": facts.machine, "versions": facts.versions}
    return {
        **outcome.results.as_json(),
        "skipped": outcome.skipped,
        "about": {**about, "busy_share": facts.busy_share},
    }


def _print(outcome: Run, facts: Facts, titles: Mapping[str, str]) -> None:
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH_LEAST)
    for table in tables(outcome.results, titles):
        drawn = RichTable(title=table.title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for number, name in enumerate(table.header):
            drawn.add_column(name, justify="right" if number else "left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)
    for line in [*bars(outcome.results, titles, min(console.width, _WIDTH_MOST)), *_notes(outcome, facts)]:
        console.print(line, markup=False)


def _notes(outcome: Run, facts: Facts) -> list[str]:
    return [*facts.lines(), *(f"left out: {name}, {why}" for name, why in outcome.skipped.items())]


def write_docs(folder: Path, outcome: Run, facts: Facts, titles: Mapping[str, str]) -> list[str]:
    """Put tables and picture into the docs; the names of what was written."""
    written = []
    missing = plot.draw(outcome.results, titles, folder / _PICTURE)
    written.append(missing or str(folder / _PICTURE))
    notes = "\n".join(f"- {line}" for line in _notes(outcome, facts))
    figures = "\n".join([notes, "", *(table.as_markdown() for table in tables(outcome.results, titles))])
    page = folder / _PAGE
    text = page.read_text(encoding="utf-8")
    # a function, so that backslashes in the figures stay what they are
    page.write_text(_FIGURES.sub(lambda found: f"{found[1]}\n{figures}\n{found[2]}", text), encoding="utf-8")
    return [*written, str(page)]
