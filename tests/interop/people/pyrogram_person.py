"""The person of the interop tests, with Kurigram or Pyrogram, of which it is a fork."""

import asyncio
import hashlib
import json
import sys
from typing import Any

from pyrogram import Client, filters
from pyrogram.crypto.rsa import PublicKey, server_public_keys
from pyrogram.handlers import MessageHandler


async def live(place: Any) -> dict[str, Any]:
    """Log in, write to the bot, send it a file and fetch what it sends, join, look at the chats, log out."""
    server_public_keys[int(place["fingerprint"])] = PublicKey(int(place["modulus"], 16), place["exponent"])
    heard = asyncio.Queue[Any]()
    person = Client(
        "person",
        place["api_id"],
        place["api_hash"],
        phone_number=place["phone"],
        phone_code=place["code"],
        in_memory=True,
        proxy={"scheme": "socks5", "hostname": "127.0.0.1", "port": place["proxy_port"]},
    )

    async def hear(_client: Any, message: Any) -> None:
        heard.put_nowait(message)

    person.add_handler(MessageHandler(hear, filters.incoming))
    await person.start()
    await person.send_message(place["bot_username"], "/start")
    words = (await heard.get()).text
    await person.send_document(place["bot_username"], place["file_path"])
    fetched = await person.download_media(await heard.get(), in_memory=True)
    await person.join_chat(place["channel"])
    assert (await person.get_chat(place["channel"])).members_count == 2
    titles = [dialog.chat.title or dialog.chat.first_name async for dialog in person.get_dialogs()]
    await person.log_out()
    digest = hashlib.sha256(fetched.getvalue()).hexdigest()
    return {"heard": words, "digest": digest, "chats": titles}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(live(json.loads(sys.argv[1])))) + "\n")
