"""Telethon clients for the tests of the data centre."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from telethon import TelegramClient, errors
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession

from sandbox import Account, DataCentre


def client(dc: DataCentre, account: Account | None = None, **options: Any) -> Any:
    """A client that is not connected yet, logged in already if an account is given."""
    session = MemorySession()
    session.set_dc(dc.id, dc.host, dc.port)
    if account is not None:
        session.auth_key = AuthKey(dc.logins.mint(account))
    return TelegramClient(session, 12345, "0" * 32, request_retries=1, retry_delay=0, **options)


@asynccontextmanager
async def connected(dc: DataCentre, account: Account | None = None, **options: Any) -> AsyncIterator[Any]:
    """A connected client."""
    telethon = client(dc, account, **options)
    await telethon.connect()
    try:
        yield telethon
    finally:
        await telethon.disconnect()


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
