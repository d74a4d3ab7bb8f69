"""What everybody asks for and few change: read once in a while, not for each message."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from cachetools import TTLCache

from uploader import limits

T = TypeVar("T")


class Lately(Generic[T]):
    """One thing in the database, as it was a moment ago."""

    def __init__(self, read: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic) -> None:
        """`read` reads it from the database."""
        self._read = read
        self._found: TTLCache[None, T] = TTLCache(1, limits.LATELY_S, timer=clock)
        self._changes = 0

    async def get(self) -> T:
        """Return it: read now, or within `limits.LATELY_S`."""
        try:
            return self._found[None]
        except KeyError:
            changes = self._changes
            found = await self._read()
            if changes == self._changes:  # else it may be older than the change
                self._found[None] = found
            return found

    @contextmanager
    def changing(self) -> Iterator[None]:
        """It is being changed here: what was read before is forgotten."""
        try:
            yield
        finally:
            self._changes += 1
            self._found.clear()
