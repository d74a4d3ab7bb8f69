"""Who is heard next: at once who has said little of late, the others a few at a time, who said least first.

What one message makes others wait for is the database. Without a lane, nine hundred messages of thirty people
would all ask it at once, and one polite person would be the nine hundred and first.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Final

from cachetools import LRUCache

from uploader import limits

#: Who has said so many things of late waits in the lane with the next; one is forgotten every few seconds.
FEW: Final = 1.0
FORGOTTEN_S: Final = 4.0
#: Of those who wait so many are heard at once.
AT_ONCE: Final = 3
#: One that takes longer waits for its chat, and no more for the database: the next is heard meanwhile.
LONGEST_S: Final = 2.0


@dataclass(slots=True)
class _Said:
    count: float
    at: float


class _Turn:
    """A turn in the lane: it ends by itself, or when it is said to, and once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave
        self._timer = asyncio.get_running_loop().call_later(LONGEST_S, self.end)

    def end(self) -> None:
        """Let the next one go."""
        self._timer.cancel()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class Lane:
    """The lane of one engine."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: LRUCache[int, _Said] = LRUCache(limits.PACED_PEOPLE)
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._under_way = 0

    @asynccontextmanager
    async def turn(self, user_id: int) -> AsyncIterator[None]:
        """The turn of something that this person said or pressed."""
        said = self._one_more(user_id)
        if said < FEW:
            yield
            return
        await self._wait(said)
        turn = _Turn(self._leave)
        try:
            yield
        finally:
            turn.end()

    def _one_more(self, user_id: int) -> float:
        """Count it; returns how much came before it of late."""
        now = self._clock()
        said = self._said.get(user_id) or _Said(0.0, now)
        before = max(0.0, said.count - (now - said.at) / FORGOTTEN_S)
        self._said[user_id] = _Said(before + 1, now)
        return before

    async def _wait(self, said: float) -> None:
        if self._under_way < AT_ONCE:
            self._under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (said, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # it came too late
            raise

    def _leave(self) -> None:
        """Let the next one go, if there is one."""
        while self._waiting:
            *_, turn = heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._under_way -= 1
