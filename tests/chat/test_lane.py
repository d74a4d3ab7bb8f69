"""Who is heard next when many speak at once."""

import asyncio

import pytest

from uploader.chat import lane
from uploader.chat.lane import AT_ONCE, FEW, Lane


class Hall:
    """A lane with people in it; what each says takes until it is let go."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.lane = Lane(lambda: self.now)
        self.heard: list[int] = []
        self.done: asyncio.Queue[None] = asyncio.Queue()

    async def say(self, user_id: int) -> None:
        """One message."""
        async with self.lane.turn(user_id):
            self.heard.append(user_id)
            await self.done.get()


async def test_turn_when_one_person_floods_hears_others_at_once() -> None:
    """However much waits: who has said nothing of late does not wait behind it."""
    hall = Hall()
    async with asyncio.TaskGroup() as people:
        flood = [people.create_task(hall.say(1)) for _ in range(50)]
        await asyncio.sleep(0)
        assert [1] * (int(FEW) + AT_ONCE) == hall.heard
        polite = people.create_task(hall.say(2))
        await asyncio.sleep(0)
        assert 2 == hall.heard[-1]
        for task in (*flood, polite):
            task.cancel()


async def test_turn_when_many_wait_goes_to_who_has_said_least() -> None:
    """Somebody with a few links too many is heard before those who flood; all are heard in the end."""
    hall = Hall()
    async with asyncio.TaskGroup() as people:
        for user_id in [1] * 40 + [2] * 6:
            people.create_task(hall.say(user_id))
        await asyncio.sleep(0)
        hall.heard.clear()
        for _ in range(46):
            hall.done.put_nowait(None)
    assert [2, 2, 2] == hall.heard[:3]
    assert 46 - 2 * int(FEW) - AT_ONCE == len(hall.heard)


async def test_turn_when_who_waits_is_cancelled_passes_on() -> None:
    """A turn that nobody takes is not lost."""
    hall = Hall()
    async with asyncio.TaskGroup() as people:
        tasks = [people.create_task(hall.say(1)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in tasks[int(FEW) :]:
            task.cancel()
        await asyncio.sleep(0)
        last = people.create_task(hall.say(1))
        await asyncio.sleep(0)
        for _ in range(6):
            hall.done.put_nowait(None)
        await last
    assert int(FEW) + AT_ONCE + 1 == len(hall.heard)


async def test_turn_when_time_has_passed_is_at_once_again() -> None:
    """What was said is forgotten."""
    hall = Hall()
    async with asyncio.TaskGroup() as people:
        tasks = [people.create_task(hall.say(1)) for _ in range(20)]
        await asyncio.sleep(0)
        hall.now += 100.0
        heard = len(hall.heard)
        tasks.append(people.create_task(hall.say(1)))
        await asyncio.sleep(0)
        assert heard + 1 == len(hall.heard)
        for task in tasks:
            task.cancel()


async def test_turn_when_chats_are_made_to_wait_is_not_held_by_their_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three people whose chats Telegram parks keep nobody else from being heard, and each turn ends once."""
    monkeypatch.setattr(lane, "LONGEST_S", 0.01)
    hall = Hall()
    async with asyncio.timeout(30), asyncio.TaskGroup() as people:
        parked = [people.create_task(hall.say(user_id)) for user_id in (1, 2, 3) for _ in range(int(FEW) + 1)]
        await asyncio.sleep(0)
        waiting = [people.create_task(hall.say(4)) for _ in range(20)]
        while 4 not in hall.heard or len(hall.heard) < len(parked) + len(waiting):  # noqa: ASYNC110 - the lane's own time
            await asyncio.sleep(0.01)
        for _ in range(len(parked) + len(waiting)):
            hall.done.put_nowait(None)
    hall.heard.clear()
    monkeypatch.setattr(lane, "LONGEST_S", 60.0)
    async with asyncio.TaskGroup() as people:
        flood = [people.create_task(hall.say(5)) for _ in range(20)]
        await asyncio.sleep(0)
        assert [5] * (int(FEW) + AT_ONCE) == hall.heard
        for task in flood:
            task.cancel()
