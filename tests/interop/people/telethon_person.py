"""The person of the interop tests, with Telethon."""

import asyncio
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

from telethon import TelegramClient, events
from telethon.crypto import rsa
from telethon.sessions import MemorySession
from telethon.tl.functions.channels import GetFullChannelRequest, JoinChannelRequest


async def live(place: Any) -> dict[str, Any]:
    """Log in, write to the bot, send it a file and fetch what it sends, join, look at the chats, log out."""
    session, heard = MemorySession(), asyncio.Queue[Any]()
    session.set_dc(place["dc_id"], place["host"], place["port"])
    person = TelegramClient(session, place["api_id"], place["api_hash"])

    async def hear(event: Any) -> None:
        heard.put_nowait(event)

    person.add_event_handler(hear, events.NewMessage(incoming=True))
    await person.connect()
    await person.send_code_request(place["phone"])
    await person.sign_in(place["phone"], place["code"])
    await person.send_message(place["bot_username"], "/start")
    words = (await heard.get()).raw_text
    await person.send_file(place["bot_username"], place["file_path"], force_document=True)
    fetched = await (await heard.get()).download_media(bytes)
    await person(JoinChannelRequest(place["channel"]))
    full = await person(GetFullChannelRequest(place["channel"]))
    assert full.full_chat.participants_count == 2
    titles = [dialog.name async for dialog in person.iter_dialogs()]
    await person.log_out()
    return {"heard": words, "digest": hashlib.sha256(fetched).hexdigest(), "chats": titles}


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    # one key exchange in 256 it says to have failed, and tries again; the code it says to have sent
    logging.disable(logging.WARNING)
    rsa.add_key(Path(told["public_key_path"]).read_bytes(), old=False)
    sys.stdout.write(json.dumps(asyncio.run(live(told))) + "\n")
