"""Whose turn it is to send, without I/O or a clock: per account and per chat, the urgent first.

The figures are Telegram's advice for bots, with headroom for what a network does to gaps: 30 messages a
second in all, one a second in a chat (short bursts pass), 20 a minute in a group.
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
Edits count like messages (tdlib/td#3034); more than 20 a minute in one chat earned waits.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Final

from cachetools import LRUCache
from pyrate_limiter import GCRA, Rate

_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND

#: At most 28 leave in any second; how many arrive in one is bounded by their answers.
ACCOUNT: Final = (Rate(25, _SECOND, burst=3),)
ARRIVING_PER_S: Final = 29
#: A link earns three (accepted, the file, done): two links in a row do not wait for each other.
CHAT: Final = (Rate(1, _SECOND, burst=6),)
#: At most 20 in any minute.
GROUP: Final = (Rate(1, _SECOND, burst=2), Rate(16, _MINUTE, burst=4))
CHAT_EDITS: Final = (Rate(15, _MINUTE, burst=4),)
#: Of all edits that may be skipped.
PROGRESS: Final = (Rate(8, _SECOND, burst=4),)

#: What a chat has had puts its next message back, behind those of others: by one urgency for so many, but
#: never behind a broadcast. One is forgotten every so many seconds.
HAD_PER_URGENCY: Final = 2.0
FORGOTTEN_S: Final = 5.0

#: Chats whose pace is remembered; one that falls out was silent for long.
CHATS: Final = 10_000
#: So many different chats told to wait within so many seconds: it is the account that is too fast.
FLOODED_CHATS: Final = 3
FLOODED_S: Final = 5.0


class Urgency(IntEnum):
    """Who goes first; among them who has had less of late. Edits that may be skipped never wait."""

    ANSWER = 0  # to what a person said or pressed
    MESSAGE = 1  # a file, or news of it
    EDIT = 2  # of a message that is there
    BROADCAST = 3  # what nobody waits for
    TOO_FAST = 4  # to who asks for too much; it is left when many others wait


@dataclass(order=True, slots=True)
class Ticket:
    """Somebody who wants to send."""

    rank: float  # the urgency, and what its chat has had
    had: float
    number: int  # in the order of coming
    urgency: Urgency = field(compare=False)
    chat_id: int = field(compare=False)
    until: float = field(compare=False)  # so long it is waited for
    gone: bool = field(default=False, compare=False)  # nobody waits for it any more


class Turns:
    """The turns of one account. Times are seconds of any clock that does not go back.

    Groups and channels have negative chat ids, as in https://core.telegram.org/api/bots/ids
    """

    def __init__(self) -> None:
        self._account = _Gate(ACCOUNT)
        self._under_way = _UnderWay()
        self._progress = _Gate(PROGRESS)
        self._chats: LRUCache[int, _Chat] = LRUCache(CHATS)
        self._floods: deque[tuple[float, int, float]] = deque(maxlen=FLOODED_CHATS)
        self._ready: list[Ticket] = []
        self._resting: list[tuple[float, Ticket]] = []  # their chats have no turn before
        self._numbers = count()

    def enter(self, chat_id: int, urgency: Urgency, now: float, until: float) -> Ticket:
        """Want to send to a chat, until then at the latest. See `due`."""
        had = self._chat(chat_id).one_more(now)
        rank = float(urgency)
        if urgency < Urgency.BROADCAST:
            rank = min(urgency + had / HAD_PER_URGENCY, Urgency.BROADCAST - 0.5)
        ticket = Ticket(rank, had, next(self._numbers), urgency, chat_id, until)
        heappush(self._ready, ticket)
        return ticket

    def due(self, now: float) -> list[tuple[Ticket, float]]:
        """Whose turn it is now; it counts as used, and is over when `answered` is called.

        Beside each ticket stands 0, or if it would be too late the seconds after which it might be its turn.
        """
        due: list[tuple[Ticket, float]] = []
        while self._resting and self._resting[0][0] <= now:
            heappush(self._ready, heappop(self._resting)[1])
        while self._ready and (self._ready[0].gone or self._free_at(now) <= now):
            ticket = heappop(self._ready)
            if ticket.gone:
                continue
            gates = self._gates(ticket.chat_id, edit=ticket.urgency is Urgency.EDIT)
            free_at = max(gate.free_at(now) for gate in gates)
            if free_at > ticket.until:
                due.append((ticket, free_at - now))
            elif free_at > now:
                heappush(self._resting, (free_at, ticket))
            else:
                self._take(now, *gates)
                due.append((ticket, 0.0))
        return due

    def next_at(self, now: float) -> float | None:
        """When `due` is to be asked again if nothing is answered before; None: never."""
        times = [at for at, _ in self._resting[:1]] + [self._free_at(now) for _ in self._ready[:1]]
        return min((at for at in times if at != inf), default=None)

    def spare(self, chat_id: int, now: float) -> bool:
        """Whether an edit that may be skipped can go now: there is room for it, and for one that must be."""
        gates = (self._progress, *self._gates(chat_id, edit=True))
        if self._free_at(now, room=2) > now or any(gate.free_at(now, room=2) > now for gate in gates):
            return False
        self._take(now, *gates)
        return True

    def answered(self, now: float) -> None:
        """The call of one turn is over: what was sent had arrived by now, if ever."""
        self._under_way.end(now)

    def park(self, chat_id: int, wait_s: float, now: float) -> None:
        """Telegram wants nothing more in this chat for so long; or in any, if it says so of several."""
        self._chat(chat_id).messages.closed_until = now + wait_s
        self._floods.append((now, chat_id, wait_s))
        recent = {chat: wait_s for at, chat, wait_s in self._floods if now - at <= FLOODED_S}
        if len(recent) == FLOODED_CHATS:
            self._account.closed_until = now + min(recent.values())

    def _free_at(self, now: float, room: int = 1) -> float:
        return max(self._account.free_at(now, room), self._under_way.free_at(now, room))

    def _take(self, now: float, *gates: "_Gate") -> None:
        self._under_way.begin()
        for gate in (self._account, *gates):
            gate.take(now)

    def _gates(self, chat_id: int, *, edit: bool) -> tuple["_Gate", ...]:
        chat = self._chat(chat_id)
        return (chat.messages, chat.edits) if edit else (chat.messages,)

    def _chat(self, chat_id: int) -> "_Chat":
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _Chat(_Gate(GROUP if chat_id < 0 else CHAT), _Gate(CHAT_EDITS))
        return chat


class _Gate:
    """One or more rates at once, and a time before which Telegram wants nothing."""

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self._rates = list(rates)
        self._state = GCRA().initial(self._rates)
        self.closed_until = float("-inf")

    def free_at(self, now: float, room: int = 1) -> float:
        """When so many may pass at once; never before now."""
        _, decision = GCRA().step(self._rates, self._state, int(now * 1000), room)
        return max(self.closed_until, now + (decision.retry_after_ms or 0) / 1000)

    def take(self, now: float) -> None:
        """One passes."""
        self._state, _ = GCRA().step(self._rates, self._state, int(now * 1000), 1)


class _UnderWay:
    """Bounds what can arrive in one second, however unevenly the network takes it there.

    When something arrives is not known, only that it does between its departure and its answer. So all that
    is not answered, and all that was answered within the last second, counts.
    """

    def __init__(self) -> None:
        self._count = 0
        self._answered: deque[float] = deque()

    def begin(self) -> None:
        """One leaves."""
        self._count += 1

    def end(self, now: float) -> None:
        """One is answered, or will never be."""
        self._count -= 1
        self._answered.append(now)

    def free_at(self, now: float, room: int) -> float:
        """When so many more may leave; `inf`: not before something is answered."""
        while self._answered and self._answered[0] <= now - 1:
            self._answered.popleft()
        over = self._count + len(self._answered) + room - ARRIVING_PER_S
        if over <= 0:
            return now
        return self._answered[over - 1] + 1 if over <= len(self._answered) else inf


@dataclass(slots=True)
class _Chat:
    messages: _Gate
    edits: _Gate
    had: float = 0.0
    had_at: float = 0.0

    def one_more(self, now: float) -> float:
        """Count a message; returns how many came before it of late."""
        had = max(0.0, self.had - (now - self.had_at) / FORGOTTEN_S)
        self.had, self.had_at = had + 1, now
        return had
