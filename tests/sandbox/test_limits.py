"""How fast bots may be, and what becomes of those that are faster."""

import contextlib
from typing import Any

import pytest
from telethon import functions, types, utils
from telethon.errors import FloodWaitError, UsernameNotOccupiedError

from sandbox import Account, DataCentre, Limits, Rate, World
from sandbox.people import Person
from sandbox.world.clock import Clock
from sandbox.world.floodgate import Flooded, Floodgate
from tests.sandbox.clients import client, connected, peer

BOT, CHAT, GROUP = 7, 5, -9


class Standing(Clock):
    """Time that goes by when it is told to, and not while a slow machine works."""

    def __init__(self) -> None:
        super().__init__()
        self._now = super().now()

    def now(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds


def _wait_s(call: Any, *arguments: Any) -> int:
    """How long a call is told to wait; 0: it passed."""
    try:
        call(*arguments)
    except Flooded as flood:
        return flood.wait_s
    return 0


def test_messages_when_faster_than_each_limit_have_to_wait() -> None:
    """Per chat, per group and per account; another chat and another bot are not held up."""
    clock = Standing()
    gate = Floodgate(Limits(), clock)
    assert {0} == {_wait_s(gate.send, BOT, CHAT) for _ in range(30)}
    assert 1 == _wait_s(gate.send, BOT, CHAT)
    assert 0 == _wait_s(gate.send, BOT + 1, CHAT)
    clock.skip(2)
    assert {0} == {_wait_s(gate.send, BOT, CHAT) for _ in range(10)}
    assert 28 == _wait_s(gate.send, BOT, CHAT)
    assert 0 == _wait_s(gate.send, BOT, CHAT + 1)
    clock.skip(2)
    assert {0} == {_wait_s(gate.send, BOT, GROUP) for _ in range(20)}
    assert 60 == _wait_s(gate.send, BOT, GROUP)
    assert 0 == _wait_s(gate.send, BOT, GROUP - 1, 9)


def test_wait_when_broken_off_begins_anew() -> None:
    """Who asks before the time is over never gets through; who waits once does."""
    clock = Standing()
    gate = Floodgate(Limits(chat=Rate(1, 10.0)), clock)
    assert [0, 10] == [_wait_s(gate.send, BOT, CHAT) for _ in range(2)]
    for _ in range(5):
        clock.skip(9)
        assert 10 == _wait_s(gate.send, BOT, CHAT)
    clock.skip(10)
    assert [0, 10] == [_wait_s(gate.send, BOT, CHAT) for _ in range(2)]


def test_edits_when_more_than_twenty_a_minute_have_to_wait() -> None:
    """A progress bar every four seconds passes, every two does not."""
    for pause_s, floods in ((4, False), (2, True)):
        clock = Standing()
        gate = Floodgate(Limits(), clock)
        waits = []
        for _ in range(60):
            waits.append(_wait_s(gate.edit, BOT, CHAT))
            clock.skip(pause_s)
        assert floods == any(waits)


def test_logins_and_lookups_when_too_many_have_to_wait_long() -> None:
    """Half an hour, and minutes, as was seen."""
    clock = Standing()
    gate = Floodgate(Limits(), clock)
    assert [0] * 10 + [1800] == [_wait_s(gate.log_in, BOT) for _ in range(11)]
    assert [0] * 30 + [300] == [_wait_s(gate.look_up, BOT) for _ in range(31)]


def test_everything_when_there_are_no_limits_passes() -> None:
    """The default of a world in a test."""
    gate = Floodgate(None, Clock())
    assert {0} == {_wait_s(gate.send, BOT, CHAT) for _ in range(1000)}


@pytest.fixture
def clock() -> Clock:
    """What the limits of a world go by."""
    return Standing()


@pytest.fixture
def bot(world: World, clock: Clock) -> Account:
    """A bot whose world knows limits."""
    limits = Limits(chat=Rate(4, 30.0), edits=Rate(1, 60.0), logins=Rate(1, 100.0), lookups=Rate(2, 300.0))
    world.floodgate = Floodgate(limits, clock)
    return world.add_bot()


async def test_flood_when_it_comes_is_telethons_own_and_ends_with_the_wait(
    world: World, dc: DataCentre, bot: Account, clock: Clock
) -> None:
    """Sends and forwards count alike; people are not limited."""
    user = world.add_user("Ada")
    async with connected(dc, bot, flood_sleep_threshold=0) as telethon, Person.connect(dc, user) as ada:
        for number in range(9):
            await ada.send(str(number))
        to = peer(world, bot, user)
        first = await telethon.send_message(to, "one")
        await telethon.forward_messages(to, [first.id, first.id], to)
        with pytest.raises(FloodWaitError) as waiting:
            await telethon.forward_messages(to, [first.id, first.id], to)
        assert 30 == waiting.value.seconds
        clock.skip(30)
        # Telethon remembers the wait itself, and would not ask
        request = functions.messages.SendMessageRequest(to, "two", random_id=2)
        assert (await telethon(request)).updates
        await first.edit("One")
        with pytest.raises(FloodWaitError) as waiting:
            await first.edit("ONE")
        assert 60 == waiting.value.seconds


async def test_album_when_sent_counts_each_of_its_items(world: World, dc: DataCentre, bot: Account) -> None:
    """Four messages in 30 s: two albums of two, and no third."""
    user = world.add_user("Ada")
    bot.heard_from.add(user.id)
    to = peer(world, bot, user)
    async with connected(dc, bot, flood_sleep_threshold=0) as telethon:
        file = await telethon.upload_file(b"content")
        media = types.InputMediaUploadedDocument(file, "text/plain", [])
        uploaded = await telethon(functions.messages.UploadMediaRequest(to, media))
        known = types.InputMediaDocument(utils.get_input_document(uploaded.document))

        async def send(first_id: int) -> Any:
            album = [types.InputSingleMedia(known, "", random_id=first_id + n) for n in range(2)]
            return await telethon(functions.messages.SendMultiMediaRequest(to, album))

        await send(1)
        await send(3)
        # what was sent already is not counted again
        await send(3)
        with pytest.raises(FloodWaitError) as waiting:
            await send(5)
        assert 30 == waiting.value.seconds


async def test_lookup_when_repeated_too_often_has_to_wait(world: World, dc: DataCentre, bot: Account) -> None:
    """Whoever asks, for names that nobody has, too."""
    async with connected(dc, world.add_user("Ada"), flood_sleep_threshold=0) as ada:
        for name in ("peyk_bot", "nobody_here"):
            with contextlib.suppress(UsernameNotOccupiedError):
                await ada(functions.contacts.ResolveUsernameRequest(name))
        with pytest.raises(FloodWaitError) as waiting:
            await ada(functions.contacts.ResolveUsernameRequest("peyk_bot"))
        assert 300 == waiting.value.seconds


async def test_login_when_repeated_too_often_has_to_wait(world: World, dc: DataCentre, bot: Account) -> None:
    """A bot that loses its sessions pays for it."""
    async with await client(dc).start(bot_token=bot.token):
        pass
    again = client(dc, flood_sleep_threshold=0)
    with pytest.raises(FloodWaitError) as waiting:
        await again.start(bot_token=bot.token)
    assert 100 == waiting.value.seconds
    await again.disconnect()
