"""What was measured, as tables: for the terminal and for the docs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.bench.figures import OURS, Figures, Results
from sandbox.bench.plan import FIRST, LARGE, MANY, SINGLE, Regime


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A title and rows of text; the first column is text, the others are numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_markdown(self) -> str:
        """With its title above."""
        rule = ["---", *("---:" for _ in self.header[1:])]
        lines = [self.header, rule, *self.rows]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


_HEADER = ("client", "MB/s", "Peyk is", "of limit", "CPU-s/GB", "RSS MB (+)", "lag ms p50/p99/max")


def tables(results: Results, titles: Mapping[str, str]) -> Iterator[Table]:
    """One for each network and kind of load; `titles` names the clients for people."""
    loads = {
        SINGLE: "one file",
        LARGE: "one large file",
        MANY: "8 files at once",
        FIRST: "the first file after the start",
    }
    for stage, load in loads.items():
        for regime in results.regimes(stage):
            yield _table(results, titles, regime, stage, load)


def _table(results: Results, titles: Mapping[str, str], regime: Regime, stage: str, load: str) -> Table:
    figures = results.figures(regime, stage)
    ours = figures.get(OURS)
    # many files at once have the limit of one: it is the machine's
    limit = results.limit(regime, stage) or results.limit(regime, SINGLE)
    chatty = stage == MANY
    rows = [
        [titles[client], *_cells(each, ours, limit), *([_waits(each.chat_p50_ms, each.chat_p99_ms)] * chatty)]
        for client, each in figures.items()
    ]
    if limit is not None and not chatty:
        rows.append(["limit", f"{limit.mb_s:.0f}", "", "", f"{limit.cpu_s_per_gb:.1f}", "", ""])
    size_mib = max((each.size_mb for each in figures.values()), default=0.0) * 1e6 / 2**20
    return Table(
        title=f"{regime.heading}: {load}, {size_mib:.0f} MiB",
        header=[*_HEADER, *(["chat ms p50/p99"] * chatty)],
        rows=rows,
    )


def _cells(each: Figures, ours: Figures | None, limit: Figures | None) -> list[str]:
    return [
        f"{each.mb_s:.0f}" if each.mb_s >= 20 else f"{each.mb_s:.1f}",
        "" if each is ours else _ratio(ours, each),
        f"{each.mb_s / limit.mb_s:.2f}" if limit is not None else "",
        f"{each.cpu_s_per_gb:.1f}",
        f"{each.rss_mb:.0f} (+{each.rss_mb - each.rss_idle_mb:.0f})",
        _waits(each.lag_p50_ms, each.lag_p99_ms, each.lag_max_ms),
    ]


def _ratio(ours: Figures | None, other: Figures) -> str:
    return "" if ours is None else f"{ours.mb_s / other.mb_s:.1f}x"


def _waits(*waits_ms: float | None) -> str:
    return "/".join(
        "-" if wait is None else f"{wait:.1f}" if wait < 10 else f"{wait:.0f}" for wait in waits_ms
    )


def bars(results: Results, titles: Mapping[str, str], width: int) -> Iterator[str]:
    """The rates of one file as lines of blocks, each network to its own scale."""
    for regime in results.regimes(SINGLE):
        rates = {titles[client]: each.mb_s for client, each in results.figures(regime, SINGLE).items()}
        if (limit := results.limit(regime, SINGLE)) is not None:
            rates["limit"] = limit.mb_s
        label = max(map(len, rates))
        room = width - label - len(" 0000 ")
        yield f"{regime.heading}, MB/s"
        for name, rate in rates.items():
            yield f"{name:>{label}} {rate:4.0f} {'█' * max(1, round(room * rate / max(rates.values())))}"
        yield ""
