"""The bytes of files that Telegram holds, over real MTProto: whole, in order, and few of them in memory."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession
from telethon.tl import types

from sandbox import Account, DataCentre, Fault, World
from sandbox.site import Keystream
from sandbox.world.files import Document
from sandbox.world.letters import Draft, Media
from sandbox.world.uploads import MAX_PART_BYTES, Blob
from uploader.errors import FloodWait, NotYet, Reason, SourceError, SourceTemporary
from uploader.model import Person
from uploader.telegram.downloads import IN_FLIGHT, PIECE_BYTES, Downloads, Reading
from uploader.telegram.gateway import Gateway
from uploader.telegram.messages import Messages
from uploader.telegram.pacing import Pacer

SIZE_BYTES = 5 * PIECE_BYTES + 12_345
CONTENT = Keystream("film", 0).read(0, SIZE_BYTES)


@dataclass
class Library:
    """A bot that looks at messages, somebody who wrote them, and the last one's number."""

    world: World
    bot: Account
    ada: Account
    gateway: Gateway
    downloads: Downloads

    @property
    def messages(self) -> Messages:
        """What lies in the bot's messages."""
        return Messages(self.gateway)

    @property
    def person(self) -> Person:
        """Ada, as the bot knows her."""
        hash_ = self.world.accounts.access_hash(self.bot, "user", self.ada.id)
        return Person(user_id=self.ada.id, access_hash=hash_, language="en", name="Ada")

    def sends(self, dc_id: int) -> int:
        """Ada sends a file that lies in a data centre; returns the bot's number of the message."""
        path = self.world.spool / "content"
        path.write_bytes(CONTENT)
        blob = Blob(path, SIZE_BYTES, MAX_PART_BYTES)
        name = (types.DocumentAttributeFilename("film.bin"),)
        made = Document(self.world.files.new_id(), blob, "application/zip", name, 1, dc_id)
        self.world.add_file(made)
        sent = self.world.post_office.send(self.ada, self.bot, Draft("", media=Media(made)))
        return sent.letter.ids[self.bot.id]

    async def reading(self, message_id: int) -> Reading:
        """What is in a message."""
        held = await self.messages.sent(message_id, self.person)
        return self.downloads.reading(held, lambda: self.messages.sent(message_id, self.person))


@asynccontextmanager
async def library(dc: DataCentre) -> AsyncIterator[Library]:
    """Everything ready to read."""
    bot, ada = dc.world.add_bot(), dc.world.add_user("Ada")
    # Telethon keeps the addresses of data centres for all clients of a class, and each test has its own
    kind = type("Reader", (TelegramClient,), {"_config": None})
    session = MemorySession()
    session.set_dc(dc.id, dc.host, dc.port)
    session.auth_key = AuthKey(dc.logins.mint(bot))
    client: Any = kind(session, 12345, "0" * 32, request_retries=1, retry_delay=0, flood_sleep_threshold=0)
    await client.connect()
    try:
        async with Downloads(client) as downloads:
            yield Library(dc.world, bot, ada, Gateway(client, Pacer()), downloads)
    finally:
        await client.disconnect()


async def read(reading: Reading, start: int = 0, stop: int | None = None) -> bytes:
    """All that one read gives."""
    async with aclosing(reading.read(start, stop)) as pieces:  # type: ignore[type-var]  # an async generator
        return b"".join([piece async for piece in pieces])


def pieces_asked(world: World) -> int:
    """How many pieces the data centre was asked for."""
    return world.stats.calls["upload.getFile"]


async def test_file_when_read_is_whole_and_from_any_place_the_same(world: World, dc: DataCentre) -> None:
    """Pieces come in order, whatever order they arrive in; of what is not wanted, less than two pieces."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        world.faults.append(Fault(method="upload.getFile", after=1, count=1, delay_s=0.2))
        assert CONTENT == await read(reading)
        for start, stop in ((0, 1), (PIECE_BYTES - 1, PIECE_BYTES + 1), (7, None), (SIZE_BYTES - 1, None)):
            assert CONTENT[start:stop] == await read(reading, start, stop)
        before = pieces_asked(world)
        assert b"" == await read(reading, SIZE_BYTES, None)
        assert CONTENT[2 * PIECE_BYTES : 3 * PIECE_BYTES] == await read(
            reading, 2 * PIECE_BYTES, 3 * PIECE_BYTES
        )
        assert 1 == pieces_asked(world) - before


async def test_file_when_its_reader_waits_is_asked_for_no_further_than_the_window(
    world: World, dc: DataCentre
) -> None:
    """And when the reader goes, nothing of it is left."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        async with aclosing(reading.read(0, None)) as pieces:  # type: ignore[type-var]  # an async generator
            assert CONTENT[:PIECE_BYTES] == await anext(pieces)
            await shelf.messages.sent(1, shelf.person)  # a whole round trip behind what was asked for
            assert IN_FLIGHT == pieces_asked(world)
        assert CONTENT == await read(reading)


async def test_file_when_it_lies_in_another_data_centre_is_read_there(world: World, dc: DataCentre) -> None:
    """By a login that is exported; its bytes are the same."""
    async with DataCentre(world, dc_id=4), library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(4))
        assert hashlib.sha256(CONTENT).digest() == hashlib.sha256(await read(reading)).digest()
        assert CONTENT[-5:] == await read(reading, SIZE_BYTES - 5)
        assert 1 == world.stats.calls["auth.exportAuthorization"]


async def test_file_when_its_reference_expires_is_seen_again_and_read_on(
    world: World, dc: DataCentre
) -> None:
    """Its message is looked at once, however many pieces are under way."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        before = world.stats.calls["messages.getMessages"]
        world.expire_references()
        assert CONTENT == await read(reading)
        assert 1 == world.stats.calls["messages.getMessages"] - before


async def test_file_when_its_message_is_deleted_meanwhile_is_gone(world: World, dc: DataCentre) -> None:
    """Once the reference is used up, there is no way to it."""
    async with library(dc) as shelf:
        message_id = shelf.sends(dc.id)
        reading = await shelf.reading(message_id)
        letter = shelf.bot.box.letters[message_id]
        world.post_office.delete([letter], shelf.ada.id, for_all=True)
        world.expire_references()
        with pytest.raises(SourceError) as error:
            await read(reading)
        assert Reason.MESSAGE_GONE is error.value.reason


@pytest.mark.parametrize("name", ["FLOOD_WAIT_1", "FLOOD_PREMIUM_WAIT_1"])
async def test_file_when_telegram_asks_to_wait_a_little_goes_on_after_it(
    world: World, dc: DataCentre, name: str
) -> None:
    """What was asked for meanwhile waits too, and nothing is asked before its time."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        fault = Fault(method="upload.getFile", after=2, count=1, error=(420, name))
        world.faults.append(fault)
        began = asyncio.get_running_loop().time()
        assert CONTENT == await read(reading)
        assert asyncio.get_running_loop().time() - began >= 1
        assert 1 == fault.fired


async def test_file_when_telegram_asks_to_wait_for_long_is_left_for_later(
    world: World, dc: DataCentre
) -> None:
    """The job gives its place to others; when it may go on is told."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        world.faults.append(Fault(method="upload.getFile", error=(420, "FLOOD_WAIT_100")))
        with pytest.raises(NotYet) as error:
            await read(reading)
        assert 90 < error.value.wait_s <= 100


async def test_file_when_it_comes_short_is_not_taken_for_whole(world: World, dc: DataCentre) -> None:
    """A piece that lacks bytes ends the reading."""
    async with library(dc) as shelf:
        reading = await shelf.reading(shelf.sends(dc.id))
        (world.spool / "content").write_bytes(CONTENT[:-10])
        with pytest.raises(SourceTemporary) as error:
            await read(reading)
        assert Reason.CHANGED is error.value.reason


async def test_message_when_it_is_somebody_elses_is_not_shown(world: World, dc: DataCentre) -> None:
    """The bot sees all chats by one count of numbers; each person gets their own."""
    async with library(dc) as shelf:
        message_id = shelf.sends(dc.id)
        other = Person(user_id=shelf.ada.id + 1, access_hash=1, language="en", name="Eve")
        for number, person in ((message_id, other), (message_id + 1, shelf.person)):
            with pytest.raises(SourceError) as error:
                await shelf.messages.sent(number, person)
            assert Reason.MESSAGE_GONE is error.value.reason


async def test_message_when_another_part_was_told_to_wait_for_that_method_is_not_asked_for(
    dc: DataCentre, world: World
) -> None:
    """An account has one memory of its waits, whoever calls in its name."""
    async with library(dc) as books:
        world.faults.append(Fault("messages.getMessages", error=(420, "FLOOD_WAIT_200"), count=1))
        with pytest.raises(FloodWait):
            await books.gateway.document_of(1)
        before = world.stats.calls["messages.getMessages"]
        with pytest.raises(FloodWait):
            await books.messages.sent(1, books.person)
        assert before == world.stats.calls["messages.getMessages"]


async def test_file_when_a_piece_meets_an_unexpected_error_fails_alone(
    world: World, dc: DataCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug, or a library's, in one piece of one file: who reads it is told, and another file is read on."""
    async with library(dc) as shelf:
        numbers = [shelf.sends(dc.id), shelf.sends(dc.id)]
        unlucky, lucky = [await shelf.reading(number) for number in numbers]
        broken = (await shelf.messages.sent(numbers[0], shelf.person)).document.id
        download = TelegramClient.iter_download

        def once(client: Any, location: Any, **wanted: Any) -> Any:
            if location.id == broken:
                raise RuntimeError("from a low door")
            return download(client, location, **wanted)

        monkeypatch.setattr(TelegramClient, "iter_download", once)
        async with asyncio.TaskGroup() as tasks:
            other = tasks.create_task(read(lucky))
            with pytest.raises(RuntimeError, match="from a low door"):
                await read(unlucky)
        assert CONTENT == other.result()
        assert CONTENT == await read(lucky)
