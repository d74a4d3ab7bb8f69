"""A tiny run from beginning to end, and clients that cannot take part."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from sandbox.bench import roster
from sandbox.bench.facts import Clock, Facts
from sandbox.bench.figures import LIMIT, OURS, Results
from sandbox.bench.pipeline import Delivery, compared
from sandbox.bench.plan import LARGE, MANY, MIB, SINGLE, Plan, Regime, Stage
from sandbox.bench.program import ProgramFailed
from sandbox.bench.roster import Client
from sandbox.bench.rounds import Run, Step, run
from sandbox.bench.show import write_docs
from tests.bench.test_figures import TITLES, some_results

TINY = Plan(
    rounds=1,
    time_s=10.0,
    stages=(
        Stage(name=SINGLE, size_bytes=12 * MIB),
        Stage(name=LARGE, size_bytes=1 << 50, whole=True),
        Stage(name=MANY, files=2, size_bytes=11 * MIB, chat=True),
    ),
)


def stranger(name: str, code: str) -> Client:
    """A client that is a line of Python."""
    return Client(name, name, "", [sys.executable, "-c", code], lambda: None)


async def test_run_when_it_is_tiny_then_measures_us_and_the_limit() -> None:
    """Real processes and sockets, few bytes; a large file that nobody has time for is left out."""
    steps: list[Step] = []
    outcome = await run(TINY, roster.ours_and_limit(), [Regime.LOOPBACK], steps.append)
    written = outcome.results.as_json()
    assert {} == outcome.skipped
    assert [(0, 2), (1, 2)] == [(step.done, step.total) for step in steps]
    assert {"regimes", "limit", "many"} == set(written)
    ours = written["regimes"]["loopback"][OURS]
    assert {"mb_s", "cpu_s_per_gb", "rss_mb", "lag_p99_ms", "chat_p99_ms"} == set(ours)
    assert all(figure > 0 for figure in ours.values())
    assert written["limit"]["loopback"]["mb_s"] > 0
    assert [OURS] == list(written["many"]["loopback"])


async def test_run_when_peers_cannot_take_part_then_says_why_and_goes_on() -> None:
    """One is not installed, one breaks off, one says nonsense, one does not upload what it says."""
    sample = {
        "size_bytes": 12 * MIB,
        "seconds": 1.0,
        "cpu_s": 1.0,
        "rss_idle_bytes": 1,
        "rss_peak_bytes": 1,
        "lag": None,
        "chat": None,
    }
    liar = f"import sys; sys.stdin.readline(); [print({json.dumps(sample)!r}, flush=True) for _ in sys.stdin]"
    peers = [
        Client("absent", "absent", "", ["/nowhere"], lambda: "not installed"),
        stranger("broken", "raise SystemExit('alas')"),
        stranger("mad", "import sys; sys.stdin.readline(); [print('?', flush=True) for _ in sys.stdin]"),
        stranger("liar", liar),
    ]
    outcome = await run(TINY, peers, [Regime.LOOPBACK, Regime.RTT50], lambda _step: None)
    assert {"regimes": {}, "limit": {}, "many": {}} == outcome.results.as_json()
    assert "not installed" == outcome.skipped["absent"]
    assert outcome.skipped["broken"].endswith("alas")
    assert outcome.skipped["mad"].startswith("failed in loopback")
    assert "but came []" in outcome.skipped["liar"]


async def test_run_when_we_fail_ourselves_then_breaks_off() -> None:
    """A benchmark without us is none."""
    with pytest.raises(ProgramFailed, match="alas"):
        await run(TINY, [stranger(LIMIT, "raise SystemExit('alas')")], [Regime.LOOPBACK], lambda _step: None)


def test_roster_when_nothing_is_installed_then_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Kurigram by pip, the others by npm; Telethon is always there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    lacking = {client.name: client.lacking() for client in roster.peers()}
    assert {"telethon", "fast"} == {name for name, reason in lacking.items() if reason is None}
    assert "[bench]" in (lacking["kurigram"] or "")
    assert lacking["mtcute"] == lacking["gramjs"] == "node and npm are not installed"


def test_docs_when_written_twice_then_hold_the_last_figures_once(tmp_path: Path) -> None:
    """Only what stands between the marks changes."""
    page = tmp_path / "PERFORMANCE.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n", encoding="utf-8")
    facts = Facts(when="today", machine="a\\1 machine", versions="v", busy_share=0.5)
    outcome = Run(results=some_results(), skipped={"gramjs": "no node"})
    for _ in range(2):
        write_docs(tmp_path, outcome, facts, TITLES)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- figures -->\n")
    assert text.endswith("<!-- /figures -->\nafter\n")
    assert 1 == text.count("a\\1 machine") == text.count("PRELIMINARY") == text.count("no node")
    assert "old" not in text


def test_picture_when_matplotlib_is_there_then_is_a_png(tmp_path: Path) -> None:
    """Only the extra `bench` installs it."""
    pytest.importorskip("matplotlib")
    (tmp_path / "PERFORMANCE.md").write_text("", encoding="utf-8")
    write_docs(tmp_path, Run(results=some_results()), Clock().facts(), TITLES)
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")


def test_facts_when_the_machine_is_busy_then_say_that_the_figures_are_preliminary() -> None:
    """And nothing of that when it was quiet."""
    quiet, busy = (
        Facts(when="now", machine="m", versions="v", busy_share=share).lines() for share in (0.01, 0.4)
    )
    assert len(quiet) + 1 == len(busy)
    assert "40% of all cores" in busy[2]
    assert Results().as_json() == {"regimes": {}, "limit": {}, "many": {}}


async def test_pipeline_when_a_file_is_small_then_compares_delivery_and_upload() -> None:
    """The whole journey, once: site, engine, data centre, user, and the upload alone."""
    found = await compared(MIB, rounds=1)
    assert found.is_equal
    assert found.delivered_s == pytest.approx(found.upload_s * found.ratio)
    assert 3 == len(found.lines())


def test_delivery_when_the_demo_delivered_nothing_then_raises() -> None:
    """What the bot said instead of a file is in the error."""
    told = {"deliveries": [{"error": "too large", "seconds": None}], "rss_peak_mb": 1, "disk_peak_bytes": 2}
    with pytest.raises(ProgramFailed, match="too large"):
        Delivery.from_json(json.dumps(told))
