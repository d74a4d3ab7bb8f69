"""The world's clock: real time, which tests may move on."""

import time


class Clock:
    """Seconds since the epoch, with whatever was skipped."""

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def now(self) -> float:
        """The time of this world."""
        return time.time() + self._skipped_s

    def date(self) -> int:
        """The time as messages carry it, in whole seconds."""
        return int(self.now())

    def skip(self, seconds: float) -> None:
        """Let time pass at once: invites, uploads and waits end as if it had."""
        self._skipped_s += seconds
