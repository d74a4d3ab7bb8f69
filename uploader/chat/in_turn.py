"""What one message shows is sent in order: what is drawn later goes out later, and the last word stands."""

import asyncio
from weakref import WeakValueDictionary


class InTurn:
    """A lock for each key, for as long as anybody holds it or waits for it.

    Who holds it draws what the message is to show from what is then known, and sends it.
    """

    def __init__(self) -> None:
        self._locks = WeakValueDictionary[int, asyncio.Lock]()

    def of(self, key: int) -> asyncio.Lock:
        """The lock of a key. Keep it until it is released."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
