"""Telethon clients for the tests of the data centre."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from telethon import TelegramClient, errors, types
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession

from sandbox import Account, Channel, DataCentre, Group, World


def client(dc: DataCentre, account: Account | None = None, **options: Any) -> Any:
    """A client that is not connected yet, logged in already if an account is given."""
    session = MemorySession()
    session.set_dc(dc.id, dc.host, dc.port)
    if account is not None:
        session.auth_key = AuthKey(dc.logins.mint(account))
    return TelegramClient(session, 12345, "0" * 32, **{"request_retries": 1, "retry_delay": 0, **options})


@asynccontextmanager
async def connected(dc: DataCentre, account: Account | None = None, **options: Any) -> AsyncIterator[Any]:
    """A connected client."""
    telethon = client(dc, account, **options)
    await telethon.connect()
    try:
        yield telethon
    finally:
        await telethon.disconnect()


def peer(world: World, viewer: Account, named: Account | Channel | Group) -> Any:
    """The InputPeer by which an account names somebody or some chat."""
    match named:
        case Group():
            return types.InputPeerChat(named.id)
        case Channel():
            return types.InputPeerChannel(named.id, world.accounts.access_hash(viewer, "channel", named.id))
        case Account():
            return types.InputPeerUser(named.id, world.accounts.access_hash(viewer, "user", named.id))


class Seen:
    """A queue of what a client's handlers were given."""

    def __init__(self, telethon: Any, kind: Any) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        telethon.add_event_handler(self._put, kind)

    async def _put(self, event: Any) -> None:
        self._queue.put_nowait(event)

    @property
    def waiting(self) -> int:
        """How many there are that nobody has looked at."""
        return self._queue.qsize()

    async def next(self) -> Any:
        """The next one."""
        async with asyncio.timeout(10):
            return await self._queue.get()


@contextmanager
def refused(name: str) -> Iterator[None]:
    """Expect Telegram's error of this name, as Telethon's own class for it where there is one."""
    with pytest.raises(errors.RPCError) as caught:
        yield
    words = [word.capitalize() for word in name.split("_") if not word.isdigit()]
    known = getattr(errors, "".join(words) + "Error", None)
    if known is not None:
        assert known is type(caught.value)
    else:
        assert name in str(caught.value)
