"""The engine's uploads, beside a Telethon client that serves the users: as the bot runs them.

The engine itself comes from outside: this package does not know it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from sandbox.bench.clients import telethon
from sandbox.bench.clients.telethon import Telethon
from sandbox.bench.plan import Address, Order
from sandbox.bench.probe import Connect

#: Uploads to a host and port on an auth key, as a function of a file and its size in bytes.
Uploads = Callable[[str, int, bytes], AbstractAsyncContextManager[Callable[[Path, int], Awaitable[None]]]]


class Ours:
    """The engine's uploads and the main connection."""

    def __init__(self, main: Telethon, carry: Callable[[Path, int], Awaitable[None]]) -> None:
        self._main = main
        self._carry = carry

    async def upload(self, order: Order) -> None:
        """By the engine."""
        await self._carry(Path(order.path), order.size_bytes)

    async def chat(self) -> None:
        """A small call on the main connection."""
        await self._main.chat()


def connecting(uploads: Uploads) -> Connect:
    """What connects a client that uploads by `uploads`."""

    @asynccontextmanager
    async def connect(address: Address) -> AsyncIterator[Ours]:
        auth_key = bytes.fromhex(address.auth_key_hex)
        async with (
            telethon.connect(address) as main,
            uploads(address.host, address.port, auth_key) as carry,
        ):
            yield Ours(main, carry)

    return connect
