"""The whole engine on a real data centre: in this process for conversations, in its own for crashes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import Account, Channel, DataCentre, World
from sandbox.people import API_HASH, API_ID, Person
from sandbox.site import MediaSite
from tests.postgres_fixture import postgres_server
from uploader.app import serve
from uploader.config import Config

__all__ = ["postgres_server"]  # pytest finds fixtures by their names

START_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A data centre with a bot, two people and a channel; a media site; settings of an engine."""

    world: World
    dc: DataCentre
    site: MediaSite
    bot: Account
    user: Account
    admin: Account
    channel: Channel
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        """The settings as the environment of a process."""
        return {f"PEYK_{key.upper()}": str(value) for key, value in self.values().items()}

    def values(self) -> dict[str, Any]:
        """The settings as arguments of `Config`."""
        return {
            "api_id": API_ID,
            "api_hash": API_HASH,
            "bot_token": self.bot.token,
            "admins": str(self.admin.id),
            "data_dir": self.folder / "data",
            "sessions_dir": self.folder / "sessions",
            "dc_id": self.dc.id,
            "dc_address": f"{self.dc.host}:{self.dc.port}",
            "dc_public_key": self.dc.public_key_path,
            "allow_networks": "127.0.0.1/32",
        }

    @asynccontextmanager
    async def engine(self, **changes: Any) -> AsyncIterator[Config]:
        """The engine in this process, stopped at the end as an operator stops it."""
        config = Config(**{**self.values(), **changes})
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve(config, stop))
            async with asyncio.timeout(START_S):
                # the socket is the sign that an operator has, too
                while not config.socket_path.exists() and not serving.done():  # noqa: ASYNC110 - a file
                    await asyncio.sleep(0.02)
            try:
                yield config
            finally:
                stop.set()

    @asynccontextmanager
    async def person(self, account: Account | None = None) -> AsyncIterator[Person]:
        """The user (or somebody else), in the chat with the bot."""
        async with Person.connect(self.dc, account or self.user) as person:
            yield person


@pytest.fixture
async def scene(world: World, dc: DataCentre, tmp_path: Path) -> AsyncIterator[Scene]:
    """Everything but the engine."""
    bot = world.add_bot("peyk_bot")
    async with MediaSite() as site:
        yield Scene(
            world=world,
            dc=dc,
            site=site,
            bot=bot,
            user=world.add_user("Sara", phone="989120000001"),
            admin=world.add_user("Omid", phone="989120000002"),
            channel=world.add_channel("sponsor_one", "Sponsor One", admins=[bot]),
            folder=tmp_path,
        )
