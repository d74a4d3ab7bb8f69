"""Faults on demand, as a real client meets them."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from telethon import events, functions, types
from telethon.errors import FloodWaitError, RPCError

from sandbox import DataCentre, Fault, World
from sandbox.levers import read_faults
from tests.sandbox.clients import connected, refused
from tests.sandbox.raw import raw

DEADLINE_S = 20.0


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


async def test_answer_when_the_connection_ends_behind_it_arrives(world: World, dc: DataCentre) -> None:
    """The client has what it asked for, and comes back by itself."""
    account = world.add_bot()
    async with connected(dc, account) as bot:
        world.faults.append(Fault("users.", count=1, drop_after=True))
        assert account.id == (await bot.get_me()).id
        assert account.id == (await bot.get_me()).id
        assert world.stats.connections > 1


async def test_answer_when_it_comes_twice_does_no_harm(world: World, dc: DataCentre) -> None:
    """Two messages, one answer; a client that knows the rules takes the first."""
    account = world.add_bot()
    world.faults.append(Fault("users.", duplicate=True))
    async with raw(dc, account) as client, connected(dc, account) as bot:
        call = await client.send(bytes(functions.users.GetUsersRequest([types.InputUserSelf()])))
        answers = {(await client.until(tuple))[0]: client.last_received_id for _ in range(2)}
        assert [call] == list(answers)
        assert account.id == (await bot.get_me()).id


async def test_part_when_lost_behind_a_good_answer_is_missed_later(world: World, dc: DataCentre) -> None:
    """FILE_PART_1_MISSING, truly: sent again, the file is whole."""
    account, ada = world.add_bot(), world.add_user("Ada")
    world.faults.append(Fault("upload.", part=1, count=1, lose=True))
    async with connected(dc, ada) as user, connected(dc, account) as bot:
        await user.send_message("peyk_bot", "hi")
        file = await bot.upload_file(os.urandom(200_000), part_size_kb=64)
        with refused("FILE_PART_1_MISSING"):
            await bot.send_file(ada.id, file)
        assert await bot(functions.upload.SaveFilePartRequest(file.id, 1, os.urandom(64 * 1024)))
        file.md5_checksum = ""
        assert 200_000 == (await bot.send_file(ada.id, file)).document.size


async def test_part_when_the_disk_is_full_is_refused_until_there_is_room(
    world: World, dc: DataCentre
) -> None:
    """A failure of the server's own: 500."""
    request = functions.upload.SaveFilePartRequest(1, 0, b"a")
    async with raw(dc, world.add_bot()) as client:
        world.network.disk_full = True
        error = await client.result(await client.send(bytes(request)))
        assert (500, "STORAGE_CHECK_FAILED") == (error.error_code, error.error_message)
        world.network.disk_full = False
        assert await client.result(await client.send(bytes(request)))


@asynccontextmanager
async def _overheard(world: World, dc: DataCentre) -> AsyncIterator[tuple[Any, asyncio.Queue[str]]]:
    """Somebody who writes, and what a real client hears of it."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account, sequential_updates=True) as bot, connected(dc, user) as ada:
        heard: asyncio.Queue[str] = asyncio.Queue()
        bot.add_event_handler(lambda event: heard.put(event.raw_text), events.NewMessage())
        await bot.get_me()
        await ada.send_message("peyk_bot", "zero")
        assert "zero" == await asyncio.wait_for(heard.get(), DEADLINE_S)
        yield ada, heard


@pytest.mark.parametrize(
    "rule",
    [
        Fault("push.updateNewMessage", count=1, swallow=True),
        Fault("push.updateNewMessage", count=1, reorder=True),
        Fault("push.updateNewMessage", count=1, delay_s=0.05),
        Fault("push.updateNewMessage", duplicate=True),
        Fault("push.", after=1, count=1, swallow=True),
    ],
    ids=["a gap", "out of order", "late", "twice", "a gap in the middle"],
)
async def test_updates_when_lost_late_or_doubled_are_heard_once_and_in_order(
    world: World, dc: DataCentre, rule: Fault
) -> None:
    """By pts a client finds out, waits for what is missing, and at last asks for the difference."""
    async with _overheard(world, dc) as (ada, heard):
        world.faults.append(rule)
        texts = ["one", "two", "three", "four"]
        for text in texts:
            await ada.send_message("peyk_bot", text)
        assert texts == [await asyncio.wait_for(heard.get(), DEADLINE_S) for _ in texts]
        assert rule.fired
        await ada.send_message("peyk_bot", "last")
        assert "last" == await asyncio.wait_for(heard.get(), DEADLINE_S)


async def test_update_when_overtaken_by_nothing_comes_after_a_while(world: World, dc: DataCentre) -> None:
    """What waits for the next one does not wait for ever."""
    async with _overheard(world, dc) as (ada, heard):
        world.faults.append(Fault("push.", reorder=True))
        await ada.send_message("peyk_bot", "alone")
        assert "alone" == await asyncio.wait_for(heard.get(), DEADLINE_S)


async def test_connection_when_cut_by_an_update_is_gone(world: World, dc: DataCentre) -> None:
    """In the moment when there is something to say."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with raw(dc, account) as client, connected(dc, user) as ada:
        await client.result(await client.send(bytes(functions.updates.GetStateRequest())))
        world.faults.append(Fault("push.", user_id=account.id, drop=True))
        await ada.send_message("peyk_bot", "hi")
        assert await client.closed()


async def test_rule_when_it_names_all_methods_leaves_updates_and_connections_alone(
    world: World, dc: DataCentre
) -> None:
    """These have names of their own."""
    async with _overheard(world, dc) as (ada, heard):
        rule = Fault("", user_id=5, drop=True)
        world.faults.append(rule)
        await ada.send_message("peyk_bot", "safe")
        assert "safe" == await asyncio.wait_for(heard.get(), DEADLINE_S)
        async with connected(dc):
            pass
        assert 0 == rule.seen


def test_faults_when_read_from_a_file_are_rules_and_a_network(world: World, tmp_path: Path) -> None:
    """Or the reason why it cannot be."""
    path = tmp_path / "faults.json"
    path.write_text('{"rules": [{"method": "upload.", "delay_s": 1}], "network": {"latency_s": 0.2}}')
    read_faults(world, path)
    assert ([Fault("upload.", delay_s=1)], 0.2) == (world.faults, world.network.latency_s)
    for wrong in ("[]", '{"rule": []}', '{"rules": {}}', '{"network": {"lag": 1}}', "{"):
        path.write_text(wrong)
        with pytest.raises(ValueError):  # noqa: PT011 - JSON's own complaints are among them
            read_faults(world, path)
    assert 1 == len(world.faults)


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
