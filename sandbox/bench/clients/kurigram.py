"""Kurigram's save_file: one media connection, four parts in flight, one file at a time."""

import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyrogram
from pyrogram import raw
from pyrogram.connection import Connection

from sandbox.bench.plan import API_HASH, API_ID, Address, Order


class Kurigram:
    """A connected client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def upload(self, order: Order) -> None:
        """By save_file; its parts are of one size, whatever the file's."""
        await self._client.save_file(order.path)

    async def chat(self) -> None:
        """A small call."""
        await self._client.invoke(raw.functions.help.GetNearestDc())


@asynccontextmanager
async def connect(address: Address) -> AsyncIterator[Kurigram]:
    """Connect there, on that auth key."""

    def at_the_data_centre(**fields: Any) -> Any:
        return Connection(**{**fields, "server_address": address.host, "port": address.port})

    # data centre, application, test mode, auth key, user, is a bot: its exported session
    auth_key = bytes.fromhex(address.auth_key_hex)
    fields = struct.pack(">BI?256sQ?", address.dc_id, API_ID, False, auth_key, 1, True)
    client = pyrogram.Client(
        "bench",
        API_ID,
        API_HASH,
        in_memory=True,
        no_updates=True,
        session_string=base64.urlsafe_b64encode(fields).decode().rstrip("="),
        connection_factory=at_the_data_centre,
    )
    await client.connect()
    try:
        yield Kurigram(client)
    finally:
        await client.disconnect()
