"""Answers and updates in every order: what is believed, for how long, and what is asked once for all."""

import asyncio
import time

import pytest

from tests.sponsors.conftest import NEWS, SARA, SHOP, Gate
from uploader.errors import ChannelUnusable, FloodWait, NoAnswer, TelegramError
from uploader.model import Dues
from uploader.sponsors import Move, membership

KEY = NEWS.channel_id, SARA.user_id
MISSING = Dues(missing=(NEWS,))


def move(*, inside: bool, at: float | None = None, since: float | None = None) -> Move:
    """Sara came or left."""
    now = float(int(time.time())) if at is None else at
    return Move(channel_id=KEY[0], user_id=KEY[1], inside=inside, at=now, since=since)


async def test_dues_when_a_leave_is_heard_while_the_question_is_on_its_way_then_the_leave_counts(
    gate: Gate,
) -> None:
    """The answer is older than the update: it lets nobody pass, and is not remembered."""
    gate.telegram.inside.add(KEY)

    async def leaves() -> None:
        gate.telegram.inside.clear()
        await gate.locks.moved(move(inside=False))

    gate.telegram.on_its_way = leaves
    assert MISSING == await gate.locks.dues(SARA.user_id)
    gate.telegram.on_its_way = lambda: asyncio.sleep(0)
    assert MISSING == await gate.locks.dues(SARA.user_id)


async def test_dues_when_a_join_is_heard_while_the_question_is_on_its_way_then_nothing_is_owed(
    gate: Gate,
) -> None:
    """Who joined a moment after the question does not wait for the next."""

    async def joins() -> None:
        gate.telegram.inside.add(KEY)
        await gate.locks.moved(move(inside=True))

    gate.telegram.on_its_way = joins
    assert not await gate.locks.dues(SARA.user_id)
    assert not await gate.locks.dues(SARA.user_id)
    assert [KEY] == gate.telegram.asked


async def test_moved_when_join_and_leave_of_one_second_are_seen_to_at_once_then_the_later_word_counts(
    gate: Gate,
) -> None:
    """Handlers overlap: while the join is written down, the leave is heard."""
    at = float(int(time.time()))
    async with asyncio.TaskGroup() as group:
        group.create_task(gate.locks.moved(move(inside=True, at=at)))
        group.create_task(gate.locks.moved(move(inside=False, at=at)))
    assert MISSING == await gate.locks.dues(SARA.user_id)


async def test_moved_when_an_old_join_is_told_again_after_a_leave_then_it_opens_nothing(gate: Gate) -> None:
    """A kill replays up to a minute of updates."""
    now = float(int(time.time()))
    for each in (
        move(inside=True, at=now - 9),
        move(inside=False, at=now - 5),
        move(inside=True, at=now - 9),
    ):
        await gate.locks.moved(each)
    assert MISSING == await gate.locks.dues(SARA.user_id)


async def test_dues_when_a_leave_is_told_to_nobody_then_believed_for_a_bounded_time(gate: Gate) -> None:
    """What a lost update can cost, also an engine that another's updates do not reach."""
    gate.telegram.inside.add(KEY)
    assert not await gate.locks.dues(SARA.user_id)
    gate.telegram.inside.clear()
    gate.now[0] += membership.MEMBER_S - 1
    assert not await gate.locks.dues(SARA.user_id)
    gate.now[0] += 1
    assert MISSING == await gate.locks.dues(SARA.user_id)
    gate.telegram.inside.add(KEY)
    gate.now[0] += membership.STRANGER_S
    assert not await gate.locks.dues(SARA.user_id)


async def test_hear_when_another_engine_acts_on_a_leave_then_this_one_forgets_all_the_same(
    gate: Gate,
) -> None:
    """Every engine hears of every move; the one that acts writes, the others ask Telegram again."""
    gate.telegram.inside.add(KEY)
    acting, other = gate.engine(), gate.engine()
    for engine in (acting, other):
        assert not await engine.dues(SARA.user_id)
    gate.telegram.inside.clear()
    left = move(inside=False)
    other.hear(left)
    await acting.moved(left)
    assert [MISSING, MISSING] == [await engine.dues(SARA.user_id) for engine in (acting, other)]


async def test_dues_when_many_ask_at_once_then_one_question_is_put_for_all(gate: Gate) -> None:
    """Ten links are one look; who gives up waiting takes the answer from nobody."""
    answered = asyncio.Event()
    gate.telegram.on_its_way = answered.wait
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(gate.locks.dues(SARA.user_id)) for _ in range(10)]
        while not gate.telegram.asked:  # noqa: ASYNC110 - a list of the test
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        waiting[5].cancel()
        await asyncio.sleep(0)
        answered.set()
    assert [KEY] == gate.telegram.asked
    assert [MISSING] * 9 == [task.result() for task in waiting if not task.cancelled()]


async def test_dues_when_who_asked_first_gives_up_then_the_others_are_not_left_without_an_answer(
    gate: Gate,
) -> None:
    """They wait on, as for any answer that does not come."""
    gate.telegram.on_its_way = asyncio.Event().wait
    async with asyncio.TaskGroup() as group:
        first = group.create_task(gate.locks.dues(SARA.user_id))
        while not gate.telegram.asked:  # noqa: ASYNC110 - a list of the test
            await asyncio.sleep(0.01)
        second = group.create_task(gate.locks.dues(SARA.user_id))
        await asyncio.sleep(0.1)
        first.cancel()
    assert (NEWS,) == second.result().unsure


@pytest.mark.parametrize(
    ("failure", "wait_s"),
    [
        (FloodWait(40.0), 40.0),
        (NoAnswer("no answer"), membership.AGAIN_S),
        (TelegramError("InterdcCallErrorError"), membership.AGAIN_S),
    ],
)
async def test_dues_when_telegram_does_not_tell_then_the_person_waits_and_is_not_counted(
    gate: Gate, failure: Exception, wait_s: float
) -> None:
    """Neither inside nor outside: nothing opens, and nobody is billed for it."""
    gate.telegram.failure = failure
    dues = await gate.locks.dues(SARA.user_id)
    assert (Dues(unsure=(NEWS,), wait_s=wait_s), True) == (dues, bool(dues))
    await gate.locks.ask(SARA.user_id, dues)
    assert [(0, 0)] == await gate.counts()


async def test_dues_when_telegram_is_silent_then_not_waited_for_longer_than_a_check(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is answered all the same."""
    monkeypatch.setattr(membership, "CHECK_S", 0.05)
    gate.telegram.on_its_way = asyncio.Event().wait
    assert (NEWS,) == (await gate.locks.dues(SARA.user_id)).unsure


async def test_dues_when_channels_are_unusable_then_their_locks_open_and_are_marked_once(
    gate: Gate,
) -> None:
    """Admins are to be told once, and once more when they work anew."""
    await gate.sponsors.add(SHOP, added_by=9)
    gate.telegram.failure = ChannelUnusable("ChannelPrivateError")
    for _ in range(2):
        assert not await gate.locks.dues(SARA.user_id)
    broken = await gate.sponsors.untold()
    assert [(5, "ChannelPrivateError"), (7, "ChannelPrivateError")] == [
        (each.channel_id, each.broken) for each in broken
    ]
    for each in broken:
        await gate.sponsors.told(each)
    assert [] == await gate.sponsors.untold()
    gate.telegram.failure = None
    assert [5, 7] == [each.channel_id for each in (await gate.locks.dues(SARA.user_id)).missing]
    assert [None, None] == [each.broken for each in await gate.sponsors.untold()]


async def test_dues_when_the_person_is_unknown_to_this_account_then_they_wait(gate: Gate) -> None:
    """Without an access hash nobody can be asked about: that opens nothing."""
    assert (NEWS,) == (await gate.locks.dues(404)).unsure
    assert [] == gate.telegram.asked
