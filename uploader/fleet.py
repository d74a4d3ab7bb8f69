"""The accounts that carry files beside the bot: user sessions that were logged in by hand, and further bots.

One that cannot be used is left out, and told of; the bot serves without it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from telethon import TelegramClient

from uploader.clock import Clock
from uploader.config import Config
from uploader.errors import ConfigError, LoggedOut, TelegramError
from uploader.telegram.client import (
    Login,
    carrying_client,
    connected,
    log_in,
    login_of,
)
from uploader.telegram.depot import Depot
from uploader.telegram.gateway import Gateway
from uploader.telegram.refusals import translated
from uploader.telegram.sessions import session_path, user_sessions
from uploader.transfer import Carrier, UploadPool

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """The carriers that can be used, and those that cannot: their names and why."""

    carriers: list[Carrier]
    missing: list[tuple[str, str]]


class Fitting:
    """Makes carriers of accounts. `pool_of` makes an account's upload connections."""

    def __init__(
        self,
        config: Config,
        version: str,
        clock: Clock,
        *,
        gateway: Gateway,
        pool_of: Callable[[Login], UploadPool],
    ) -> None:
        self._config = config
        self._version = version
        self._clock = clock
        self._gateway = gateway
        self._pool_of = pool_of

    @asynccontextmanager
    async def fleet(self) -> AsyncIterator[Fleet]:
        """All accounts, connected; none without a storage chat."""
        fleet = Fleet(carriers=[], missing=[])
        paths = user_sessions(self._config) if self._config.storage_chat else []
        async with AsyncExitStack() as exits:
            for path in paths:
                await self._try(fleet, path.stem.split("-")[1], self._user(path), exits)
            for config in self._config.carrier_bots:
                await self._try(fleet, str(config.bot_id), self._further_bot(config), exits)
            yield fleet

    async def _try(self, fleet: Fleet, name: str, opened: Any, exits: AsyncExitStack) -> None:
        try:
            fleet.carriers.append(await exits.enter_async_context(opened))
        except (TelegramError, ConfigError) as error:
            _log.error("an account cannot carry files", account=name, cause=str(error))
            fleet.missing.append((name, str(error)))

    @asynccontextmanager
    async def _user(self, path: Path) -> AsyncIterator[Carrier]:
        client = carrying_client(self._config, self._version, self._clock, path)
        async with connected(client):
            async with translated():
                me = await client.get_me()
            if me is None:
                raise LoggedOut("log it in again: run.py login")
            # https://core.telegram.org/api/config#upload-max-fileparts-premium
            cap_bytes = self._config.volume_bytes * (2 if me.premium else 1)
            name = f"{me.first_name or ''} ({me.id})".strip()
            async with self._carrier(client, login_of(client, name), cap_bytes, is_bot=False) as carrier:
                yield carrier

    @asynccontextmanager
    async def _further_bot(self, config: Config) -> AsyncIterator[Carrier]:
        login = await log_in(config, self._version, self._clock)
        path = session_path(config, f"bot-{config.bot_id}")
        client = carrying_client(config, self._version, self._clock, path)
        async with (
            connected(client),
            self._carrier(client, login, config.volume_bytes, is_bot=True) as carrier,
        ):
            yield carrier

    @asynccontextmanager
    async def _carrier(
        self, client: TelegramClient, login: Login, cap_bytes: int, *, is_bot: bool
    ) -> AsyncIterator[Carrier]:
        depot = Depot(
            self._config.storage_chat,
            carrier=client,
            carrier_is_bot=is_bot,
            gateway=self._gateway,
        )
        async with self._pool_of(login) as pool:
            yield Carrier(name=login.username, pool=pool, cap_bytes=cap_bytes, post=depot.post)
