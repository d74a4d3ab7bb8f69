"""What time it is at Telegram, whatever somebody does to the machine's clock."""

import time
from collections.abc import Callable
from typing import Final

#: A machine's clock that is further off than this is told of: https://core.telegram.org/mtproto/description#message-identifier-msg-id
ASTRAY_S: Final = 20.0


class Clock:
    """Seconds since the epoch as Telegram counts them. Setting the machine's clock moves nothing.

    Until Telegram was heard it goes on from the machine's time at the start.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._began_at = wall() - steady()  # Telegram's time when the steady clock stood at 0

    def now(self) -> float:
        """The time, in seconds since the epoch."""
        return self._began_at + self._steady()

    def set(self, now_s: float) -> None:
        """Take what Telegram says that it is."""
        self._began_at = now_s - self._steady()

    def advance(self, now_s: float) -> None:
        """Take a time at which Telegram has certainly been: what it sends comes late, and never early."""
        self._began_at = max(self._began_at, now_s - self._steady())

    @property
    def machine_ahead_s(self) -> float:
        """How far the machine's clock is before Telegram's; negative: behind."""
        return self._wall() - self.now()
