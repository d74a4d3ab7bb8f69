"""Room for the jobs that run at once, which slowness cannot buy.

A few places are for jobs that bring something. A job whose source keeps it waiting steps aside: it goes on
as before, for it needs little of the machine, and its place is free. Only when no room is left at all, and
others wait, the slowest source gives way: its job goes back into the queue, for longer each time.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import cast

from uploader import limits
from uploader.errors import GivesWay, Reason, SourceError
from uploader.machine import Room
from uploader.model import RemoteFile

_Clock = Callable[[], float]


class Place:
    """The place of one job, and what its source brought for the time that it was waited for."""

    def __init__(self, clock: _Clock = time.monotonic) -> None:
        """The source is waited for from now on, until the job reads it (see `metered`)."""
        self._clock = clock
        self._began = clock()
        self._waits_since: float | None = self._began
        self._waited_s = 0.0
        self._brought_bytes = 0
        self.is_aside = False
        self.asked_to_leave = asyncio.Event()

    @property
    def held_s(self) -> float:
        """For how long."""
        return self._clock() - self._began

    @property
    def waited_s(self) -> float:
        """How long the source was waited for. A single wait counts up to `limits.SILENCE_S`."""
        since = self._waits_since
        waits_s = 0.0 if since is None else min(self._clock() - since, limits.SILENCE_S)
        return self._waited_s + waits_s

    @property
    def speed_bytes_s(self) -> float:
        """What the source brings while it is waited for."""
        return self._brought_bytes / max(self.waited_s, 0.001)

    @property
    def is_slow(self) -> bool:
        """Whether the source brings less than a place is worth."""
        return self.waited_s >= limits.ASIDE_S and self.speed_bytes_s < limits.SWIFT_BYTES_S

    @property
    def may_step_aside(self) -> bool:
        """Whether somebody else may have the place beside the swift ones."""
        return self.is_slow or self.held_s >= limits.SWIFT_S

    @property
    def may_give_way(self) -> bool:
        """Whether the job may be asked to go on later: its source is waited for, slowly or for long."""
        if self._waits_since is None or self.asked_to_leave.is_set():
            return False
        return self.held_s >= (limits.HELD_S if self.is_slow else limits.HELD_LONG_S)

    def brought(self, size_bytes: int) -> None:
        """The source has brought so much in all."""
        self._brought_bytes = max(self._brought_bytes, size_bytes)

    def metered(self, remote: RemoteFile) -> RemoteFile:
        """`remote`, which is waited for only while it is read from now on, and has a deadline.

        It may take `limits.SLOW_S`, and longer by what it brings. Its `read` raises SourceError (TIMED_OUT).
        """
        self._pause()

        async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
            async with aclosing(cast(AsyncGenerator[bytes, None], remote.read(start, stop))) as chunks:
                while (chunk := await self._next(chunks)) is not None:
                    self._brought_bytes += len(chunk)
                    self._judge()
                    yield chunk

        return replace(remote, read=read)

    async def _next(self, chunks: AsyncGenerator[bytes, None]) -> bytes | None:
        """The next chunk, waited for; None: there is none."""
        self._waits_since = self._clock()
        try:
            return await anext(chunks, None)
        finally:
            self._pause()

    def _pause(self) -> None:
        self._waited_s, self._waits_since = self.waited_s, None

    def _judge(self) -> None:
        allowed_s = limits.SLOW_S + self._brought_bytes / limits.SLOW_BYTES_S
        if self._waited_s > min(allowed_s, limits.PROMISE_S):
            told = f"{self._brought_bytes} bytes in {self._waited_s:.0f} s"
            raise SourceError(Reason.TIMED_OUT, told)


class Places:
    """The places of one process."""

    def __init__(self, room: Room | None = None, clock: _Clock = time.monotonic) -> None:
        self.room = room or Room()
        self._clock = clock
        self._held: list[Place] = []

    def begin(self) -> Place:
        """The place of a job that begins, which may if one `is_free`."""
        place = Place(self._clock)
        self._held.append(place)
        return place

    def end(self, place: Place) -> None:
        """A job has left its place."""
        self._held.remove(place)

    @property
    def is_full(self) -> bool:
        """Whether there is no place aside either."""
        return len(self._held) >= self.room.all

    def is_free(self) -> bool:
        """Whether one more job may begin now. If need be, one that may steps aside for it."""
        swift = [place for place in self._held if not place.is_aside]
        if self.is_full:
            return False
        if len(swift) < self.room.swift:
            return True
        aside = _slowest(place for place in swift if place.may_step_aside)
        if aside is None:
            return False
        aside.is_aside = True
        return True

    def make_free(self) -> None:
        """Others wait, and there is no room: ask a job to leave, if there is one that may be asked."""
        leaving = sum(place.asked_to_leave.is_set() for place in self._held)
        slowest = _slowest(place for place in self._held if place.may_give_way)
        if slowest is not None and self.is_full and leaving < self.room.swift:
            slowest.asked_to_leave.set()


class Seats:
    """Seats for children that look at links and fetch segments: each takes a good deal of memory."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._taken: dict[Place, asyncio.Timeout] = {}

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[Place]:
        """Wait for a seat, and hold it within. A slow child that has sat for long gives way to who waits.

        Raises:
            GivesWay: no seat became free, or this one is for somebody else now.
        """
        await self._wait()
        place = Place()
        try:
            async with asyncio.timeout(None) as patience:
                self._taken[place] = patience
                yield place
        except TimeoutError:
            if not patience.expired():
                raise
            raise GivesWay(limits.SEAT_S) from None
        finally:
            self._taken.pop(place, None)
            self._free.release()

    async def _wait(self) -> None:
        for _ in range(int(limits.SEAT_WAIT_S)):
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._free.acquire()
                return
            self._ask_one()
        raise GivesWay(limits.SEAT_S)

    def _ask_one(self) -> None:
        """Ask the slowest to go, if it has sat for long enough."""
        slowest = _slowest(
            place
            for place, patience in self._taken.items()
            if place.is_slow and place.held_s >= limits.SEAT_S and not patience.expired()
        )
        if slowest is not None:
            self._taken[slowest].reschedule(asyncio.get_running_loop().time())


def _slowest(places: Iterable[Place]) -> Place | None:
    return min(places, key=lambda place: place.speed_bytes_s, default=None)
