"""Who may run: places that slowness cannot hold, on a clock of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from uploader import limits
from uploader.errors import GivesWay, Reason, SourceError
from uploader.limits import MIB
from uploader.machine import Room
from uploader.model import RemoteFile
from uploader.places import Place, Places, Seats


class Clock:
    """Time as the test makes it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def begun(places: Places, count: int) -> list[Place]:
    """So many jobs that begin now, each of which found a place."""
    found = []
    for _ in range(count):
        assert places.is_free()
        found.append(places.begin())
    return found


def test_place_when_all_are_held_by_slow_sources_is_free_again(clock: Clock) -> None:
    """However many wait for their sources: one after the other steps aside."""
    places = Places(Room(swift=2, all=50), clock)
    for _ in range(20):
        begun(places, 2)
        assert not places.is_free()
        clock.now += limits.ASIDE_S
    assert places.is_free()


def test_place_when_its_source_brings_much_is_kept_for_a_while_and_not_for_ever(clock: Clock) -> None:
    """A fast source is no better than slow ones once it has had its time."""
    places = Places(Room(swift=1, all=50), clock)
    (place,) = begun(places, 1)
    for second in range(1, int(limits.SWIFT_S)):
        clock.now += 1
        place.brought(second * MIB)
        assert not places.is_free()
    clock.now += 1
    place.brought(int(limits.SWIFT_S) * MIB)
    assert places.is_free()


def test_place_when_none_is_left_aside_then_the_slowest_is_asked_to_leave(clock: Clock) -> None:
    """Neither what has just begun, nor what brings something, nor more than there is room for."""
    places = Places(Room(swift=2, all=4), clock)
    slow, slower = begun(places, 2)
    clock.now += limits.HELD_S
    fast, new = begun(places, 2)
    slow.brought(1000)
    clock.now += limits.ASIDE_S
    fast.brought(10 * MIB)
    assert places.is_full
    assert not places.is_free()
    for _ in range(5):
        places.make_free()
    asked = [place.asked_to_leave.is_set() for place in (slow, slower, fast, new)]
    assert [True, True, False, False] == asked


async def test_place_when_bytes_wait_for_us_then_its_source_is_not_slow(clock: Clock) -> None:
    """What we take long to send is no fault of the site's: only the wait for its bytes counts."""
    place = Place(clock)
    clock.now += 0.1

    async def read(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
        for _ in range(3):
            clock.now += 0.1
            yield bytes(100_000)

    async for _ in place.metered(file(read)).read(0, None):
        clock.now += 3600.0
        assert not place.may_give_way
    assert not place.is_slow
    assert pytest.approx(0.4) == place.waited_s


def test_place_when_its_job_waits_for_the_headers_is_slow(clock: Clock) -> None:
    """A site that does not even answer brings nothing."""
    place = Place(clock)
    clock.now += limits.HELD_S
    assert place.is_slow
    assert place.may_give_way


@pytest.mark.parametrize(
    ("bytes_s", "most_s"),
    [(1000, 1.1 * limits.SLOW_S), (3500, 1.3 * limits.SLOW_S), (64 * 1024, limits.PROMISE_S)],
)
async def test_source_when_slow_for_ever_ends_in_time(bytes_s: int, most_s: float, clock: Clock) -> None:
    """The longer the more it brings, and never longer than a job may wait in the queue."""
    place, began = Place(clock), clock.now

    async def read(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
        while clock.now - began <= 2 * limits.PROMISE_S:
            clock.now += 60.0
            yield bytes(60 * bytes_s)

    with pytest.raises(SourceError) as caught:
        await drained(place.metered(file(read)))
    assert Reason.TIMED_OUT == caught.value.reason
    assert limits.SLOW_S <= clock.now - began <= most_s + 60.0


async def test_source_when_polite_and_slow_brings_a_large_file(clock: Clock) -> None:
    """Two hundred megabytes at 32 KiB/s: that takes almost two hours, and comes."""
    place = Place(clock)

    async def read(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
        for _ in range(200):
            clock.now += 32.0
            yield bytes(MIB)

    assert 200 == await drained(place.metered(file(read)))


async def test_source_when_the_machine_slept_is_not_blamed(clock: Clock) -> None:
    """A process that was stopped for a day saw no site that was slow for a day."""
    place = Place(clock)

    async def read(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
        for _ in range(3):
            clock.now += 24 * 3600.0
            yield b"x"

    assert 3 == await drained(place.metered(file(read)))
    assert place.waited_s <= 3 * limits.SILENCE_S


async def drained(remote: RemoteFile) -> int:
    """Read all of a file; how many chunks there were."""
    return len([chunk async for chunk in remote.read(0, None)])


def file(read: Callable[[int, int | None], AsyncIterator[bytes]]) -> RemoteFile:
    """A file that is read so."""
    return RemoteFile(
        name="f", size_bytes=None, mime_type="application/zip", validator=None,
        read=read,
    )  # fmt: skip


@pytest.mark.parametrize(("attempt", "rest_s"), [(1, 10.0), (2, 20.0), (5, 160.0), (7, 600.0), (999, 600.0)])
def test_given_way_when_again_and_again_then_for_longer(attempt: int, rest_s: float) -> None:
    """Who gives way often comes back seldom, but within the life of a checkpoint."""
    assert rest_s == limits.given_way_s(attempt)
    assert rest_s < limits.CHECKPOINT_S


async def test_seats_when_all_are_held_by_slow_children_then_the_slowest_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits gets a seat; a child that brings something keeps its own."""
    monkeypatch.setattr(limits, "SEAT_S", 0.6)
    seats, left = Seats(2), list[str]()

    async def sit(name: str, brought: int) -> None:
        try:
            async with seats.taken() as seat:
                seat.brought(brought)
                await asyncio.sleep(5.0)
        except GivesWay:
            left.append(name)

    async with asyncio.TaskGroup() as tasks:
        sitting = [tasks.create_task(sit(name, size)) for name, size in (("slow", 1), ("fast", 100 * MIB))]
        await asyncio.sleep(0)
        async with seats.taken():
            assert ["slow"] == left
        for each in sitting:
            each.cancel()


async def test_seats_when_none_becomes_free_then_nobody_waits_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Children that all bring something: who waits comes back later."""
    monkeypatch.setattr(limits, "SEAT_WAIT_S", 1.0)
    seats = Seats(1)
    async with seats.taken():
        with pytest.raises(GivesWay):
            async with seats.taken():
                pass
