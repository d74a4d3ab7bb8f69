"""Slow lines: rates that are kept to, and packets that are held back on their way to a client."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

#: What a slowed line carries between two looks at it.
_SLICE_S: Final = 0.05
_LEAST_BYTES: Final = 4096


class Line(Protocol):
    """How bad the line is now: seconds, and bytes a second; 0 is no limit."""

    latency_s: float
    jitter_s: float
    upload_bytes_s: float
    download_bytes_s: float


class Gate:
    """Lets bytes through at a rate: whatever comes while it is busy waits its turn."""

    def __init__(self, bytes_s: Callable[[], float]) -> None:
        self._bytes_s = bytes_s
        self._free_at = 0.0

    def through_at(self, size_bytes: int, now: float) -> float:
        """When these bytes will be through, if they come now."""
        rate = self._bytes_s()
        self._free_at = max(self._free_at, now) + size_bytes / rate if rate else now
        return self._free_at

    def slice_bytes(self) -> int | None:
        """How much to take at once, so that the rate is smooth; None: any amount."""
        rate = self._bytes_s()
        return max(_LEAST_BYTES, int(rate * _SLICE_S)) if rate else None


class Outbox:
    """Packets on their way out, in order, each held back by the line as it was when it set out."""

    def __init__(self, line: Line, write: Callable[[bytes], None], eased: Callable[[], None]) -> None:
        self._line = line
        self._gate = Gate(lambda: line.download_bytes_s)
        self._write = write
        self._eased = eased
        self._waiting: deque[tuple[float, bytes]] = deque()
        self.waiting_bytes = 0

    def push(self, packet: bytes) -> None:
        """Send a packet when its time has come; at once on a good line."""
        line = self._line
        if not (self._waiting or line.latency_s or line.jitter_s or line.download_bytes_s):
            self._write(packet)
            return
        loop = asyncio.get_running_loop()
        due = self._gate.through_at(len(packet), loop.time()) + line.latency_s
        due += line.jitter_s * random.random()  # noqa: S311 - chance in a test double is no secret
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        else:
            loop.call_at(due, self._flush)
        self._waiting.append((due, packet))
        self.waiting_bytes += len(packet)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            _, packet = self._waiting.popleft()
            self.waiting_bytes -= len(packet)
            self._write(packet)
        if self._waiting:
            loop.call_at(self._waiting[0][0], self._flush)
        self._eased()
