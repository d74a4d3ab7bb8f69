"""Over how many connections one file is fetched. Pure: what came in which time gives the next number.

One is enough for most. Only trying tells whether a site gives each connection less than it could give us, so
their number is doubled for a while when whoever reads the file does little but wait for the site, and stays
if that pays. If it does not, or if the site takes it amiss, the number before it is back.
"""

from collections.abc import Callable
from time import monotonic, thread_time
from typing import Final

#: Connections of one file at most: as much memory as is worth it.
MOST: Final = 8

#: Who waits for the site for this part of the time is held up by the site alone.
STARVED: Final = 0.7

#: A connection that brings this much in a second is not what is slow: its pieces would hardly take longer
#: than the wait for their answers.
PLENTY_BYTES_S: Final = 40_000_000

#: A machine that computes for this part of the time would gain nothing.
BUSY: Final = 0.8

#: Of what further connections could bring at best, this part is to come.
PAYS: Final = 1 / 3

#: So many looks in a row decide against a number of connections; a single good one decides for it.
LOOKS: Final = 3

#: Nothing is tried for the last part of a file: for what takes as long as so many looks at this rate.
LAST_LOOKS: Final = 4

#: What did not pay is tried again after the time of so many looks, and twice as long each time.
REST_LOOKS: Final = 30


class Growth:
    """How one file fares."""

    def __init__(
        self,
        look_s: float,
        known: int | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        work: Callable[[], float] = thread_time,
    ) -> None:
        """`known`: the number that was best for other files of the host. `work`: seconds of computing."""
        self.lanes = known or 1
        self._look_s = look_s
        self._clock = clock
        self._work = work
        self._before: tuple[int, float] | None = None  # the number before a trial, and its bytes a second
        self._looks = 0  # at the trial
        self._most = MOST
        self._rest_s = REST_LOOKS * look_s
        self._rest_until = clock() + (self._rest_s if known == 1 else 0.0)
        self._start()

    def waited(self, seconds: float) -> None:
        """Whoever reads had to wait for the site."""
        self._waited_s += seconds

    def came(self, size_bytes: int, waited_s: float = 0.0) -> None:
        """Bytes came from the site; whoever reads had to wait for them."""
        self._got_bytes += size_bytes
        self._waited_s += waited_s

    def refused(self) -> None:
        """The site does not like so many: for the rest of the file no more than before, or one."""
        self.lanes = self._most = self._before[0] if self._before else 1
        self._before = None

    def alone(self) -> None:
        """The site does not like several: one for the rest of the file."""
        self._before = None
        self.refused()

    def is_due(self) -> bool:
        """Whether it is time to `judge`."""
        return self._clock() - self._began >= self._look_s

    def judge(self, left_bytes: int, room: int) -> int | None:
        """Look whether another number is better, and change `lanes`; returns one that turned out to be good.

        `left_bytes` of the file are not asked for yet; the host has `room` for so many connections of it.
        """
        now = self._clock()
        passed_s = now - self._began
        rate = self._got_bytes / passed_s
        starved = self._waited_s > STARVED * passed_s and self._work() - self._worked < BUSY * passed_s
        self._start()
        if not starved:
            return None  # it was not the site that all waited for: nothing can be learned
        before, self._before = self._before, None
        if before is not None and rate < before[1] * (1 + PAYS * (self.lanes / before[0] - 1)):
            self._looks += 1
            if self._looks < LOOKS:
                self._before = before
                return None
            self.lanes = before[0]
            self._rest_until = now + self._rest_s
            self._rest_s *= 2
            return self.lanes
        good = None if before is None else self.lanes
        more = min(2 * self.lanes, self._most, room)
        pays = rate < PLENTY_BYTES_S * self.lanes and left_bytes > rate * self._look_s * LAST_LOOKS
        if more > self.lanes and now >= self._rest_until and pays:
            self._before, self._looks, self.lanes = (self.lanes, rate), 0, more
        return good

    def _start(self) -> None:
        self._began = self._clock()
        self._worked = self._work()
        self._waited_s = 0.0
        self._got_bytes = 0
