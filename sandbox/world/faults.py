"""Faults on demand: rules that turn chosen calls, updates and connections into errors, delays or silence."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

#: What rules may name beside methods: a new connection, and pushed updates ("push.updateNewMessage").
CONNECT: Final = "connect"
PUSH: Final = "push."

_JSON_TYPES: Final[Mapping[str, set[type]]] = MappingProxyType(
    {
        "method": {str},
        "part": {int, type(None)},
        "user_id": {int, type(None)},
        "after": {int},
        "count": {int, type(None)},
        "probability": {int, float},
        "error": {list, type(None)},
        "transport_error": {int, type(None)},
        "delay_s": {int, float},
        "drop": {bool},
        "drop_after": {bool},
        "swallow": {bool},
        "lose": {bool},
        "hold": {bool},
        "duplicate": {bool},
        "reorder": {bool},
    }
)


@dataclass
class Fault:
    """One rule. What matches it is counted; from number `after` on it acts, at most `count` times.

    What it is about: `method` is the beginning of a name ("upload.", "messages.sendMedia"; "" for all
    methods), `part` the number of a file part, `user_id` the account that calls or is told.

    What it does to a call: `error` (code and name) or `transport_error` (-429, then the end) instead of it;
    `lose`, it is answered True and not done; or it is done, and then: `drop`, the connection is cut before
    the answer, or with `drop_after` behind it; `swallow`, no answer; `hold`, the answer is announced and
    waits to be asked for; `delay_s`, it comes later; `duplicate`, it comes twice.

    To a push: `swallow`, it is lost and leaves a gap; `delay_s`; `reorder`, the next one goes first;
    `duplicate`; `drop`. To a new connection: `drop`, or `transport_error` for its first packet.
    """

    method: str = ""
    part: int | None = None
    user_id: int | None = None
    after: int = 0
    count: int | None = None
    probability: float = 1.0
    error: tuple[int, str] | None = None
    transport_error: int | None = None
    delay_s: float = 0.0
    drop: bool = False
    drop_after: bool = False
    swallow: bool = False
    lose: bool = False
    hold: bool = False
    duplicate: bool = False
    reorder: bool = False
    #: how many matched, and how many were hit
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

    def _matches(self, name: str, part: int | None, user_id: int | None) -> bool:
        return (
            name.startswith(self.method)
            and (self.method != "" or not name.startswith((CONNECT, PUSH)))
            and self.part in (None, part)
            and self.user_id in (None, user_id)
            and (self.count is None or self.fired < self.count)
        )

    def strikes(self, name: str, part: int | None, user_id: int | None) -> bool:
        """Count this call, push or connection, and say whether the rule acts on it."""
        if not self._matches(name, part, user_id):
            return False
        self.seen += 1
        # chance in a test double is no secret
        if self.seen <= self.after or random.random() >= self.probability:  # noqa: S311 - no secret
            return False
        self.fired += 1
        return True


#: What strikes when no rule does.
HARMLESS: Final = Fault()


def first_to_strike(
    faults: list[Fault], name: str, part: int | None = None, user_id: int | None = None
) -> Fault:
    """The first rule that acts on this; HARMLESS if there is none."""
    return next((fault for fault in faults if fault.strikes(name, part, user_id)), HARMLESS)
