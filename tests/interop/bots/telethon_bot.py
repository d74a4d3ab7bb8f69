"""The bot of the interop tests, written with Telethon."""

import asyncio
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

from telethon import Button, TelegramClient, events
from telethon.crypto import rsa
from telethon.sessions import MemorySession


async def serve(place: Any) -> None:
    """Sign in, say so, and answer until the process ends."""
    session = MemorySession()
    session.set_dc(place["dc_id"], place["host"], place["port"])
    bot = TelegramClient(session, place["api_id"], place["api_hash"])

    async def receive(event: Any) -> None:
        if event.document is not None:
            path = await event.download_media(place["folder"])
            await event.respond(_digest(path))
        elif event.raw_text == "/start":
            await event.respond("Choose", buttons=[[Button.inline("Press me", b"go")]])
        elif event.raw_text == "/file":
            await event.respond(file=place["file_path"], force_document=True)
        elif event.raw_text == "/logout":
            await bot.log_out()

    async def pressed(event: Any) -> None:
        await event.answer("Well done", alert=True)
        await event.edit("Pressed")

    bot.add_event_handler(receive, events.NewMessage(incoming=True))
    bot.add_event_handler(pressed, events.CallbackQuery(data=b"go"))
    await bot.start(bot_token=place["bot_token"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await bot.run_until_disconnected()


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    # one key exchange in 256 it says to have failed, and tries again
    logging.disable(logging.WARNING)
    rsa.add_key(Path(told["public_key_path"]).read_bytes(), old=False)
    asyncio.run(serve(told))
