"""An engine, and the place of its control socket."""

from pathlib import Path

import pytest

from tests.tui.stage import FakeEngine, busy


@pytest.fixture
def engine() -> FakeEngine:
    """An engine in the middle of its day."""
    return FakeEngine(busy())


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    """Where the engine listens, if it does."""
    return tmp_path / "control.sock"
