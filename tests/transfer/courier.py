"""A bot on the sandbox with an upload pool, and the user who gets its files."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from telethon import events
from telethon.tl import functions, types

from sandbox import Account, DataCentre, World
from sandbox.people import Person
from tests.sandbox.clients import connected
from tests.transfer.server import QUICK, endpoint_at
from tests.transfer.source import Source
from uploader.errors import PartsLost, SourceTemporary, TransferTemporary
from uploader.model import Checkpoint, RemoteFile, Uploaded
from uploader.transfer import Patience, UploadPool, all_but, parts, upload

#: For tests in which answers are lost: those that come late are held for lost as well, and nothing breaks.
HASTY = replace(
    QUICK,
    answer_s=1.0,
    answer_most_s=10.0,
    stall_s=4.0,
    tries_lost=500,
    tries_refused=100,
    backoff_most_s=0.02,
)


@dataclass
class Courier:
    """A bot with a Telethon client and an upload pool on the same auth key, and a user who wrote to it."""

    world: World
    dc: DataCentre
    account: Account
    client: Any
    peer: Any
    person: Person
    pool: UploadPool
    kept: list[Checkpoint] = field(default_factory=list)  # what a job's row would hold, the last one

    async def deliver(self, uploaded: Uploaded) -> tuple[int, str]:
        """Send the message with the file; size and SHA-256 of what the user downloads."""
        return await self.person.save(await self.announce(uploaded))

    async def announce(self, uploaded: Uploaded) -> Any:
        """Send the message with the file; the message as the user gets it."""
        file = (
            types.InputFile(uploaded.file_id, uploaded.part_count, uploaded.name, uploaded.md5_hex)
            if uploaded.md5_hex is not None
            else types.InputFileBig(uploaded.file_id, uploaded.part_count, uploaded.name)
        )
        name = types.DocumentAttributeFilename(uploaded.name)
        media = types.InputMediaUploadedDocument(file, uploaded.mime_type, [name], force_file=True)
        await self.client(functions.messages.SendMediaRequest(self.peer, media, ""))
        return await self.person.expect_file()

    async def carry(self, source: Source, checkpoint: Checkpoint | None = None) -> Uploaded:
        """Upload once, without an interest in progress."""
        return await self._attempt(source.remote, checkpoint)

    async def persist(self, opened: Callable[[], AbstractAsyncContextManager[RemoteFile]]) -> Uploaded:
        """Upload as a worker does: what passes is tried again from the checkpoint, however often."""
        while True:
            async with opened() as remote:
                try:
                    return await self._attempt(remote, self.kept[-1] if self.kept else None)
                except PartsLost:
                    self.kept.clear()
                except (SourceTemporary, TransferTemporary):
                    pass  # the next attempt goes on from what was kept

    async def deliver_whole(
        self, uploaded: Uploaded, opened: Callable[[], AbstractAsyncContextManager[RemoteFile]]
    ) -> tuple[int, str]:
        """Deliver as a worker does: parts that the data centre lost are sent to it again."""
        while True:
            try:
                return await self.deliver(uploaded)
            except Exception as error:  # Telethon makes some of its classes as it goes
                missing = getattr(error, "which", 0 if "0Missing" in type(error).__name__ else None)
                async with opened() as remote:
                    checkpoint = all_but(missing, uploaded, remote.validator, self.pool.account)
                    if checkpoint is None:
                        raise
                    uploaded = await self._attempt(remote, checkpoint)

    async def _attempt(self, remote: RemoteFile, checkpoint: Checkpoint | None) -> Uploaded:
        async def save(checkpoint: Checkpoint) -> None:
            self.kept[:] = [checkpoint]

        return await upload(remote, self.pool, checkpoint=checkpoint, save=save, report=lambda _done: None)

    def arrivals(self, uploaded: Uploaded) -> list[int]:
        """How often each part arrived."""
        count = parts.part_count(uploaded.size_bytes)
        return [self.world.stats.part_count(uploaded.file_id, part) for part in range(count)]


@asynccontextmanager
async def couriers(
    dc: DataCentre, patience: Patience = QUICK, connections: int = 3
) -> AsyncIterator[Courier]:
    """A courier whose pool takes everything it needs from public attributes of the Telethon session."""
    bot = dc.world.add_bot()
    async with connected(dc, bot) as client, Person.connect(dc, dc.world.add_user("Ada")) as ada:
        met: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def meet(event: Any) -> None:
            if not met.done():
                met.set_result(await event.get_input_chat())

        client.add_event_handler(meet, events.NewMessage)
        await ada.send("/start")
        endpoint = endpoint_at(client.session.port, client.session.auth_key.key)
        pool = UploadPool(endpoint, connections=connections, most=connections, window=2, patience=patience)
        async with pool:
            yield Courier(dc.world, dc, bot, client, await met, ada, pool)


def fingerprint(content: bytes) -> tuple[int, str]:
    """Size and SHA-256."""
    return len(content), hashlib.sha256(content).hexdigest()
