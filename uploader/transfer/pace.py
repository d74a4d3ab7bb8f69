"""How fast the data centre answers, over all connections of a pool. Pure: the caller brings the time."""

import math
from collections import deque
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from uploader.transfer.parts import PART_BYTES
from uploader.transfer.patience import Patience

#: A step of measuring lasts this long at least, and this many times as long as an answer takes.
STEP_S: Final = 0.1
STEP_ANSWERS: Final = 1.5

#: Connections that are opened now carry their share after this many answers.
_SETTLE_ANSWERS: Final = 2.0

#: Fewer parts than this per connection tell nothing of a rate.
_STEP_PARTS: Final = 2

#: So many parts may be answered together: of the turns that they make room for only the first was waited for.
_TOGETHER: Final = 16

#: Answers are smoothed over about this many.
_SMOOTHING: Final = 8

#: A part may take this many times what parts took of late.
_LIMIT_FACTOR: Final = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one step of measuring saw."""

    at_s: float
    rate_bytes_s: float
    answer_s: float  # smoothed, from when a connection got a part to its answer
    least_s: float  # ... on an idle line
    wanting: bool  # transfers had parts to send and waited for their turn: more connections would be used


class Pace:
    """Counts what is answered. All times are of one clock, in seconds."""

    def __init__(self, patience: Patience) -> None:
        self._least_s, self._most_s = patience.answer_s, patience.answer_most_s
        self._answer_s: float | None = None
        self._recent_s: deque[float] = deque(maxlen=_SMOOTHING)
        self._least_answer_s = math.inf
        self.restart(0.0)

    @property
    def answer_s(self) -> float:
        """How long answers take of late; 0 while nothing is known."""
        return self._answer_s or 0.0

    @property
    def least_s(self) -> float:
        """How long answers to whole parts take on an idle line; 0: not known.

        It is the least that a few in a row took on average: a single quick one is chance.
        """
        return 0.0 if math.isinf(self._least_answer_s) else self._least_answer_s

    @property
    def limit_s(self) -> float:
        """How long a part may go unanswered before its connection is held for dead."""
        if self._answer_s is None:
            return self._most_s
        return min(self._most_s, max(self._least_s, _LIMIT_FACTOR * self._answer_s))

    def restart(self, at_s: float) -> None:
        """Forget the step so far; the next one begins with the first answer from `at_s` on."""
        self._from_s: float | None = None
        self._not_before_s = at_s
        self._bytes = self._parts = self._turns = self._waits = 0

    def forget_least(self) -> None:
        """Learn anew what an idle line takes: it may be another one."""
        self._recent_s.clear()
        self._least_answer_s = math.inf

    def settle(self, at_s: float) -> None:
        """Begin a new step when connections that are opened now have begun to carry."""
        self.restart(at_s + max(STEP_S, _SETTLE_ANSWERS * self.answer_s))

    def answered(self, at_s: float, size_bytes: int, took_s: float) -> None:
        """A part was acknowledged."""
        if self._answer_s is None:
            self._answer_s = took_s
        self._answer_s += (took_s - self._answer_s) / _SMOOTHING
        if size_bytes >= PART_BYTES:
            self._recent_s.append(took_s)
            if len(self._recent_s) == _SMOOTHING:
                self._least_answer_s = min(self._least_answer_s, fmean(self._recent_s))
        if self._from_s is None:
            if at_s >= self._not_before_s:
                self._from_s = at_s
            return
        self._bytes += size_bytes
        self._parts += 1

    def turn(self, *, waited: bool) -> None:
        """A transfer got room for its next part, at once or after it waited."""
        self._turns += 1
        self._waits += waited

    def look(self, at_s: float, connections: int) -> Look | None:
        """What was seen since the last look; None until that is enough to judge by."""
        if self._from_s is None or self._parts < _STEP_PARTS * connections:
            return None
        took_s = at_s - self._from_s
        if took_s < max(STEP_S, STEP_ANSWERS * self.answer_s):
            return None
        look = Look(
            at_s=at_s,
            rate_bytes_s=self._bytes / took_s,
            answer_s=self.answer_s,
            least_s=self.least_s,
            wanting=_TOGETHER * self._waits > self._turns,
        )
        self.restart(at_s)
        self._from_s = at_s
        return look
