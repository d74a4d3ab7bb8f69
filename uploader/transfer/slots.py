"""Room for parts, shared by transfers: a slot is the right to have one part in memory, and the memory."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from uploader.transfer.room import PartRoom


@dataclass(eq=False, slots=True)
class Claim:
    """What one transfer holds of the slots."""

    slots: "Slots"
    parked: Callable[[float], None]  # told until when (epoch seconds) the data centre wants no parts
    held: int = 0
    turn: "asyncio.Future[None] | None" = field(default=None, repr=False)

    async def take(self) -> PartRoom:
        """Wait for a slot, and get its room."""
        return await self.slots.take(self)

    def give_back(self, room: PartRoom) -> None:
        """Give back a slot whose part is acknowledged: its room is used for the next one."""
        self.slots.give_back(self, room)


class Slots:
    """`count` slots. One that becomes free goes to the waiting transfer that holds the fewest.

    So no transfer starves, however many parts another could send, and whoever is slow gets its turn at once.
    Rooms are kept for the next part while there are transfers, and let go of when there are none.
    """

    def __init__(self, count: int, took: Callable[[bool], None]) -> None:
        """`took`: called with whether the transfer had to wait, each time one gets a slot."""
        self._count = count
        self._took = took
        self._held = 0
        self._claims: list[Claim] = []  # in the order of their last turn
        self._rooms: list[PartRoom] = []

    @property
    def held(self) -> int:
        """Slots in use."""
        return self._held

    @property
    def wanted(self) -> bool:
        """Whether a transfer waits for its turn."""
        return any(claim.turn is not None and not claim.turn.done() for claim in self._claims)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Of the transfers that are under way."""
        return tuple(self._claims)

    def resize(self, count: int) -> None:
        """Have `count` slots from now on; those above it are withdrawn as they are given back."""
        self._count = count
        self._hand_out()

    @contextlib.contextmanager
    def claim(self, parked: Callable[[float], None]) -> Iterator[Claim]:
        """A claim for one transfer. What it holds at the end is free again, and its rooms are forgotten."""
        claim = Claim(self, parked)
        self._claims.append(claim)
        try:
            yield claim
        finally:
            self._claims.remove(claim)
            self._held -= claim.held
            if not self._claims:
                self._rooms.clear()
            self._hand_out()

    async def take(self, claim: Claim) -> PartRoom:
        """See `Claim.take`. One at a time for each claim."""
        waits = self._held >= self._count
        if waits:
            claim.turn = asyncio.get_running_loop().create_future()
            try:
                await claim.turn
            except asyncio.CancelledError:
                if claim.turn.done() and not claim.turn.cancelled():
                    self._release(claim)  # it got its turn in the very moment it was cancelled
                raise
            finally:
                claim.turn = None
        else:
            self._occupy(claim)
        self._took(waits)
        return self._rooms.pop() if self._rooms else PartRoom()

    def give_back(self, claim: Claim, room: PartRoom) -> None:
        """See `Claim.give_back`."""
        room.sealed = None
        if self._held <= self._count:
            self._rooms.append(room)
        self._release(claim)

    def _release(self, claim: Claim) -> None:
        claim.held -= 1
        self._held -= 1
        self._hand_out()

    def _occupy(self, claim: Claim) -> None:
        claim.held += 1
        self._held += 1
        self._claims.remove(claim)
        self._claims.append(claim)

    def _hand_out(self) -> None:
        """Let those whose turn it is go on."""
        while self._held < self._count:
            waiting = [claim for claim in self._claims if claim.turn is not None and not claim.turn.done()]
            if not waiting:
                return
            claim = min(waiting, key=lambda claim: claim.held)  # of equals the one that waited longest
            self._occupy(claim)
            if claim.turn is not None:
                claim.turn.set_result(None)
