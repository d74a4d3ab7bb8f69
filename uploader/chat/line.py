"""While jobs wait in line, their people are told anew how many are before theirs, when far fewer are."""

import asyncio
from typing import Final

from cachetools import LRUCache

from uploader import limits
from uploader.chat.progress import StatusMessages
from uploader.storage.rates import InLine, Rates

#: A place is told anew when at most this share of the jobs that were told of is before it.
WORTH: Final = 0.5
#: Edits that may be skipped find room a few at a time.
PAUSE_S: Final = 0.5


class Line:
    """Tells people who wait where they stand: a few in each look, those whose number is most untrue first.

    One job's number is told again as often as it halves. Only one engine should look.
    """

    def __init__(self, rates: Rates, status: StatusMessages, *, pause_s: float = PAUSE_S) -> None:
        self._rates = rates
        self._status = status
        self._pause_s = pause_s
        self._told: LRUCache[int, int] = LRUCache(limits.LINE)  # how many were before, by jobs' numbers

    async def look(self) -> None:
        """Renew `limits.LINE_AT_ONCE` places at most."""
        worst: list[tuple[float, InLine]] = []
        for waiting in await self._rates.line():
            share = self._untold(waiting)
            if share <= WORTH:
                worst.append((share, waiting))
        for _, waiting in sorted(worst, key=lambda each: each[0])[: limits.LINE_AT_ONCE]:
            if await self._status.renew(waiting.job_id, waiting.place):
                self._told[waiting.job_id] = waiting.place.ahead
            await asyncio.sleep(self._pause_s)

    def _untold(self, waiting: InLine) -> float:
        """Which share of the jobs that its person was told of is still before it; 0: nobody knows."""
        told = self._told.get(waiting.job_id)
        if told is None and waiting.is_new:
            told = self._told[waiting.job_id] = waiting.place.ahead  # it was told just now
        return 0.0 if told is None else (waiting.place.ahead + 1) / (told + 1)
