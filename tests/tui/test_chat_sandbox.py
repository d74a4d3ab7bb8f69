"""The chat on the real sandbox, with a small bot of Telethon's at the other side."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from telethon import Button, events

from sandbox import DataCentre, World
from sandbox.control import Control
from tests.sandbox.clients import connected
from tests.tui.stage import StillApp, shown, until
from tui.screens.dashboard import DashboardScreen
from tui.widgets.bubble import ChoiceButton

CONTENT = b"a film, more or less\n" * 20_000


@asynccontextmanager
async def bot_that_answers(dc: DataCentre, world: World) -> AsyncIterator[tuple[str, int]]:
    """A bot with a card, an alert and a file; gives the control port of its user."""
    bot = world.add_bot("peyk_bot")
    user = world.add_user("Sara", phone="989120000001")
    channel = world.add_channel("sponsor_one", "Sponsor One", admins=[bot])
    async with connected(dc, bot) as telethon, Control(dc, user, bot, channel).listening() as address:

        async def greet(event: Any) -> None:
            await event.respond(
                "Join first, [Sara]:",
                buttons=[[Button.url("Join", "https://t.me/sponsor_one")], [Button.inline("I joined", b"j")]],
            )

        async def deliver(event: Any) -> None:
            await event.answer("Thank you!", alert=True)
            await event.edit("Here it is:")
            file = io.BytesIO(CONTENT)
            file.name = "film.txt"
            await event.respond(file=file, force_document=True)

        telethon.add_event_handler(greet, events.NewMessage(pattern="/start"))
        telethon.add_event_handler(deliver, events.CallbackQuery())
        yield address


async def test_chat_when_played_on_the_sandbox_leads_to_the_saved_file(
    dc: DataCentre, world: World, tmp_path: Path
) -> None:
    """Start, join by the card's button, say so, save the file: all by keys and mouse."""
    async with bot_that_answers(dc, world) as address:
        app = StillApp(tmp_path / "control.sock", address, downloads=tmp_path / "downloads")
        async with app.run_test(size=(100, 50), notifications=True) as pilot:

            def button(label: str) -> ChoiceButton:
                (found,) = (b for b in app.screen.query(ChoiceButton) if str(b.label) == label)
                return found

            await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
            await pilot.press("c")
            await until(pilot, lambda: "You are Sara, talking to @peyk_bot" in shown(app))
            await pilot.press(*"/start", "enter")
            await until(pilot, lambda: "Join first, [Sara]:" in shown(app))
            await pilot.click(button("↗ Join"))
            await until(pilot, lambda: "You joined @sponsor_one." in shown(app))
            await pilot.click(button("I joined"))
            await until(pilot, lambda: "Thank you!" in shown(app))
            await until(pilot, lambda: "film.txt · 410 KiB" in shown(app))
            await until(pilot, lambda: "Here it is:" in shown(app) and "Join first" not in shown(app))
            await pilot.click(".save")
            await until(pilot, lambda: hashlib.sha256(CONTENT).hexdigest() in shown(app))
    saved = await asyncio.to_thread((tmp_path / "downloads" / "film.txt").read_bytes)
    assert saved == CONTENT
