"""The README's picture of the dashboard, from fixed data: `python -m tests.tui.picture docs/dashboard.svg`.

It shows what `test_pictures.py` guards: after a change of the screen, renew and look at both.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from tests.tui.stage import FakeEngine, StillApp, busy, until
from tui.screens.dashboard import DashboardScreen

SIZE = (120, 36)


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the dashboard shows the engine."""

    def drawn() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, DashboardScreen) and screen.picture.snapshot is not None

    await until(pilot, drawn)
    await pilot.pause()


async def draw() -> str:
    """The picture as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        socket_path = Path(folder) / "control.sock"
        app = StillApp(socket_path)
        async with FakeEngine(busy()).server(socket_path), app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            picture = app.export_screenshot(title="Peyk", simplify=True)
    return re.sub(r"terminal-\d+-", "terminal-", picture)  # the same picture is the same file


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(asyncio.run(draw()), encoding="utf-8")
