"""The bot of the interop tests, written with Kurigram or Pyrogram, of which it is a fork."""

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from pyrogram import Client, filters
from pyrogram.crypto.rsa import PublicKey, server_public_keys
from pyrogram.handlers import CallbackQueryHandler, MessageHandler
from pyrogram.types import InlineKeyboardButton, InlineKeyboardMarkup


async def serve(place: Any) -> None:
    """Sign in, say so, and answer until the process ends."""
    server_public_keys[int(place["fingerprint"])] = PublicKey(int(place["modulus"], 16), place["exponent"])

    ended = asyncio.Event()

    async def start(_bot: Any, message: Any) -> None:
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Press me", callback_data="go")]])
        await message.reply("Choose", reply_markup=keyboard)

    async def file(_bot: Any, message: Any) -> None:
        await message.reply_document(place["file_path"])

    async def document(_bot: Any, message: Any) -> None:
        await message.reply(_digest(await message.download(f"{place['folder']}/")))

    async def logout(_bot: Any, _message: Any) -> None:
        ended.set()

    async def pressed(_bot: Any, query: Any) -> None:
        await query.answer("Well done", show_alert=True)
        await query.edit_message_text("Pressed")

    bot = Client(
        "bot",
        place["api_id"],
        place["api_hash"],
        bot_token=place["bot_token"],
        in_memory=True,
        proxy={"scheme": "socks5", "hostname": "127.0.0.1", "port": place["proxy_port"]},
    )
    bot.add_handler(MessageHandler(start, filters.command("start")))
    bot.add_handler(MessageHandler(file, filters.command("file")))
    bot.add_handler(MessageHandler(logout, filters.command("logout")))
    bot.add_handler(MessageHandler(document, filters.document))
    bot.add_handler(CallbackQueryHandler(pressed))
    await bot.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await ended.wait()
    await bot.log_out()


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
