"""The salts of one auth key: each lasts for a while, and the next begins before the last one ends.

https://core.telegram.org/mtproto/description#server-salt
"""

import os
from collections import deque
from dataclasses import dataclass
from typing import Final

#: A new salt each half hour, and the old one is taken for another half.
PERIOD_S: Final = 1800
#: get_future_salts gives at most so many (https://core.telegram.org/mtproto/service_messages).
MAX_AHEAD: Final = 64


@dataclass(frozen=True, slots=True)
class Salt:
    """One salt and when it may be used, in seconds since the epoch."""

    value: int
    since: int
    until: int


class Salts:
    """What the key's client may put in front of its messages; times are the data centre's own."""

    def __init__(self, first: int, now: float) -> None:
        self._planned = deque([_salt(first, int(now))])

    def current(self, now: float) -> int:
        """The newest that is good."""
        return self.ahead(1, now)[0].value

    def accepts(self, value: int, now: float) -> bool:
        """Whether a message may come with this salt."""
        self._plan(now, 1)
        return any(salt.value == value and salt.since <= now for salt in self._planned)

    def ahead(self, count: int, now: float) -> list[Salt]:
        """The current salt and those that follow it."""
        count = max(1, min(count, MAX_AHEAD))
        self._plan(now, count)
        current = max(at for at, salt in enumerate(self._planned) if salt.since <= now)
        return [self._planned[at] for at in range(current, current + count)]

    def replace(self, now: float) -> None:
        """Forget all salts: the next message of each session earns bad_server_salt."""
        self._planned = deque([_salt(_random(), int(now))])

    def _plan(self, now: float, count: int) -> None:
        """Drop what is over, and plan until the current one and `count` - 1 more are there."""
        if not self._planned[0].since <= now <= self._planned[-1].until:
            # nobody came for hours, or the clock was set back
            self.replace(now)
        while self._planned[0].until < now:
            self._planned.popleft()
        while self._planned[-1].since + PERIOD_S <= now + PERIOD_S * (count - 1):
            self._planned.append(_salt(_random(), self._planned[-1].since + PERIOD_S))


def _salt(value: int, since: int) -> Salt:
    return Salt(value, since, since + 2 * PERIOD_S)


def _random() -> int:
    return int.from_bytes(os.urandom(8), "little", signed=True)
