"""How many connections a pool should have. Pure: a plan and what was seen of it give the next plan.

Telegram's own applications open 8 connections for uploads, and add and drop them by how fast parts are
answered; too many make it close them or ask to wait. So a pool starts there, grows only while that pays, and
shrinks on any sign of trouble.
"""

from dataclasses import dataclass, replace
from typing import Final

from uploader.transfer.pace import Look

#: Growth by half pays when it raises the rate by this much; less is noise.
PAYS: Final = 1.07

#: Parts that are answered sooner let a pool grow, and those that take longer make it shrink (seconds).
BRISK_S: Final = 4.0
SLOW_S: Final = 8.0

#: Growth rests this long after trouble, or when it did not pay; longer each time, and not forever.
REST_S: Final = 5.0
_REST_MOST_S: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How many connections to use from now on, and what was learned of other numbers."""

    connections: int
    most: int
    trial_of: int | None = None  # fewer connections, with which this number is compared
    trial_rate_bytes_s: float = 0.0  # theirs
    rest_until_s: float = 0.0
    rest_s: float = REST_S


def after_look(plan: Plan, look: Look) -> Plan:
    """The plan after a step without trouble."""
    if look.answer_s > SLOW_S:
        return _shrunk(plan, look.at_s)
    if not look.wanting:
        return plan  # the sources are what is slow: nothing can be learned
    if plan.trial_of is not None:
        if look.rate_bytes_s < PAYS * plan.trial_rate_bytes_s:
            return _rested(replace(plan, connections=plan.trial_of, trial_of=None), look.at_s)
        plan = replace(plan, trial_of=None, rest_s=REST_S)
    if plan.connections >= plan.most or look.at_s < plan.rest_until_s or look.answer_s > BRISK_S:
        return plan
    return replace(
        plan,
        connections=min(plan.most, plan.connections + -(-plan.connections // 2)),
        trial_of=plan.connections,
        trial_rate_bytes_s=look.rate_bytes_s,
    )


def after_trouble(plan: Plan, at_s: float) -> Plan:
    """The plan after the data centre asked to wait, closed a connection, or left one without answers."""
    return _shrunk(plan, at_s)


def _shrunk(plan: Plan, at_s: float) -> Plan:
    fewer = max(1, plan.connections * 3 // 4)
    return _rested(replace(plan, connections=fewer, trial_of=None), at_s)


def _rested(plan: Plan, at_s: float) -> Plan:
    longer_s = min(_REST_MOST_S, 2 * plan.rest_s)
    return replace(plan, rest_until_s=at_s + plan.rest_s, rest_s=longer_s)
