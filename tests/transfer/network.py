"""A line to a data centre in a simulated second or a thousand: what a pool's plan makes of it."""

import heapq
import itertools
import random
from dataclasses import dataclass, field

from uploader.transfer.governor import Governor
from uploader.transfer.growth import Plan
from uploader.transfer.parts import PART_BYTES
from uploader.transfer.patience import Patience


@dataclass
class Network:
    """Round trips, what each connection carries and all together (bytes/s), and how much that varies.

    A busy event loop hears of several answers `together`: of the parts that they make room for, the first is
    all that was waited for.
    """

    rtt_s: float
    connection_bytes_s: float = 1e12
    line_bytes_s: float = 1e12
    noise: float = 0.0
    together: int = 1
    seed: int = 0
    governor: Governor = field(
        default_factory=lambda: Governor(Plan.first(connections=8, most=16, window=4), Patience())
    )
    seen: list[tuple[float, int, int]] = field(default_factory=list)  # when, connections, parts
    saved: list[float] = field(default_factory=list)  # when each part was

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._at_s = 0.0
        self._order = 0
        self._line_free_s = 0.0
        self._ready_s: list[float] = []  # when each connection was open
        self._free_s: list[float] = []  # ... and when it has carried what it got
        self._loads: list[int] = []
        self._on_way: list[tuple[float, int, int, float]] = []  # answered at, order, connection, sent at

    def run(self, until_s: float) -> "Network":
        """Let a transfer whose source is never slow go on until then."""
        while self._at_s < until_s:
            waited = True
            while len(self._on_way) < self.governor.plan.parts:
                self.governor.pace.turn(waited=waited)
                self._send()
                waited = False
            heard = [heapq.heappop(self._on_way) for _ in range(min(self.together, len(self._on_way)))]
            self._at_s = heard[-1][0]
            for number, (_, _, connection, sent_s) in enumerate(heard):
                self._hear(connection, sent_s, full=number == 0)
        return self

    def _hear(self, connection: int, sent_s: float, *, full: bool) -> None:
        self._loads[connection] -= 1
        self.saved.append(self._at_s)
        self.governor.pace.answered(self._at_s, PART_BYTES, self._at_s - sent_s)
        self.governor.saved(self._at_s, full=full)
        plan = self.governor.plan
        self.seen.append((self._at_s, plan.connections, plan.parts))

    def rate_bytes_s(self, from_s: float, to_s: float) -> float:
        """What was saved between these moments."""
        return PART_BYTES * sum(from_s <= at_s < to_s for at_s in self.saved) / (to_s - from_s)

    def changes(self, from_s: float) -> int:
        """How often the number of connections changed since."""
        counts = [connections for at_s, connections, _parts in self.seen if at_s >= from_s]
        return sum(before != now for before, now in itertools.pairwise(counts))

    def _send(self) -> None:
        """By the connection with the least to do; one after the other there, and on the line they share."""
        while len(self._loads) < self.governor.plan.connections:
            self._loads.append(0)
            self._ready_s.append(self._at_s + 2 * self.rtt_s)  # it takes two round trips to open
            self._free_s.append(self._ready_s[-1])
        planned = range(self.governor.plan.connections)
        ready = [each for each in planned if self._ready_s[each] <= self._at_s and self._loads[each] < 8]
        connection = min(ready or planned, key=lambda each: self._loads[each])
        begin_s = max(self._at_s, self._free_s[connection])
        self._free_s[connection] = begin_s + PART_BYTES / (self.connection_bytes_s * self._varied())
        self._line_free_s = max(self._line_free_s, begin_s) + PART_BYTES / self.line_bytes_s
        there_s = max(self._free_s[connection], self._line_free_s)
        self._order += 1
        self._loads[connection] += 1
        answered_s = there_s + self.rtt_s * self._varied()
        heapq.heappush(self._on_way, (answered_s, self._order, connection, self._at_s))

    def _varied(self) -> float:
        return 1 + self.noise * self._random.uniform(-1, 1)
