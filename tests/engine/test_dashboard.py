"""The dashboard and `run.py status` on a whole engine, over its control socket."""

import asyncio
import json
import os
import sys
from typing import Any

from textual.pilot import Pilot

from sandbox import Fault
from sandbox.stage import RUN, running_engine
from tests.engine.conftest import Scene
from tests.tui.stage import shown
from tui.app import DashboardApp

MIB = 1024 * 1024


async def until_shown(pilot: Pilot[None], app: DashboardApp, text: str) -> None:
    """Let both programs work until the terminal shows this."""
    try:
        async with asyncio.timeout(60):
            while text not in shown(app):
                await pilot.pause(0.05)
    except TimeoutError:
        raise AssertionError(f"{text!r} is not in\n{shown(app)}") from None


async def test_dashboard_when_a_file_is_carried_shows_it_live_and_switches_maintenance(scene: Scene) -> None:
    """Queue, transfer, outcome and counts of a real job; the switch reaches the person who sends a link."""
    async with scene.engine() as config, scene.person(scene.admin) as admin, scene.person() as user:
        await admin.send("/lock add @sponsor_one")
        await admin.expect("Added")
        app = DashboardApp(config.socket_path)
        async with app.run_test(size=(120, 36)) as pilot:
            await until_shown(pilot, app, "@peyk_bot")
            scene.world.faults.append(Fault(method="upload.save", delay_s=0.5))
            await user.send(scene.site.url("film.mp4", 30 * MIB))
            card = await user.expect("Our sponsors")
            await until_shown(pilot, app, "1 joining")
            await user.press(card, 0)
            await until_shown(pilot, app, "127.0.0.1 · uploading")
            await until_shown(pilot, app, "of 30.0 MiB".replace(".0", ""))
            scene.world.faults.clear()
            await user.expect_file()
            await until_shown(pilot, app, "1 delivered")
            await until_shown(pilot, app, "100 %")  # of the one person asked has joined
            await pilot.press("m")
            await until_shown(pilot, app, "Switch maintenance on?")
            await pilot.press("y")
            await until_shown(pilot, app, "● maintenance")
            await user.send(scene.site.url("late.mp4", MIB))
            await user.expect("take no new links")
            await admin.send("/maintenance off")
            await until_shown(pilot, app, "● serving")


async def test_dashboard_when_the_engine_dies_says_so_and_comes_back_by_itself(scene: Scene) -> None:
    """A guest: it outlives the engine, and finds the next one."""
    app = DashboardApp(scene.folder / "data" / "control.sock")
    async with app.run_test(size=(120, 36)) as pilot:
        async with running_engine(scene.settings, scene.folder) as engine:
            await until_shown(pilot, app, "● serving")
            engine.process.kill()
            await until_shown(pilot, app, "python run.py bot")
        async with running_engine(scene.settings, scene.folder):
            await until_shown(pilot, app, "● serving")


async def ask_status(scene: Scene, *arguments: str) -> tuple[int | None, str, str]:
    """What `run.py status` says, as an operator in that folder would ask."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(RUN),
        "status",
        *arguments,
        cwd=scene.folder,
        env={**os.environ, **scene.settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_status_when_asked_prints_the_snapshot_or_what_to_do(scene: Scene) -> None:
    """Text for people, JSON for programs, a hint when nobody answers."""
    status, _out, err = await ask_status(scene)
    assert 1 == status
    assert "python run.py bot" in err
    async with scene.engine():
        status, text, _err = await ask_status(scene)
        assert (0, "@peyk_bot serving") == (status, text[:17])
        _status, out, _err = await ask_status(scene, "--json")
        snapshot: dict[str, Any] = json.loads(out)
    assert ("peyk_bot", False, 0) == (
        snapshot["bot_username"],
        snapshot["maintenance"],
        snapshot["counts"]["done"],
    )
