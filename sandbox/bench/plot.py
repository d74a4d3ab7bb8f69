"""The rates as a picture. Needs matplotlib, which only the extra `bench` installs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.bench.figures import OURS, Results
from sandbox.bench.plan import SINGLE, Regime

_OURS: Final = "#2a9d8f"
_OTHERS: Final = "#9aa5b1"
_LIMIT: Final = "#e76f51"


def draw(results: Results, titles: Mapping[str, str], path: Path) -> str | None:
    """Write a PNG; says why not when it cannot be."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "no picture: matplotlib is not installed (pip install -c constraints.txt -e '.[bench]')"
    regimes = results.regimes(SINGLE)
    figure = Figure(figsize=(4.2 * len(regimes), 3.4), layout="constrained")
    for axes, regime in zip(figure.subplots(1, len(regimes), squeeze=False)[0], regimes, strict=True):
        _draw(axes, results, titles, regime)
    figure.suptitle("Upload of one file, MB/s (median)")
    figure.savefig(path, dpi=110)
    return None


def _draw(axes: Any, results: Results, titles: Mapping[str, str], regime: Regime) -> None:
    figures = dict(reversed(results.figures(regime, SINGLE).items()))
    names = [titles[client] for client in figures]
    rates = [each.mb_s for each in figures.values()]
    colours = [_OURS if client == OURS else _OTHERS for client in figures]
    axes.set_title(regime.heading, fontsize=10)
    bars = axes.barh(names, rates, color=colours)
    axes.bar_label(bars, fmt="%.0f", padding=2, fontsize=8)
    if (limit := results.limit(regime, SINGLE)) is not None:
        axes.axvline(limit.mb_s, color=_LIMIT, linestyle="--", linewidth=1)
        axes.text(
            limit.mb_s, 0, f"limit {limit.mb_s:.0f} ", color=_LIMIT, ha="right", va="center", fontsize=8
        )
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
