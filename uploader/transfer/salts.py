"""The salts that messages to the data centre begin with: one after the other, known ahead.

https://core.telegram.org/mtproto/description#server-salt and
https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

#: The data centre tells at most so many; they last for half an hour each.
AHEAD: Final = 64

#: A salt is good for half an hour after its successor began: this late a slow clock of ours does no harm.
_LATE_S: Final = 60.0

#: What was learned is good for at least another half hour: only who stays so long asks, and asks again.
_ASK_AFTER_S: Final = 1200.0
_ASK_AGAIN_S: Final = 60.0


class Salts:
    """The salts of one auth key, for all its sessions. Times are the data centre's, in Unix seconds."""

    def __init__(self) -> None:
        self._value = 0  # unknown: the first message earns bad_server_salt, which tells it
        self._since_s = 0.0  # when it was learned, or began
        self._asked_s = 0.0
        self._planned: deque[tuple[int, int]] = deque()  # since when, and which

    def current(self, now_s: float) -> int:
        """The salt of a message that is sent now."""
        while self._planned and self._planned[0][0] + _LATE_S <= now_s:
            self._since_s, self._value = self._planned.popleft()
        return self._value

    def learn(self, value: int, now_s: float) -> None:
        """The data centre named its salt of this moment; plans that it does not fit into are void."""
        while self._planned and self._value != value:
            _, self._value = self._planned.popleft()
        self._value, self._since_s = value, now_s

    def plan(self, salts: Iterable[tuple[int, int]]) -> None:
        """The data centre named its salts with the times from which on they are good."""
        self._planned = deque(sorted(salt for salt in salts if salt[1] != self._value)[:AHEAD])

    def asks(self, now_s: float) -> bool:
        """Whether to ask for more now; whoever gets a yes asks."""
        late = not self._planned and now_s - self._since_s >= _ASK_AFTER_S
        if not self._value or not late or now_s - self._asked_s < _ASK_AGAIN_S:
            return False
        self._asked_s = now_s
        return True
