"""The message with the file, over real MTProto: sent once, and what Telegram holds is told."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from telethon import events

from sandbox import DataCentre, Fault, World
from sandbox.people import Person as Human
from tests.sandbox.clients import connected
from tests.transfer.server import QUICK, endpoint_at
from tests.transfer.source import Source
from uploader.errors import NoAnswer, PartsLost, TelegramError
from uploader.model import Checkpoint, Delivered, Person, Uploaded
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.telegram.pacing import Pacer
from uploader.transfer import UploadPool, upload

DATA = os.urandom(700_000)


@dataclass
class Desk:
    """A bot's gateway, a person who wrote to it, and a file whose parts are at the data centre."""

    gateway: Gateway
    human: Human
    person: Person
    uploaded: Uploaded

    async def files_in_chat(self) -> list[int]:
        """The ids of the messages with a file that the person sees."""
        history = await self.human.client.get_messages(self.human.bot, limit=50)
        return [message.id for message in history if message.document]


@asynccontextmanager
async def desks(dc: DataCentre, deliver_s: float = 20.0) -> AsyncIterator[Desk]:
    """Everything ready to send."""

    async def save(_checkpoint: Checkpoint) -> None:
        """Nowhere."""

    bot = dc.world.add_bot()
    async with connected(dc, bot) as client, Human.connect(dc, dc.world.add_user("Ada")) as ada:
        met: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def meet(event: Any) -> None:
            met.set_result(await event.get_input_chat())

        client.add_event_handler(meet, events.NewMessage)
        await ada.send("/start")
        peer = await met
        endpoint = endpoint_at(dc.port, client.session.auth_key.key)
        async with UploadPool(endpoint, patience=QUICK) as pool:
            remote = Source(DATA).remote
            uploaded = await upload(remote, pool, checkpoint=None, save=save, report=lambda _done: None)
        person = Person(user_id=peer.user_id, access_hash=peer.access_hash, language="en", name="Ada")
        yield Desk(Gateway(client, Pacer(), deliver_s=deliver_s), ada, person, uploaded)


async def test_deliver_when_sent_tells_what_telegram_holds(dc: DataCentre) -> None:
    """Size and name of the document come from the answer, not from us."""
    async with desks(dc) as desk:
        delivered = await desk.gateway.deliver(desk.person, desk.uploaded, new_random_id())
        (message_id,) = await desk.files_in_chat()
        held = await desk.gateway.document_of(message_id)
        expected = Delivered(message_id=message_id, size_bytes=len(DATA), name="file.bin", document=held)
        assert expected == delivered


async def test_deliver_when_the_answer_is_lost_then_asks_again_and_the_file_comes_once(
    dc: DataCentre, world: World
) -> None:
    """The same random_id finds the message that the first call made."""
    async with desks(dc, deliver_s=0.3) as desk:
        world.faults.append(Fault("messages.sendMedia", swallow=True, count=1))
        delivered = await desk.gateway.deliver(desk.person, desk.uploaded, new_random_id())
        assert len(DATA) == delivered.size_bytes
        assert 2 == world.stats.calls["messages.sendMedia"]
        assert 1 == len(await desk.files_in_chat())


async def test_deliver_when_no_answer_ever_comes_then_the_outcome_is_unknown(
    dc: DataCentre, world: World
) -> None:
    """Neither sent nor failed: a later attempt with the same random_id decides."""
    async with desks(dc, deliver_s=0.2) as desk:
        random_id = new_random_id()
        world.faults.append(Fault("messages.sendMedia", swallow=True, count=2))
        with pytest.raises(NoAnswer):
            await desk.gateway.deliver(desk.person, desk.uploaded, random_id)
        await desk.gateway.deliver(desk.person, desk.uploaded, random_id)
        assert 1 == len(await desk.files_in_chat())


@pytest.mark.parametrize("part", [0, 1, 3999])
async def test_deliver_when_a_part_is_missing_then_says_which(
    dc: DataCentre, world: World, part: int
) -> None:
    """FILE_PART_X_MISSING names the part that is to be sent again."""
    async with desks(dc) as desk:
        world.faults.append(Fault("messages.sendMedia", error=(400, f"FILE_PART_{part}_MISSING"), count=1))
        with pytest.raises(PartsLost) as caught:
            await desk.gateway.deliver(desk.person, desk.uploaded, new_random_id())
        assert part == caught.value.part


async def test_withdraw_when_a_message_is_wrong_then_nobody_sees_it_any_more(dc: DataCentre) -> None:
    """A file that is not whole does not stay in the chat."""
    async with desks(dc) as desk:
        delivered = await desk.gateway.deliver(desk.person, desk.uploaded, new_random_id())
        assert delivered.message_id is not None
        await desk.gateway.withdraw(delivered.message_id)
        assert [] == await desk.files_in_chat()


async def test_deliver_when_refused_otherwise_then_is_an_error_of_telegram(
    dc: DataCentre, world: World
) -> None:
    """What has no meaning of its own keeps Telegram's name for it."""
    async with desks(dc) as desk:
        world.faults.append(Fault("messages.sendMedia", error=(400, "SOMETHING_NEW")))
        with pytest.raises(TelegramError, match="SOMETHING_NEW"):
            await desk.gateway.deliver(desk.person, desk.uploaded, new_random_id())
