"""Faults on demand, as a real client meets them."""

import asyncio
import hashlib
import io
import os
from typing import Any

import pytest
from telethon import functions
from telethon.errors import FloodWaitError, RPCError

from sandbox import DataCentre, Fault, World
from tests.sandbox.clients import connected, refused


async def test_error_when_a_rule_says_so_is_answered_after_and_as_often_as_it_says(
    world: World, dc: DataCentre
) -> None:
    """The second and third call of this method by this account, and nothing else."""
    account, other = world.add_bot(), world.add_bot("other_bot")
    rule = Fault("updates.get", user_id=account.id, after=1, count=2, error=(400, "PEER_ID_INVALID"))
    async with connected(dc, account) as bot, connected(dc, other) as untouched:
        world.faults.append(rule)
        answers = []
        for _ in range(4):
            await untouched(functions.updates.GetStateRequest())
            try:
                await bot(functions.updates.GetStateRequest())
                answers.append("")
            except RPCError as error:
                answers.append(type(error).__name__)
        assert (["", "PeerIdInvalidError", "PeerIdInvalidError", ""], 3, 2) == (
            answers,
            rule.seen,
            rule.fired,
        )


async def test_flood_wait_when_a_rule_says_so_carries_its_seconds(world: World, dc: DataCentre) -> None:
    """Telethon reads them out of the name."""
    async with connected(dc, world.add_bot(), flood_sleep_threshold=0) as bot:
        world.faults.append(Fault("updates.getState", error=(420, "FLOOD_WAIT_7")))
        with pytest.raises(FloodWaitError) as waiting:
            await bot(functions.updates.GetStateRequest())
        assert 7 == waiting.value.seconds


async def test_message_when_the_answer_is_lost_is_sent_once(world: World, dc: DataCentre) -> None:
    """The call is done, the connection is cut before the answer; the client asks again by itself."""
    account, user = world.add_bot(), world.add_user("Ada")
    world.faults.append(Fault("messages.sendMessage", count=1, drop=True))
    async with connected(dc, user) as ada:
        sent = await ada.send_message("peyk_bot", "once")
        assert ["once"] == [letter.draft.text for letter in account.box.letters.values()]
        assert sent.id == 1
        assert 2 == world.stats.calls["messages.sendMessage"]


async def test_answer_when_swallowed_or_delayed_comes_never_or_late(world: World, dc: DataCentre) -> None:
    """Swallowed: done and silent. Delayed: other answers overtake it."""
    account = world.add_bot()
    async with connected(dc, account) as bot:
        world.faults.append(Fault("updates.getState", count=1, swallow=True))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await bot(functions.updates.GetStateRequest())
        world.faults[:] = [Fault("updates.getState", count=1, delay_s=0.1)]
        order: list[str] = []

        async def ask(name: str, request: Any) -> None:
            await bot(request)
            order.append(name)

        await asyncio.gather(
            ask("state", functions.updates.GetStateRequest()),
            ask("dc", functions.help.GetNearestDcRequest()),
        )
        assert ["dc", "state"] == order


async def test_part_when_a_rule_names_it_fails_alone(world: World, dc: DataCentre) -> None:
    """A part's number is a condition of its own."""
    account = world.add_bot()
    world.faults.append(Fault("upload.saveFilePart", part=1, error=(400, "FILE_PART_INVALID")))
    async with connected(dc, account) as bot:
        assert await bot(functions.upload.SaveFilePartRequest(1, 0, b"a"))
        with refused("FILE_PART_INVALID"):
            await bot(functions.upload.SaveFilePartRequest(1, 1, b"b"))


async def test_upload_when_connections_are_cut_in_it_arrives_whole(world: World, dc: DataCentre) -> None:
    """Parts may come twice; the content is the same."""
    account, user = world.add_bot(), world.add_user("Ada")
    content = os.urandom(3_000_000)
    world.faults.append(Fault("upload.saveFilePart", after=5, count=1, drop=True))
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        sent = await bot.send_file(user.id, io.BytesIO(content), force_document=True)
        assert hashlib.sha256(content).digest() == hashlib.sha256(await sent.download_media(bytes)).digest()
        (record,) = world.stats.uploads.values()
        assert (len(content), 1) == (record.size_bytes, sum(record.arrivals) - len(record.arrivals))


async def test_latency_when_set_holds_back_every_answer_in_order(world: World, dc: DataCentre) -> None:
    """Answers come late and in their order, also while the latency shrinks."""
    account = world.add_bot()
    async with connected(dc, account) as bot:
        world.latency_s = 0.15
        loop = asyncio.get_running_loop()
        start = loop.time()
        first = asyncio.gather(*(bot.get_me() for _ in range(5)))
        await asyncio.sleep(0.05)
        world.latency_s = 0.0
        await bot.get_me()
        assert loop.time() - start >= 0.15
        assert 5 == len(await first)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("text", "an object"),
        ({"metod": "x"}, "metod"),
        ({"part": "one"}, "part"),
        ({"drop": 1}, "drop"),
        ({"error": ["FLOOD_WAIT_5", 420]}, "error"),
        ({"error": [420]}, "error"),
    ],
)
def test_rule_when_it_cannot_be_read_is_refused_with_the_reason(rule: Any, complaint: str) -> None:
    """What comes over the control port is checked field by field."""
    with pytest.raises(ValueError, match=complaint):
        Fault.from_json(rule)


def test_rule_when_it_is_of_chance_strikes_some_calls() -> None:
    """Neither none nor all of a thousand at one half."""
    rule = Fault("x", probability=0.5)
    assert 0 < sum(rule.strikes("x.y", None, None) for _ in range(1000)) < 1000
