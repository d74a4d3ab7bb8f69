"""The parallel sender that Telethon bots pass around as "FastTelethon", written anew for this benchmark.

Up to 20 of Telethon's senders on the account's auth key, opened for each file, one part in flight on each,
dealt in turn.
"""

import asyncio
import logging
import math
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from telethon.network import ConnectionTcpFull, MTProtoSender
from telethon.tl import functions
from telethon.utils import get_appropriated_part_size

from sandbox.bench.clients import telethon
from sandbox.bench.clients.telethon import Telethon
from sandbox.bench.plan import MIB, Address, Order

#: A file this large gets all the connections, a smaller one its share.
_MOST_CONNECTIONS: Final = 20
_LARGE_BYTES: Final = 100 * MIB


class Fast(Telethon):
    """A Telethon client whose uploads have connections of their own."""

    def __init__(self, client: Any, address: Address) -> None:
        super().__init__(client)
        self._address = address

    async def upload(self, order: Order) -> None:
        """Deal the parts to the senders in turn; each waits for its answer before it takes the next."""
        share = min(1.0, order.like_bytes / _LARGE_BYTES)
        part_bytes = get_appropriated_part_size(order.like_bytes) * 1024
        count = math.ceil(order.size_bytes / part_bytes)
        file_id = secrets.randbits(63)
        wanted = math.ceil(share * _MOST_CONNECTIONS)
        senders = await asyncio.gather(*(self._sender() for _ in range(wanted)))
        try:
            saving: list[asyncio.Task[None] | None] = [None] * wanted
            async with asyncio.TaskGroup() as tasks:
                with Path(order.path).open("rb") as file:  # noqa: ASYNC230 - a local file, as bots do it
                    for part in range(count):
                        turn = part % wanted
                        if (before := saving[turn]) is not None:
                            await before
                        data = file.read(part_bytes)
                        request = functions.upload.SaveBigFilePartRequest(file_id, part, count, data)
                        saving[turn] = tasks.create_task(_save(senders[turn], request))
        finally:
            await asyncio.gather(*(sender.disconnect() for sender in senders))

    async def _sender(self) -> Any:
        loggers: dict[str, logging.Logger] = defaultdict(lambda: logging.getLogger("fast"))
        sender = MTProtoSender(self.client.session.auth_key, loggers=loggers)
        address = self._address
        await sender.connect(ConnectionTcpFull(address.host, address.port, address.dc_id, loggers=loggers))
        return sender


async def _save(sender: Any, request: Any) -> None:
    await sender.send(request)


@asynccontextmanager
async def connect(address: Address) -> AsyncIterator[Fast]:
    """Connect there, on that auth key."""
    async with telethon.connect(address) as main:
        yield Fast(main.client, address)
