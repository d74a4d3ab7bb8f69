"""Every outgoing message of an account passes here, and waits for its turn; see `turns`."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Final

from cachetools import LRUCache

from uploader.errors import FloodWait
from uploader.telegram.turns import CHATS, Ticket, Turns, Urgency

#: A message that has not left by then is given up: the account, or the chat, is far over its limit.
WAIT_S: Final = 60.0
#: Messages that wait at once, in all and of one chat; more are refused.
WAITING: Final = 2_000
WAITING_IN_CHAT: Final = 30
#: While so many wait nothing is said to who asks for too much.
BUSY: Final = 20


class Pacer:
    """The pace of one account."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns = Turns()
        self._waiting: dict[int, tuple[Ticket, asyncio.Future[None]]] = {}  # by the numbers of their tickets
        self._chats = Counter[int]()
        self._timer: asyncio.TimerHandle | None = None
        self._closed: LRUCache[Hashable, float] = LRUCache(CHATS)  # what is not to be asked before

    @asynccontextmanager
    async def message(self, chat_id: int, urgency: Urgency) -> AsyncIterator[None]:
        """The turn of a message, or of an edit that must be made, in a chat; it ends with its answer.

        Raises:
            FloodWait: no turn within WAIT_S, or too many wait already.
        """
        await self._turn(chat_id, urgency)
        try:
            yield
        finally:
            self._answered()

    @asynccontextmanager
    async def edit(self, chat_id: int) -> AsyncIterator[bool]:
        """The turn of an edit that may be skipped; or False: it cannot go out now."""
        going = self._turns.spare(chat_id, self._clock())
        try:
            yield going
        finally:
            if going:
                self._answered()

    async def _turn(self, chat_id: int, urgency: Urgency) -> None:
        is_left = urgency is Urgency.TOO_FAST and len(self._waiting) >= BUSY
        if is_left or self._chats[chat_id] >= WAITING_IN_CHAT:
            raise FloodWait(WAIT_S)
        now = self._clock()
        ticket = self._turns.enter(chat_id, urgency, now, now + WAIT_S)
        self._make_room(ticket)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[ticket.number] = ticket, turn
        self._chats[chat_id] += 1
        self._advance()
        used = False
        try:
            async with asyncio.timeout(WAIT_S):
                await turn
            used = True
        except TimeoutError:
            raise FloodWait(WAIT_S) from None
        finally:
            ticket.gone = True
            self._waiting.pop(ticket.number, None)
            self._chats -= Counter({chat_id: 1})  # and what is 0 goes
            if not used and turn.done() and not turn.cancelled() and turn.exception() is None:
                self._answered()  # it came too late

    def _make_room(self, ticket: Ticket) -> None:
        """If too many wait, the one whose turn would come last goes: another, or this one by FloodWait."""
        if len(self._waiting) < WAITING:
            return
        last, turn = max(self._waiting.values(), key=lambda waiting: waiting[0])
        if last < ticket:
            ticket.gone = True
            raise FloodWait(WAIT_S)
        last.gone = True
        del self._waiting[last.number]
        if not turn.done():
            turn.set_exception(FloodWait(WAIT_S))

    def park(self, chat_id: int, wait_s: float) -> None:
        """Telegram said FLOOD_WAIT to a message or an edit in this chat."""
        self._turns.park(chat_id, wait_s, self._clock())

    def check(self, question: Hashable) -> None:
        """Raises FloodWait: this is not to be asked yet."""
        wait_s = self._closed.get(question, 0.0) - self._clock()
        if wait_s > 0:
            raise FloodWait(wait_s)

    def close(self, question: Hashable, wait_s: float) -> None:
        """Telegram said FLOOD_WAIT to a call that sends nothing."""
        self._closed[question] = self._clock() + wait_s

    def _answered(self) -> None:
        self._turns.answered(self._clock())
        self._advance()

    def _advance(self) -> None:
        """Let go whose turn it is, and look again when the next one may be due."""
        now = self._clock()
        for ticket, late_s in self._turns.due(now):
            _, turn = self._waiting.pop(ticket.number)
            if late_s and not turn.done():
                turn.set_exception(FloodWait(late_s))
            elif not turn.done():
                turn.set_result(None)
            elif not late_s:
                self._turns.answered(now)  # nobody is there to use it
        if self._timer is not None:
            self._timer.cancel()
        next_at = self._turns.next_at(now)
        later = asyncio.get_running_loop().call_later
        self._timer = None if next_at is None else later(next_at - now, self._advance)
