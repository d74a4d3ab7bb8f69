"""The upload connections of one account, shared by all its transfers."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from uploader.errors import Reason, TransferError, TransferTemporary
from uploader.transfer.connection import Connection, Patience
from uploader.transfer.endpoint import Endpoint
from uploader.transfer.tl import PartRoom
from uploader.transfer.verdict import Again, Park, Saved, Stop, judge

log = logging.getLogger(__name__)

#: Threads that seal parts: more than this gain nothing, for then the event loop is what is full.
_SEALING_THREADS: Final = 4

#: A further connection is opened when each open one has this many parts in flight.
_BUSY: Final = 2

_CLOSED: Final = "the upload pool is closed"


class Claim:
    """The slots that one transfer holds: each is the right to have one part in memory."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self.held = 0

    async def take(self) -> None:
        """Wait for a slot; first come, first served."""
        await self._slots.acquire()
        self.held += 1

    def give_back(self) -> None:
        """Give one slot back: its part is acknowledged."""
        self.held -= 1
        self._slots.release()

    def give_all_back(self) -> None:
        """Give back every slot that is still held."""
        while self.held:
            self.give_back()


class UploadPool:
    """Up to `connections` sessions, with `window` parts in flight for each; an async context manager.

    Connections are opened when they are needed, replaced when they break, and closed when they idle. All
    transfers share `connections * window` slots, given out first come, first served; a transfer takes a
    slot before it reads a part from its source, so the slots bound the memory of all transfers together.
    """

    def __init__(
        self, endpoint: Endpoint, *, connections: int = 4, window: int = 4, patience: Patience | None = None
    ) -> None:
        self._endpoint = endpoint
        self._size = connections
        self._patience = patience or Patience()
        self._slots = asyncio.Semaphore(connections * window)
        self._tasks = asyncio.TaskGroup()
        self._carriers: dict[Connection, asyncio.Task[None]] = {}
        self._parked_until = 0.0  # by the loop's clock
        self._alone_until = 0.0  # no further connection is tried before this, while one works
        self._refused = 0  # connections in a row that were never accepted
        self._closed = False

    async def __aenter__(self) -> Self:
        threads = min(_SEALING_THREADS, os.cpu_count() or 1)
        self._sealing = ThreadPoolExecutor(threads, thread_name_prefix="seal")
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for connection, carrier in self._carriers.items():
            connection.fail(TransferTemporary(Reason.UPLOAD_FAILED, _CLOSED))  # its carrier may not run yet
            carrier.cancel()
        try:
            # without the block's error: a TaskGroup would put it into a group
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._sealing.shutdown(wait=False)

    @contextlib.contextmanager
    def claim(self) -> Iterator[Claim]:
        """The slots of one transfer; those it still holds at the end of the block are given back."""
        claim = Claim(self._slots)
        try:
            yield claim
        finally:
            claim.give_all_back()

    async def save(
        self, room: PartRoom, *, file_id: int, part: int, total: int | None, size_bytes: int
    ) -> None:
        """Send one part until the data centre has acknowledged it (arguments: see `PartRoom.request`).

        Flood waits are waited out, however many. Raises TransferTemporary when the other tries are used up,
        TransferError when sending again cannot help.
        """
        tries = 0
        while True:
            await self._until_unparked()
            request = room.request(file_id=file_id, part=part, total=total, size_bytes=size_bytes)
            connection = self._connection()
            try:
                verdict = judge(await connection.call(request))
            except TransferTemporary as lost:
                verdict = Again(lost.detail)
            match verdict:
                case Saved():
                    return
                case Park(wait_s):
                    self._park(wait_s)
                case Stop(why):
                    raise TransferError(Reason.UPLOAD_FAILED, f"part {part}: {why}")
                case Again(why):
                    tries += 1
                    if tries >= self._patience.tries:
                        raise TransferTemporary(Reason.UPLOAD_FAILED, f"part {part}, {tries} times: {why}")
                    await asyncio.sleep(self._patience.backoff_s(tries))

    def _park(self, wait_s: float) -> None:
        now = asyncio.get_running_loop().time()
        if self._parked_until <= now:
            log.info("uploads are parked for %s s, as the data centre asks", wait_s)
        self._parked_until = max(self._parked_until, now + wait_s)

    async def _until_unparked(self) -> None:
        now = asyncio.get_running_loop().time
        while (wait_s := self._parked_until - now()) > 0:  # noqa: ASYNC110 - a moment, which others may put off
            await asyncio.sleep(wait_s)

    def _connection(self) -> Connection:
        """The open connection with the least to do, or a new one while there may be more."""
        if self._closed:
            raise TransferTemporary(Reason.UPLOAD_FAILED, _CLOSED)
        open_ones = [connection for connection in self._carriers if not connection.over]
        best = min(open_ones, key=lambda connection: connection.load, default=None)
        if best is not None and (
            best.load < _BUSY
            or len(open_ones) >= self._size
            or asyncio.get_running_loop().time() < self._alone_until
        ):
            return best
        connection = Connection(self._endpoint, self._sealing, self._patience)
        self._carriers[connection] = self._tasks.create_task(self._carry(connection))
        return connection

    async def _carry(self, connection: Connection) -> None:
        try:
            await connection.run()
        finally:
            del self._carriers[connection]
        self._note_end(connection)

    def _note_end(self, connection: Connection) -> None:
        """Hold growth back when the data centre does not accept more connections."""
        if connection.ready:
            self._refused = 0
            return
        self._refused += 1
        wait_s = self._patience.backoff_s(self._refused)
        self._alone_until = asyncio.get_running_loop().time() + wait_s
