"""The accounts that carry files: which takes the next one, and what becomes of one that fails."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from uploader import limits
from uploader.errors import (
    AccountStopped,
    CarrierRests,
    ChannelUnusable,
    LoggedOut,
    Parked,
    PartsLost,
    TransferError,
    TransferTemporary,
)
from uploader.model import Caption, Delivered, Person, Uploaded
from uploader.supervision import FaultBarrier
from uploader.transfer.pool import UploadPool

#: Posts an uploaded file in a person's chat, once for a random_id, as an answer to a message of theirs:
#: (person, file, random_id, caption, message).
Post = Callable[[Person, Uploaded, int, Caption, int], Awaitable[Delivered]]
#: Tells those who can see to it that a carrier (its name) rests: why, and for how many seconds.
Alert = Callable[[str, str, float], Awaitable[None]]


class Parkings(Protocol):
    """Remembers, beyond the life of a process, until when (epoch seconds) an account may send no parts."""

    async def until(self, account: str) -> float:
        """Until when; 0.0: it was never asked to wait."""

    async def note(self, account: str, until: float) -> None:
        """It was asked to wait until then."""


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Carrier:
    """One account: its upload connections, and the way from there into people's chats."""

    name: str  # that an operator knows it by
    pool: UploadPool
    cap_bytes: int  # the largest file that it may upload
    post: Post


class Carriers:
    """All carriers; of equals the first is taken, so the bot itself comes first.

    One that fails rests and its file goes by another, from the start: parts belong to the account that sent
    them. The last one that is left is never taken away: its failures are its jobs' failures.
    """

    def __init__(
        self,
        carriers: Sequence[Carrier],
        plain_cap_bytes: int,
        alert: Alert,
        parkings: Parkings,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`plain_cap_bytes`: what an account without Premium may upload. `now` gives epoch seconds."""
        self._caps = {carrier: carrier.cap_bytes for carrier in carriers}
        self._plain_cap_bytes = plain_cap_bytes
        self._alert = FaultBarrier("telling of a carrier that rests").around(alert)
        self._parkings = parkings
        self._note_parking = FaultBarrier("keeping until when an account is parked").around(parkings.note)
        self._files = Counter[Carrier]()
        self._now = now
        self._rests_until = dict.fromkeys(carriers, 0.0)  # epoch seconds

    @property
    def cap_bytes(self) -> int:
        """The largest file that some carrier would take now."""
        return max(self._caps[carrier] for carrier in self._awake() or self._caps)

    async def begin(self) -> None:
        """Park the accounts that the data centre wanted nothing from when the engine ended."""
        for carrier in self._caps:
            wait_s = await self._parkings.until(carrier.pool.account) - self._now()
            if 0 < wait_s <= limits.PARKED_LONGEST_S:
                carrier.pool.park(wait_s)

    def check(self) -> None:
        """Raises Parked if no file could be uploaded now."""
        waits_s = [self._parked_s(carrier) for carrier in self._caps]
        if min(waits_s) > limits.PARKED_S:
            raise Parked(min(waits_s))

    @asynccontextmanager
    async def use(self, size_bytes: int | None, account: str = "") -> AsyncIterator[Carrier]:
        """The carrier for a file of `size_bytes`: the one of `account`, which has parts of it, or the idlest.

        Raises CarrierRests if it failed within the block and another would take the file; Parked, at once or
        within the block: the data centre wants no parts for long, and there is no other.
        """
        carrier = self._choose(size_bytes or 0, account)
        if (wait_s := self._parked_s(carrier)) > limits.PARKED_S:
            raise Parked(wait_s)
        self._files[carrier] += 1
        try:
            yield carrier
        except Parked as error:
            until = self._now() + error.wait_s
            await self._rest(carrier, until, "Telegram asks it to wait")
            await self._note_parking(carrier.pool.account, until)
            if self._awake(size_bytes or 0, but=carrier):
                raise CarrierRests(carrier.name) from error
            raise
        except (AccountStopped, LoggedOut, ChannelUnusable) as error:
            await self._failed(carrier, size_bytes or 0, error)
            raise
        except TransferError as error:
            if (size_bytes or 0) <= self._plain_cap_bytes or not _is_refusal(error):
                raise
            self._caps[carrier] = self._plain_cap_bytes
            await self._rest(carrier, 0.0, f"no file above the cap is taken from it: {error}")
            raise CarrierRests(carrier.name) from error
        finally:
            self._files[carrier] -= 1

    def _parked_s(self, carrier: Carrier) -> float:
        until = carrier.pool.status().parked_until
        return 0.0 if until is None else until - self._now()

    def _choose(self, size_bytes: int, account: str) -> Carrier:
        fit = self._awake(size_bytes) or [each for each in self._caps if self._caps[each] >= size_bytes]
        own = [each for each in fit if each.pool.account == account]
        return min(own or fit or self._caps, key=self._load)

    def _load(self, carrier: Carrier) -> tuple[bool, int]:
        return self._parked_s(carrier) > 0, self._files[carrier]

    def _awake(self, size_bytes: int = 0, *, but: Carrier | None = None) -> list[Carrier]:
        now = self._now()
        return [
            carrier
            for carrier, cap_bytes in self._caps.items()
            if cap_bytes >= size_bytes and self._rests_until[carrier] <= now and carrier is not but
        ]

    async def _failed(self, carrier: Carrier, size_bytes: int, error: Exception) -> None:
        """Let a carrier rest if there are others for what it had: or smaller ones, for volumes of it."""
        size_bytes = min(size_bytes, self._plain_cap_bytes)
        if self._awake(size_bytes, but=carrier):
            await self._rest(carrier, self._now() + limits.CARRIER_REST_S, str(error))
            raise CarrierRests(carrier.name) from error

    async def _rest(self, carrier: Carrier, until: float, why: str) -> None:
        was_awake = self._rests_until[carrier] <= self._now()
        self._rests_until[carrier] = max(until, self._rests_until[carrier])
        if was_awake:
            _log.error("a carrier rests", carrier=carrier.name, cause=why)
            await self._alert(carrier.name, why, max(0.0, until - self._now()))


def _is_refusal(error: TransferError) -> bool:
    """Whether the data centre does not want these parts, now or later."""
    return not isinstance(error, TransferTemporary) or (isinstance(error, PartsLost) and error.part is None)
