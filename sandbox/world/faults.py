"""Faults on demand: rules that turn chosen calls into errors, delays, cut connections or silence."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

_JSON_TYPES: Final[Mapping[str, set[type]]] = MappingProxyType(
    {
        "method": {str},
        "part": {int, type(None)},
        "user_id": {int, type(None)},
        "after": {int},
        "count": {int, type(None)},
        "probability": {int, float},
        "error": {list, type(None)},
        "delay_s": {int, float},
        "drop": {bool},
        "swallow": {bool},
    }
)


@dataclass
class Fault:
    """One rule. Calls that match it are counted; from number `after` on it acts, at most `count` times.

    Which calls: `method` is the beginning of a name ("upload.", "messages.sendMedia"; "" for all),
    `part` the number of a file part, `user_id` the account that calls.
    What it does, the first that is set: `error` (code and name) instead of the call; `delay_s` before the
    answer; `drop`, the connection is cut when the call is done; `swallow`, the call is done and not answered.
    """

    method: str = ""
    part: int | None = None
    user_id: int | None = None
    after: int = 0
    count: int | None = None
    probability: float = 1.0
    error: tuple[int, str] | None = None
    delay_s: float = 0.0
    drop: bool = False
    swallow: bool = False
    #: how many calls matched, and how many were hit
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    @classmethod
    def from_json(cls, rule: Any) -> "Fault":
        """A rule out of a JSON object. Raises ValueError naming what is wrong with it."""
        if not isinstance(rule, dict):
            raise ValueError("a rule is an object")
        if unknown := rule.keys() - _JSON_TYPES.keys():
            raise ValueError(f"a rule has no {sorted(unknown)}")
        if wrong := {name for name, value in rule.items() if type(value) not in _JSON_TYPES[name]}:
            raise ValueError(f"these fields of a rule have the wrong type: {sorted(wrong)}")
        error = rule.get("error")
        if error is None:
            return cls(**rule)
        if [type(part) for part in error] != [int, str]:
            raise ValueError('"error" is [code, "NAME"]')
        return cls(**{**rule, "error": (error[0], error[1])})

    def _matches(self, method: str, part: int | None, user_id: int | None) -> bool:
        return (
            method.startswith(self.method)
            and self.part in (None, part)
            and self.user_id in (None, user_id)
            and (self.count is None or self.fired < self.count)
        )

    def strikes(self, method: str, part: int | None, user_id: int | None) -> bool:
        """Count this call, and say whether the rule acts on it."""
        if not self._matches(method, part, user_id):
            return False
        self.seen += 1
        # chance in a test double is no secret
        if self.seen <= self.after or random.random() >= self.probability:  # noqa: S311 - no secret
            return False
        self.fired += 1
        return True


def first_to_strike(faults: list[Fault], method: str, part: int | None, user_id: int | None) -> Fault | None:
    """The first rule that acts on this call."""
    return next((fault for fault in faults if fault.strikes(method, part, user_id)), None)
