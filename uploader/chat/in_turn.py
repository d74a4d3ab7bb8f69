"""What one message shows is sent in order: what is drawn later goes out later, and the last word stands."""

import asyncio
from weakref import WeakValueDictionary

from uploader.model import Job


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

    def of_card(self, job: Job) -> asyncio.Lock:
        """The lock of the message that shows how a job fares, which the jobs of a batch share."""
        return self.of(job.id if job.batch_id is None else -job.batch_id)

    def of_batch(self, batch_id: int) -> asyncio.Lock:
        """The lock of the card of a batch."""
        return self.of(-batch_id)
