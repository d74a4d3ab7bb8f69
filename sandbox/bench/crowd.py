"""A bot with many chats at a data centre that makes bots wait as Telegram does."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telethon import TelegramClient
from telethon.crypto import AuthKey, rsa
from telethon.sessions import MemorySession
from telethon.tl import types

from sandbox.bench.plan import API_HASH, API_ID
from sandbox.dc import DataCentre
from sandbox.world.floodgate import Limits
from sandbox.world.letters import Draft
from sandbox.world.world import World


@dataclass(frozen=True, kw_only=True, slots=True)
class Crowd:
    """The bot's client, and where it may write to: input peers by chat id, groups below zero."""

    client: Any
    people: Mapping[int, Any]
    groups: Mapping[int, Any]
    world: World

    @property
    def floods(self) -> int:
        """How many calls were told to wait."""
        return sum(self.world.stats.floods.values())


@asynccontextmanager
async def crowd(people: int, groups: int) -> AsyncIterator[Crowd]:
    """A data centre of its own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as folder:
        world = World(Path(folder) / "spool", limits=Limits())
        bot = world.add_bot()
        users = [world.add_user(f"Person {number}") for number in range(people)]
        for user in users:
            world.post_office.send(user, bot, Draft("/start"))
        chats = [world.add_group(f"Group {number}", [bot, users[0]]) for number in range(groups)]
        async with DataCentre(world) as centre:
            rsa.add_key(centre.public_key_path.read_bytes(), old=False)
            session = MemorySession()
            session.set_dc(centre.id, centre.host, centre.port)
            session.auth_key = AuthKey(centre.logins.mint(bot))
            client = TelegramClient(session, API_ID, API_HASH)
            await client.connect()
            try:
                yield Crowd(
                    client=client,
                    people={
                        user.id: types.InputPeerUser(
                            user.id, world.accounts.access_hash(bot, "user", user.id)
                        )
                        for user in users
                    },
                    groups={-chat.id: types.InputPeerChat(chat.id) for chat in chats},
                    world=world,
                )
            finally:
                await client.disconnect()
        world.close()
