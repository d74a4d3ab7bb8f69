"""How fast bytes were acknowledged of late. Pure: the caller brings the time."""

from collections import deque
from dataclasses import dataclass
from typing import Final

#: Long enough to be calm, short enough to notice a stall.
WINDOW_S: Final = 8.0

#: Reports that come closer together than this add nothing.
SPACING_S: Final = 0.25

#: Less than this was seen: too little to tell a speed from.
SHORTEST_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float
    done_bytes: int


class Speed:
    """The speed of one transfer over its last seconds.

    The first report is the base line: bytes that an earlier attempt sent are progress, not speed.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=round(WINDOW_S / SPACING_S) + 2)
        self._last = _Sample(0.0, 0)

    def report(self, at: float, done_bytes: int) -> None:
        """Note that `done_bytes` in all were acknowledged by `at`; fewer than before mean a new start."""
        if done_bytes < self._last.done_bytes:
            self._samples.clear()
        self._last = _Sample(at, done_bytes)
        if not self._samples or at - self._samples[-1].at >= SPACING_S:
            self._samples.append(self._last)

    def bytes_s(self, now: float) -> float:
        """Bytes per second over the window that ends `now`; 0 while too little is known or nothing moves."""
        base = self._base(now)
        if base is None or now - base.at < SHORTEST_S or self._last.at <= now - WINDOW_S:
            return 0.0
        return (self._last.done_bytes - base.done_bytes) / (now - base.at)

    def _base(self, now: float) -> _Sample | None:
        """The newest sample from before the window; without one, the oldest there is."""
        while len(self._samples) > 1 and self._samples[1].at <= now - WINDOW_S:
            self._samples.popleft()
        return self._samples[0] if self._samples else None


def eta_s(done_bytes: int, total_bytes: int | None, speed_bytes_s: float) -> float | None:
    """Seconds until the rest is acknowledged at this speed; None when that cannot be known."""
    if total_bytes is None or speed_bytes_s <= 0:
        return None
    return max(0, total_bytes - done_bytes) / speed_bytes_s
