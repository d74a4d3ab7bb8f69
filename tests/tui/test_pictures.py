"""How the dashboard looks, as one picture to compare.

A difference that is meant is accepted with `pytest tests/tui/test_pictures.py --snapshot-update`; look at the
new SVG first, then renew the README's picture too (`tests/tui/picture.py`).
"""

from collections.abc import Callable
from pathlib import Path

from tests.tui.picture import SIZE, draw, settled
from tests.tui.stage import FakeEngine, StillApp, engine_elsewhere

DOCS = Path(__file__).parents[2] / "docs"


def test_dashboard_when_drawn_looks_as_agreed(
    snap_compare: Callable[..., bool], engine: FakeEngine, socket_path: Path
) -> None:
    """Fixed data, fixed clock, nothing moving."""
    with engine_elsewhere(engine, socket_path):
        assert snap_compare(StillApp(socket_path), terminal_size=SIZE, run_before=settled)


async def test_readme_picture_when_drawn_again_is_the_one_in_the_readme() -> None:
    """The picture that newcomers see is today's screen, and small."""
    kept = (DOCS / "dashboard.svg").read_text(encoding="utf-8")
    assert kept == await draw()
    assert len(kept) < 200_000
