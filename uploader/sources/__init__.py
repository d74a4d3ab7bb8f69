"""Where the bytes of a link come from. One door: `Sources.open`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver

from uploader.errors import Reason
from uploader.model import Link, RemoteFile
from uploader.sources.direct import probe
from uploader.sources.exchange import Exchange, Patience
from uploader.sources.guard import Guard

__all__ = ["Patience", "Sources"]


class Sources:
    """Opens links. An async context manager: it owns the connections to all sites."""

    def __init__(
        self,
        allow_networks: Sequence[IPv4Network | IPv6Network],
        user_agent: str,
        *,
        patience: Patience | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`allow_networks` are reachable besides the public internet; `resolver` None: the system's.

        Raises:
            ValueError: a network that cannot be allowed (see `guard.Guard`).
        """
        self._guard = Guard(allow_networks)
        self._user_agent = user_agent
        self._patience = patience or Patience()
        self._resolver = resolver
        self._connector: aiohttp.TCPConnector | None = None

    async def __aenter__(self) -> Self:
        self._connector = self._guard.connector(resolver=self._resolver)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connector is not None:
            await self._connector.close()

    def static_verdict(self, link: Link) -> Reason | None:
        """Why `link` can be refused without asking anyone; None: `open` will tell."""
        return self._guard.static_verdict(link)

    @asynccontextmanager
    async def open(self, link: Link) -> AsyncIterator[RemoteFile]:
        """The file that `link` leads to, readable until the context ends.

        Raises:
            SourceError: on entering, and while reading; a SourceTemporary may pass.
        """
        if self._connector is None:
            raise RuntimeError("Sources is used within `async with`")
        exchange = Exchange(self._guard, self._connector, self._user_agent, self._patience)
        try:
            yield await probe(link, exchange)
        finally:
            await exchange.close()
