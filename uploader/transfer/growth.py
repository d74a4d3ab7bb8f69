"""How many connections a pool should have, and how many parts on their way. Pure: a plan and what was seen
of it give the next plan.

Parts are what fills a long line, and memory: their number grows with every answer, as that of TCP's slow
start does, while answers take no longer than on an idle line, for then nothing queues yet. Connections are
what gets around a limit that the data centre sets to each of them: only trying tells, so that their number is
doubled for a while, and stays if that pays. Telegram's own applications open 8; too many make it close them
or ask to wait, so that any sign of trouble makes both numbers smaller.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from uploader.transfer.pace import Look
from uploader.transfer.parts import PART_BYTES

#: Each connection begins with so many parts: one on the line, and the next behind it.
FIRST_PARTS: Final = 2

#: A few connections may have this many times the parts that each of the most has.
_CROWDED: Final = 2

#: Answers that take up to this many times what they take on an idle line found no queue.
PROMPT: Final = 1.3

#: Those that take longer than this many times that found one which only fills memory: it is cut back ...
QUEUED: Final = 2.0

#: ... to this many times what fills the line. That is neither prompt nor queued, so that it stays.
KEPT: Final = 1.5

#: Twice the connections pay when they raise the rate by this much; less is noise, or not worth them.
PAYS: Final = 1.15

#: So many looks decide against a number of connections; a single good one decides for it.
LOOKS: Final = 3

#: Rates of the looks at one plan are smoothed over about this many.
_SMOOTHING: Final = 4

#: Parts that are answered sooner let connections grow; those that take longer make a pool shrink (seconds).
BRISK_S: Final = 4.0
SLOW_S: Final = 8.0

#: Growth rests this long when it did not pay, and after trouble; twice as long each time, and not forever.
REST_S: Final = 1.0
TROUBLE_REST_S: Final = 5.0
REST_MOST_S: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A larger number of connections, compared with the one before."""

    of: int  # the number before
    parts: int  # ... and the parts
    rate_bytes_s: float  # ... and the rate
    looks: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much to use from now on, and what was learned of other numbers."""

    connections: int
    most: int
    window: int  # parts of each connection when there are `most` of them: no more than `bound` in memory
    parts: int
    rate_bytes_s: float = 0.0  # with this number of connections and parts; 0: not seen yet
    trial: Trial | None = None
    rest_until_s: float = 0.0  # no trial before
    rest_s: float = REST_S
    still_until_s: float = 0.0  # no further part before: there was trouble

    @classmethod
    def first(cls, *, connections: int, most: int, window: int) -> "Plan":
        """The plan of a pool that knows nothing yet."""
        parts = connections * min(FIRST_PARTS, window)
        return cls(connections=connections, most=max(connections, most), window=window, parts=parts)

    @property
    def bound(self) -> int:
        """The most parts that there may be."""
        return min(self.most * self.window, self.connections * self.crowd)

    @property
    def crowd(self) -> int:
        """The most parts for one connection while another would take them."""
        return _CROWDED * self.window


def after_answer(plan: Plan, *, at_s: float, answer_s: float, least_s: float) -> Plan:
    """The plan after an answer that came while parts had to wait for their turn.

    `answer_s`: how long answers take of late; `least_s`: how long they take on an idle line.
    """
    if answer_s > PROMPT * least_s or plan.parts >= plan.bound or at_s < plan.still_until_s:
        return plan
    return replace(plan, parts=plan.parts + 1, rate_bytes_s=0.0)


def after_look(plan: Plan, look: Look) -> Plan:
    """The plan after a step without trouble."""
    if look.answer_s > SLOW_S:
        return _shrunk(plan, look.at_s)
    if not look.wanting:
        return plan  # the sources are what is slow: nothing can be learned
    plan = replace(_drained(plan, look), rate_bytes_s=_smoothed(plan.rate_bytes_s, look.rate_bytes_s))
    if plan.trial is not None:
        return _tried(plan, plan.trial, look)
    if plan.connections >= plan.most or look.at_s < plan.rest_until_s or look.answer_s > BRISK_S:
        return plan
    return _trial(plan)


def after_trouble(plan: Plan, at_s: float) -> Plan:
    """The plan after the data centre asked to wait, closed a connection, or left one without answers."""
    return _shrunk(plan, at_s)


def _drained(plan: Plan, look: Look) -> Plan:
    """Without the parts that only queue: a line is full with rate x time of them."""
    if look.answer_s <= QUEUED * look.least_s:
        return plan
    enough = math.ceil(KEPT * look.rate_bytes_s * look.least_s / PART_BYTES)
    return replace(plan, parts=min(plan.parts, max(enough, plan.connections * min(FIRST_PARTS, plan.window))))


def _trial(plan: Plan) -> Plan:
    connections = min(plan.most, 2 * plan.connections)
    parts = max(plan.parts, connections * min(FIRST_PARTS, plan.window))
    trial = Trial(of=plan.connections, parts=plan.parts, rate_bytes_s=plan.rate_bytes_s)
    return replace(plan, connections=connections, parts=parts, rate_bytes_s=0.0, trial=trial)


def _tried(plan: Plan, trial: Trial, look: Look) -> Plan:
    if look.rate_bytes_s >= PAYS * trial.rate_bytes_s:
        return replace(plan, trial=None, rest_s=REST_S)
    if trial.looks + 1 < LOOKS:
        return replace(plan, trial=replace(trial, looks=trial.looks + 1))
    return _rested(_with(plan, trial.of, trial.parts, trial.rate_bytes_s), look.at_s)


def _shrunk(plan: Plan, at_s: float) -> Plan:
    fewer = _with(plan, _fewer(plan.connections), _fewer(plan.parts), 0.0)
    rested = _rested(replace(fewer, rest_s=max(TROUBLE_REST_S, plan.rest_s)), at_s)
    return replace(rested, still_until_s=rested.rest_until_s)


def _with(plan: Plan, connections: int, parts: int, rate_bytes_s: float) -> Plan:
    plan = replace(plan, connections=connections, rate_bytes_s=rate_bytes_s, trial=None)
    return replace(plan, parts=min(parts, plan.bound))


def _rested(plan: Plan, at_s: float) -> Plan:
    return replace(plan, rest_until_s=at_s + plan.rest_s, rest_s=min(REST_MOST_S, 2 * plan.rest_s))


def _fewer(count: int) -> int:
    return max(1, count * 3 // 4)


def _smoothed(rate_bytes_s: float, seen_bytes_s: float) -> float:
    return rate_bytes_s + (seen_bytes_s - rate_bytes_s) / _SMOOTHING if rate_bytes_s else seen_bytes_s
