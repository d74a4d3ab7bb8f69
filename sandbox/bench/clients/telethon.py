"""Telethon's own upload: one part in flight, parts as large as it finds right for the file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl import functions
from telethon.utils import get_appropriated_part_size

from sandbox.bench.plan import API_HASH, API_ID, Address, Order


class Telethon:
    """A connected Telethon client; the main connection of all that build on it."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def upload(self, order: Order) -> None:
        """By upload_file."""
        part_kb = get_appropriated_part_size(order.like_bytes)
        await self.client.upload_file(order.path, part_size_kb=part_kb)

    async def chat(self) -> None:
        """A small call."""
        await self.client(functions.help.GetNearestDcRequest())


@asynccontextmanager
async def connect(address: Address) -> AsyncIterator[Telethon]:
    """Connect there, on that auth key."""
    session = MemorySession()
    session.set_dc(address.dc_id, address.host, address.port)
    session.auth_key = AuthKey(bytes.fromhex(address.auth_key_hex))
    client = TelegramClient(session, API_ID, API_HASH, receive_updates=False)
    await client.connect()
    try:
        yield Telethon(client)
    finally:
        await client.disconnect()
