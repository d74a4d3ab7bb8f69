"""Medians, percentiles and the shape of the JSON."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.bench.figures import LIMIT, OURS, Figures, Results, Sample, Spread
from sandbox.bench.plan import LARGE, MANY, SINGLE, Regime
from sandbox.bench.table import bars, tables

TITLES = {OURS: "Peyk", "slow": "Slow | peer"}


def sample(rate_mb_s: float, *, chat: Spread | None = None) -> Sample:
    """A sample of 100 MB at some rate."""
    return Sample(
        size_bytes=100_000_000,
        seconds=100 / rate_mb_s,
        cpu_s=0.25,
        rss_idle_bytes=50_000_000,
        rss_peak_bytes=60_000_000,
        lag=Spread(p50=0.001, p99=0.004, most=0.009),
        chat=chat,
    )


def some_results() -> Results:
    """Ours, the limit and a slow peer, on loopback and at +50 ms."""
    results = Results()
    chat = Spread(p50=0.052, p99=0.06, most=0.07)
    for regime in (Regime.LOOPBACK, Regime.RTT50):
        for rate in (500.0, 400.0, 700.0):
            results.add(regime, SINGLE, OURS, sample(rate))
            results.add(regime, MANY, OURS, sample(rate, chat=chat))
        results.add(regime, SINGLE, "slow", sample(50.0))
        results.add(regime, SINGLE, LIMIT, sample(1000.0))
    return results


@given(st.lists(st.floats(0, 10), min_size=1))
def test_spread_when_of_any_waits_then_names_waits_that_were(waits: list[float]) -> None:
    """Percentiles by nearest rank are waits that happened, in order."""
    spread = Spread.of(waits)
    assert spread is not None
    assert {spread.p50, spread.p99, spread.most} <= set(waits)
    assert spread.p50 <= spread.p99 <= spread.most == max(waits)


def test_spread_when_of_a_hundred_waits_then_is_by_nearest_rank() -> None:
    """The 50th and the 99th of a hundred; of none there is none."""
    assert Spread(p50=50.0, p99=99.0, most=100.0) == Spread.of([float(n) for n in range(100, 0, -1)])
    assert Spread.of([]) is None


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=9))
def test_figures_when_of_several_rounds_then_are_medians(rates: list[float]) -> None:
    """One round that went wrong does not spoil the figure."""
    figures = Figures.of([sample(rate) for rate in rates], Regime.LOOPBACK)
    assert pytest.approx(median(rates)) == figures.mb_s
    assert len(rates) == figures.rounds


def test_figures_when_answers_are_held_back_then_the_chat_is_told_without_that() -> None:
    """The delay is the network's, not the client's."""
    chat = Spread(p50=0.052, p99=0.06, most=0.07)
    figures = Figures.of([sample(100, chat=chat)], Regime.RTT50)
    assert pytest.approx(2.0) == figures.chat_p50_ms
    assert pytest.approx(10.0) == figures.chat_p99_ms
    assert 2.5 == figures.cpu_s_per_gb


def test_sample_when_written_and_read_then_is_the_same() -> None:
    """The line that a client's process says."""
    said = sample(123.0, chat=Spread(p50=1.0, p99=2.0, most=3.0))
    assert said == Sample.from_json(said.as_json())


@pytest.mark.parametrize("line", ["", "{}", "[]", "42", '{"lag": 1, "chat": null}', "no JSON"])
def test_sample_when_the_line_is_none_then_raises_value_error(line: str) -> None:
    """Whatever a client's process says, the run goes on without it."""
    with pytest.raises(ValueError, match="no sample"):
        Sample.from_json(line)


def test_results_when_written_then_have_the_promised_shape() -> None:
    """What scripts read: regimes, limit, many."""
    written = some_results().as_json()
    assert {"regimes", "limit", "many"} == set(written)
    assert {"loopback", "rtt50"} == set(written["regimes"]) == set(written["limit"])
    headline = {"mb_s": 500.0, "cpu_s_per_gb": 2.5, "rss_mb": 60.0, "lag_p99_ms": 4.0, "chat_p99_ms": 10.0}
    assert headline == written["regimes"]["rtt50"][OURS]
    assert written["regimes"]["rtt50"]["slow"]["chat_p99_ms"] is None
    assert {"mb_s": 1000.0} == written["limit"]["loopback"]
    assert {OURS} == set(written["many"]["loopback"])
    assert LIMIT not in written["regimes"]["loopback"]


def test_results_when_a_large_file_was_measured_then_tell_it_apart() -> None:
    """The large file has a limit of its own."""
    results = some_results()
    results.add(Regime.LOOPBACK, LARGE, OURS, sample(600.0))
    results.add(Regime.LOOPBACK, LARGE, LIMIT, sample(800.0))
    large = results.as_json()["large"]
    assert 600.0 == large["regimes"]["loopback"][OURS]["mb_s"]
    assert {"loopback": {"mb_s": 800.0}} == large["limit"]


def test_tables_when_drawn_then_compare_with_every_peer_and_the_limit() -> None:
    """Ours first; the ratio to a peer, and the share of the limit."""
    table = next(tables(some_results(), TITLES))
    assert ["Peyk", "500", "", "0.50"] == list(table.rows[0][:4])
    assert ["Slow | peer", "50", "10.0x", "0.05"] == list(table.rows[1][:4])
    assert ["limit", "1000"] == list(table.rows[2][:2])
    assert all(len(table.header) == len(row) for row in table.rows)
    assert 2 + len(table.rows) == table.as_markdown().count("\n|")


def test_bars_when_drawn_then_are_as_long_as_the_rates() -> None:
    """The fastest fills the line."""
    lines = list(bars(some_results(), TITLES, 60))
    lengths = {line.split()[-3]: line.count("█") for line in lines if "█" in line}
    assert lengths["Peyk"] * 2 == pytest.approx(lengths["limit"], abs=2)
    assert max(map(len, lines)) <= 60
