"""The upload connections of one account, shared by all its transfers."""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from uploader.errors import AccountStopped, Parked, Reason, TransferError, TransferTemporary
from uploader.supervision import FaultBarrier, Helpers
from uploader.transfer import tl
from uploader.transfer.connection import Connection
from uploader.transfer.endpoint import Endpoint
from uploader.transfer.governor import Governor
from uploader.transfer.growth import Plan
from uploader.transfer.patience import Patience, Tries
from uploader.transfer.room import PartRoom
from uploader.transfer.salts import Salts
from uploader.transfer.seal import AuthKey
from uploader.transfer.sealing import Sealing
from uploader.transfer.slots import Claim, Slots
from uploader.transfer.verdict import Again, Halt, Park, Saved, Stop, Verdict, judge

log = logging.getLogger(__name__)

#: A further connection is opened when each open one has this many parts in flight.
_BUSY = 2

_CLOSED = "the upload pool is closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolStatus:
    """A pool at one moment."""

    connections: int  # open ones
    planned: int  # ... and how many there may be at present
    parts: int  # in memory: being read, sent, or waiting for their answer
    parked_until: float | None  # epoch seconds: the data centre wants no parts before
    stopped: str | None  # why the account cannot send, as the data centre says


class UploadPool:
    """Up to `most` sessions, with up to `most * window` parts on their way; an async context manager.

    It begins with up to `connections`; how many are used later, and how many parts are on their way, is
    decided in `growth`. Connections are opened when they are needed, replaced when they break, and closed
    when they idle. All transfers share the slots (see `Slots`); a transfer takes one before it reads a part
    from its source, so that `most * window` parts, or two for each transfer, bound the memory of them all.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        connections: int = 8,
        most: int = 16,
        window: int = 4,
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives epoch seconds."""
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._epoch_now = now
        plan = Plan.first(connections=connections, most=most, window=window)
        self._governor = Governor(plan, self._patience)
        self._barrier = FaultBarrier("an upload connection")
        self._slots = Slots(plan.parts, lambda waited: self._governor.pace.turn(waited=waited))
        self._key = AuthKey(endpoint.auth_key)
        self._salts = Salts()
        self._helpers = Helpers()
        self._carriers: list[Connection] = []
        self._parked_until = 0.0  # by the loop's clock
        self._waits_since: float | None = None  # no part was saved since the data centre asked to wait then
        self._alone_until = 0.0  # no further connection is tried before this, while one works
        self._refused = 0  # connections in a row that were never accepted
        self._stopped: str | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._sealing = Sealing(self._key)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for connection in self._carriers:
            connection.fail(TransferTemporary(Reason.UPLOAD_FAILED, _CLOSED))  # its carrier may not run yet
        try:
            await self._helpers.__aexit__(kind, error, trace)
        finally:
            self._sealing.close()

    @property
    def account(self) -> str:
        """A short public name of the login: parts belong to it and to no other."""
        return self._key.key_id.hex()

    def status(self) -> PoolStatus:
        """The pool at this moment."""
        parked_s = self._parked_until - self._now()
        return PoolStatus(
            connections=sum(connection.ready and not connection.over for connection in self._carriers),
            planned=self._governor.plan.connections,
            parts=self._slots.held,
            parked_until=self._epoch_now() + parked_s if parked_s > 0 else None,
            stopped=self._stopped,
        )

    def park(self, wait_s: float) -> None:
        """The data centre wants no parts for so long, as it said before this process began."""
        self._waits_since = self._now()
        self._parked_until = self._now() + wait_s

    @contextlib.contextmanager
    def claim(self, parked: Callable[[float], None] = lambda _until: None) -> Iterator[Claim]:
        """The slots of one transfer; those it still holds at the end of the block are given back.

        `parked` is told, as it happens, until when (epoch seconds) the data centre wants no parts.
        """
        with self._slots.claim(parked) as claim:
            self._resize()
            if (parked_until := self.status().parked_until) is not None:
                parked(parked_until)
            yield claim
        self._resize()

    async def digest(self, digest: "hashlib._Hash", data: memoryview) -> None:
        """Update a digest off the event loop."""
        await self._sealing.aside(digest.update, data)

    async def save(
        self, room: PartRoom, *, file_id: int, part: int, total: int | None, size_bytes: int
    ) -> None:
        """Send one part until the data centre has acknowledged it (arguments: see `tl.part_request`).

        Flood waits are waited out, however many. Raises Parked when they are too long for that, or too many
        without a part between them, TransferTemporary when the other tries are used up,
        AccountStopped when the login is of no use, TransferError when sending again cannot help.
        """
        call = tl.part_request(room, file_id=file_id, part=part, total=total, size_bytes=size_bytes)
        tries = Tries(self._patience)
        while True:
            match await self._asked(call):
                case Saved():
                    self._note_saved()
                    return
                case Park(wait_s):
                    self._park(wait_s)
                    if not wait_s:
                        await asyncio.sleep(tries.hollow_s())
                case Halt(why):
                    self._stop(why)
                    raise AccountStopped(Reason.UPLOAD_FAILED, why)
                case Stop(why):
                    raise TransferError(Reason.UPLOAD_FAILED, f"part {part}: {why}")
                case Again(why, lost):
                    pause_s = tries.wait_s(lost=lost)
                    if pause_s is None:
                        raise TransferTemporary(Reason.UPLOAD_FAILED, f"part {part}, too often: {why}")
                    await asyncio.sleep(pause_s)

    async def _asked(self, call: tl.Request) -> Verdict:
        """Send a part once."""
        await self._until_unparked()
        connection = self._connection()
        try:
            return judge(await connection.call(call.anew()))
        except AccountStopped as error:
            return Halt(error.detail)
        except TransferTemporary as error:
            return Again(error.detail, lost=True)

    def _note_saved(self) -> None:
        self._waits_since = None
        self._stopped = None
        plan = self._governor.plan
        self._governor.saved(self._now(), full=self._slots.wanted)
        if self._governor.plan is not plan:
            self._resize()

    def _note_trouble(self, why: str) -> None:
        self._governor.troubled(self._now(), why)
        self._resize()

    def _resize(self) -> None:
        """As many slots as planned, and two for each transfer: slow sources block no other transfer."""
        self._slots.resize(max(self._governor.plan.parts, 2 * len(self._slots.claims)))
        if not self._slots.claims:
            self._governor.pause(self._now(), idle=True)

    def _park(self, wait_s: float) -> None:
        now = self._now()
        if self._parked_until <= now:
            log.warning("uploads are parked for %s s, as the data centre asks", wait_s)
            self._note_trouble(f"asked to wait {wait_s} s")
        self._waits_since = now if self._waits_since is None else self._waits_since
        if now + wait_s > self._parked_until:
            self._parked_until = now + wait_s
            for claim in self._slots.claims:
                claim.parked(self._epoch_now() + wait_s)

    async def _until_unparked(self) -> None:
        if self._parked_until <= self._now():
            return
        while (wait_s := self._parked_until - self._now()) > 0:
            since = self._parked_until if self._waits_since is None else self._waits_since
            if self._parked_until - since > self._patience.parked_s:
                raise Parked(wait_s)
            await asyncio.sleep(wait_s)
        self._governor.pause(self._now())

    def _stop(self, why: str) -> None:
        if self._stopped is None:
            log.error("the account cannot upload: %s; log in again, or end its other use", why)
        self._stopped = why

    def _connection(self) -> Connection:
        """The connection with the least to do; one still being opened gets what others have no room for."""
        if self._closed:
            raise TransferTemporary(Reason.UPLOAD_FAILED, _CLOSED)
        plan = self._governor.plan
        usable = [connection for connection in self._carriers if not connection.over][: plan.connections]
        if self._more_pays(usable):
            usable.append(self._opened())
        ready = [connection for connection in usable if connection.ready and connection.load < plan.crowd]
        return min(ready or usable, key=lambda connection: connection.load)

    def _more_pays(self, usable: Sequence[Connection]) -> bool:
        """Whether to open a further connection: each has enough to do, and there may be more."""
        if not usable:
            return True
        busy = all(connection.load >= _BUSY for connection in usable)
        return busy and len(usable) < self._governor.plan.connections and self._now() >= self._alone_until

    def _opened(self) -> Connection:
        pace = self._governor.pace
        connection = Connection(
            self._endpoint, self._sealing, self._patience, pace, self._salts, now=self._epoch_now
        )
        self._carriers.append(connection)
        self._helpers.start(self._carry(connection))
        return connection

    async def _carry(self, connection: Connection) -> None:
        try:
            with self._barrier:  # its calls were told how it ended
                await connection.run()
        finally:
            self._carriers.remove(connection)
        self._note_end(connection)

    def _note_end(self, connection: Connection) -> None:
        """Hold growth back when the data centre does not accept more connections, or does not bear them."""
        if connection.broken is not None:
            self._note_trouble(connection.broken)
        if connection.ready:
            self._refused = 0
            return
        self._refused += 1
        self._alone_until = self._now() + self._patience.backoff_s(self._refused)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
