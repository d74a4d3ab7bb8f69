"""Room for parts, and whose turn it is."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.errors import LeaseLost
from uploader.transfer.room import PartRoom
from uploader.transfer.slots import Claim, Slots


def slots_of(count: int) -> Slots:
    """Slots whose waits nobody counts."""
    return Slots(count, lambda _waited: None)


def claimed(slots: Slots) -> AbstractContextManager[Claim]:
    """The claim of a transfer that does not care about parking."""
    return slots.claim(lambda _until: None)


class Hall:
    """Transfers of 1000 parts at most, and a data centre that acknowledges what it holds one by one."""

    def __init__(self, slots: Slots, seed: int) -> None:
        self.slots = slots
        self.sent: dict[str, int] = {}
        self._under_way: list[tuple[Claim, PartRoom]] = []
        self._chance = random.Random(seed)

    async def transfer(self, name: str, ready: Callable[[int], bool] = lambda _turn: True) -> None:
        """Send whenever the source is `ready` (at its nth look)."""
        self.sent[name] = looks = 0
        with claimed(self.slots) as claim:
            while self.sent[name] < 1000:
                looks += 1
                if not ready(looks):
                    await asyncio.sleep(0)
                    continue
                room = await claim.take()
                self.sent[name] += 1
                self._under_way.append((claim, room))

    async def answer(self, parts: int) -> None:
        """Acknowledge so many parts, whichever comes."""
        for _ in range(parts):
            await asyncio.sleep(0)
            if self._under_way:
                claim, room = self._under_way.pop(self._chance.randrange(len(self._under_way)))
                claim.give_back(room)


@given(seed=st.integers(0, 2**32), count=st.integers(4, 64), rivals=st.integers(2, 4))
async def test_slots_when_transfers_want_all_of_them_then_get_equal_shares(
    seed: int, count: int, rivals: int
) -> None:
    """However the answers come, nobody is far ahead of another, and a latecomer has its share at once."""
    hall = Hall(slots_of(count), seed)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hall.transfer("first"))]
        await hall.answer(100)
        before = hall.sent["first"]
        tasks += [group.create_task(hall.transfer(str(number))) for number in range(rivals - 1)]
        await hall.answer(count)  # in which the latecomers fill up
        middle = dict(hall.sent)
        await hall.answer(200)
        gained = [hall.sent[name] - middle[name] for name in middle]
        for task in tasks:
            task.cancel()
    assert before >= 100
    assert min(gained) >= 0.5 * 200 / rivals
    assert sum(gained) >= 200 - count


@given(seed=st.integers(0, 2**32), every=st.integers(2, 30))
async def test_slots_when_a_source_is_slow_then_its_part_never_waits_behind_many(
    seed: int, every: int
) -> None:
    """A slow transfer gets a slot with the next one that is free, however many a fast one wants."""
    hall = Hall(slots_of(8), seed)
    async with asyncio.TaskGroup() as group:
        fast = group.create_task(hall.transfer("fast"))
        slow = group.create_task(hall.transfer("slow", lambda look: look % every == 0))
        await hall.answer(300)
        sent = dict(hall.sent)
        fast.cancel()
        slow.cancel()
    assert sent["slow"] >= 300 // (every + 3) - 1
    assert sent["fast"] + sent["slow"] >= 300


@pytest.mark.parametrize("how", ["ends", "fails", "is cancelled while it waits", "is cancelled at its turn"])
async def test_claim_when_a_transfer_leaves_then_what_it_held_is_free(how: str) -> None:
    """Slots cannot leak, however a transfer ends; another that waits goes on."""
    slots = slots_of(2)
    with claimed(slots) as other:
        room = await other.take()
        with pytest.raises(LeaseLost), claimed(slots) as claim:  # noqa: PT012 - the way out is what is tested
            await claim.take()
            if how.startswith("is cancelled"):
                async with asyncio.TaskGroup() as group:
                    taking = group.create_task(claim.take())
                    await asyncio.sleep(0)
                    if how.endswith("turn"):
                        other.give_back(room)
                    taking.cancel()
                assert taking.cancelled()
            raise LeaseLost
        assert other.held == slots.held
        while slots.held < 2:
            await other.take()
    assert 0 == slots.held


async def test_rooms_when_parts_come_and_go_then_are_used_again() -> None:
    """Memory is as many rooms as there were parts at once; none is kept when nobody sends."""
    slots, seen = slots_of(3), set()
    with claimed(slots) as claim:
        for _ in range(20):
            rooms = [await claim.take() for _ in range(3)]
            seen |= {id(room) for room in rooms}
            for room in rooms:
                room.sealed = 1, 2
                claim.give_back(room)
        assert 3 == len(seen)
        assert (await claim.take()).sealed is None
    with claimed(slots) as claim:
        assert not (await claim.take()).data.tobytes().strip(b"\0")


async def test_slots_when_there_are_fewer_then_those_above_are_withdrawn_as_they_come_back() -> None:
    """A pool that shrinks takes no part away from anyone; one that grows lets the waiting go on at once."""
    slots = slots_of(3)
    with claimed(slots) as claim:
        rooms = [await claim.take() for _ in range(3)]
        slots.resize(1)
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(claim.take())
            for held, room in zip((2, 1), rooms, strict=False):
                await asyncio.sleep(0)
                claim.give_back(room)
                assert held == slots.held
                assert not taking.done()
            slots.resize(2)
            await taking
        assert 2 == slots.held
