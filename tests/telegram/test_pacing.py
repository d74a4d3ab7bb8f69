"""Waits that Telegram asks for, over real MTProto: whom they hold up, and whom they do not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

import pytest

from sandbox import DataCentre, Fault, Limits, Rate, World
from sandbox.world.letters import Draft
from tests.sandbox.clients import connected
from uploader.errors import FloodWait
from uploader.model import Person
from uploader.telegram import pacing
from uploader.telegram.gateway import Gateway
from uploader.telegram.pacing import Pacer
from uploader.telegram.turns import ARRIVING_PER_S, Urgency


@asynccontextmanager
async def voice(dc: DataCentre, names: str) -> AsyncIterator[tuple[Gateway, list[Person]]]:
    """A bot's gateway, and people who wrote to the bot."""
    world, bot = dc.world, dc.world.add_bot()
    people = []
    for name in names:
        account = world.add_user(name)
        world.post_office.send(account, bot, Draft("/start"))
        access_hash = world.accounts.access_hash(bot, "user", account.id)
        people.append(Person(user_id=account.id, access_hash=access_hash, language="en", name=name))
    async with connected(dc, bot) as client:
        yield Gateway(client, Pacer()), people


async def said(gateway: Gateway, person: Person, text: str) -> int:
    """Say it; returns the id of the message."""
    message_id = await gateway.say(person, text)
    assert message_id is not None
    return message_id


async def test_say_when_one_chat_has_to_wait_then_all_others_are_answered(
    dc: DataCentre, world: World
) -> None:
    """The wait is of that chat: no other waits, and in that one nothing is tried before."""
    async with voice(dc, "ab") as (gateway, (ada, bob)):
        world.floodgate.limits = Limits(chat=Rate(2, 300.0))
        first, last = await said(gateway, ada, "one"), await said(gateway, ada, "two")
        for call in (gateway.say(ada, "three"), gateway.say(ada, "four"), gateway.edit(ada, first, "no")):
            with pytest.raises(FloodWait) as caught:
                await call
            assert 290 < caught.value.wait_s <= 300
        assert not await gateway.edit(ada, last, "no", urgency=None)
        assert 3 == world.stats.calls["messages.sendMessage"]
        assert 0 == world.stats.calls["messages.editMessage"]
        message_id = await said(gateway, bob, "one")
        assert await gateway.edit(bob, message_id, "two")


async def test_edit_when_one_chat_has_to_wait_then_others_are_edited(dc: DataCentre, world: World) -> None:
    """Telethon keeps waits by method; ours are of the chat that earned them."""
    async with voice(dc, "ab") as (gateway, (ada, bob)):
        world.floodgate.limits = Limits(edits=Rate(1, 300.0))
        ids = {person.user_id: await said(gateway, person, "one") for person in (ada, bob)}
        assert await gateway.edit(ada, ids[ada.user_id], "two")
        with pytest.raises(FloodWait):
            await gateway.edit(ada, ids[ada.user_id], "three")
        assert await gateway.edit(bob, ids[bob.user_id], "two")


async def test_say_when_the_wait_is_short_or_telegram_stumbles_then_says_it_later(
    dc: DataCentre, world: World
) -> None:
    """A second is waited out in the chat's turn, an internal error tried again: the message comes once."""
    async with voice(dc, "ab") as (gateway, people):
        world.faults.append(Fault("messages.sendMessage", error=(420, "FLOOD_WAIT_1"), count=1))
        world.faults.append(Fault("messages.sendMessage", error=(500, "RPC_CALL_FAIL"), count=1))
        ids = await asyncio.gather(*(gateway.say(person, "hello") for person in people))
        assert 2 == len(set(ids))
        assert 4 == world.stats.calls["messages.sendMessage"]


async def test_call_when_its_method_has_to_wait_is_not_made_again(dc: DataCentre, world: World) -> None:
    """What is asked of Telegram rests for as long as it says, and nothing else does."""
    async with voice(dc, "a") as (gateway, (ada,)):
        world.faults.append(Fault("contacts.resolveUsername", error=(420, "FLOOD_WAIT_200"), count=1))
        for _ in range(3):
            with pytest.raises(FloodWait):
                await gateway.find_channel("sponsor")
        assert 1 == world.stats.calls["contacts.resolveUsername"]
        await gateway.say(ada, "hello")


async def test_message_when_too_many_wait_refuses_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one chat and in all; who is cancelled makes room again."""
    monkeypatch.setattr(pacing, "WAITING_IN_CHAT", 3)
    monkeypatch.setattr(pacing, "WAITING", 5)
    pacer = Pacer(lambda: 1000.0)  # what chats have had is forgotten with time: these two had as much
    pacer.park(1, 30.0)
    pacer.park(2, 30.0)

    async def send(chat_id: int) -> None:
        async with pacer.message(chat_id, Urgency.MESSAGE):
            pass

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(send(1 + number // 3)) for number in range(5)]
        await asyncio.sleep(0)
        for chat_id in (1, 2):
            with pytest.raises(FloodWait):
                await send(chat_id)
        for task in waiting:
            task.cancel()
    await send(3)


async def test_message_when_too_many_wait_goes_before_who_has_had_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Accounts that flood fill the waiting room; who has had nothing takes the place of the last of them."""
    monkeypatch.setattr(pacing, "WAITING", 12)
    now = [1000.0]
    pacer = Pacer(lambda: now[0])
    sent: list[int] = []

    async def send(chat_id: int, urgency: Urgency = Urgency.ANSWER) -> None:
        async with pacer.message(chat_id, urgency):
            sent.append(chat_id)

    async with asyncio.TaskGroup() as group:
        for chat_id in (1, 2):
            pacer.park(chat_id, 30.0)
        flood = [group.create_task(_left(send(1 + number % 2))) for number in range(12)]
        await asyncio.sleep(0)
        await send(9)
        assert [9] == sent
        pacer.park(9, 30.0)
        polite = group.create_task(send(9))
        await asyncio.sleep(0)
        assert 1 == sum(task.done() for task in flood)
        with pytest.raises(FloodWait):
            await send(1)
        for task in (*flood, polite):
            task.cancel()


async def _left(sending: Awaitable[None]) -> None:
    with suppress(FloodWait):
        await sending


async def test_message_when_others_wait_leaves_out_who_asks_for_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody is kept waiting so that somebody can be told to wait."""
    monkeypatch.setattr(pacing, "BUSY", 3)
    pacer = Pacer()
    async with pacer.message(5, Urgency.TOO_FAST):
        pass
    pacer.park(1, 30.0)

    async def send() -> None:
        async with pacer.message(1, Urgency.ANSWER):
            pass

    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(send()) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(FloodWait):
            async with pacer.message(5, Urgency.TOO_FAST):
                pass
        for task in waiting:
            task.cancel()


async def test_message_when_whoever_had_the_turn_is_gone_leaves_it_to_others() -> None:
    """Turns that were given to somebody who is being cancelled, or used by failing calls, hold up nobody."""
    now = [1000.0]
    pacer = Pacer(lambda: now[0])

    async def send(chat_id: int) -> None:
        async with pacer.message(chat_id, Urgency.MESSAGE):
            raise LookupError

    for number in range(2 * ARRIVING_PER_S):
        pacer.park(number, 5.0)
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(send(number))
            await asyncio.sleep(0)
            now[0] += 5.0
            if number % 2:
                gone.cancel()
            with pytest.raises(LookupError):
                await send(-1 - number)
            gone.cancel()
    async with asyncio.timeout(5), pacer.message(100, Urgency.MESSAGE):
        pass


async def test_message_when_nobody_waits_goes_at_once_and_an_answer_before_others() -> None:
    """The order in which turns are given is the order of urgency."""
    pacer = Pacer()
    order: list[Urgency] = []

    async def send(chat_id: int, urgency: Urgency) -> None:
        async with pacer.message(chat_id, urgency):
            order.append(urgency)

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            urgency = Urgency.ANSWER if number == 7 else Urgency.BROADCAST
            group.create_task(send(number, urgency))
    assert [Urgency.BROADCAST] * 3 + [Urgency.ANSWER] + [Urgency.BROADCAST] * 4 == order
