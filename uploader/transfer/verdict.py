"""What to do about the data centre's answer to a part. Pure: the pool obeys."""

import re
from dataclasses import dataclass
from typing import Final

from uploader.transfer.tl import Refusal

_FLOOD: Final = re.compile(r"FLOOD_(?:PREMIUM_)?WAIT_(\d{1,9})")

#: 401: the key is not logged in (any more); 406: it must not be used again, AUTH_KEY_DUPLICATED above all.
#: https://core.telegram.org/api/errors#401-unauthorized
_LOGIN: Final = frozenset({401, 406})


@dataclass(frozen=True, slots=True)
class Saved:
    """The part is acknowledged."""


@dataclass(frozen=True, slots=True)
class Park:
    """Send no part for `wait_s` seconds, then this one again."""

    wait_s: int


@dataclass(frozen=True, slots=True)
class Again:
    """Send it again, a bounded number of times."""

    why: str
    lost: bool = False  # its connection was lost; else it was answered


@dataclass(frozen=True, slots=True)
class Stop:
    """Sending it again cannot help."""

    why: str


@dataclass(frozen=True, slots=True)
class Halt:
    """The account's login is of no use: no part of any file can be sent."""

    why: str


Verdict = Saved | Park | Again | Stop | Halt


def judge(outcome: bool | Refusal) -> Verdict:
    """The verdict on an answer; False means "not saved" and is as temporary as an error 500.

    https://core.telegram.org/api/errors and https://core.telegram.org/api/files#uploading-files
    """
    if not isinstance(outcome, Refusal):
        return Saved() if outcome else Again("the part was not saved")
    why = f"{outcome.code} {outcome.name}"
    if flood := _FLOOD.fullmatch(outcome.name):
        return Park(int(flood[1]))
    if outcome.code >= 500 or outcome.code < 0 or outcome.code == 420:  # negative: timeouts inside Telegram
        return Again(why)
    if outcome.code in _LOGIN:
        return Halt(why)
    return Stop(why)
