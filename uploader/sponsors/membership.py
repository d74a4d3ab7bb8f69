"""Who is inside a channel: learned from Telegram's updates, asked for when it is not known.

An answer can be older than what an update told while it was on its way: the update's word goes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from cachetools import LRUCache, TLRUCache

from uploader.errors import ChannelUnusable, FloodWait, TelegramError
from uploader.model import Person, Sponsor
from uploader.telegram.gateway import Gateway

#: How long an answer is believed. Who leaves is told by an update; the time bounds what a lost one can cost,
#: and what an engine believes that heard of nothing. Who is outside has just been asked to join.
MEMBER_S: Final = 300.0
STRANGER_S: Final = 3.0
MEMBERS: Final = 100_000
#: A question without an answer by then is put again later, and its person is told that.
CHECK_S: Final = 5.0
CHECKS_AT_ONCE: Final = 8
#: After this, if Telegram names no other time.
AGAIN_S: Final = 5.0

_Key = tuple[int, int]  # channel, person


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Somebody came into a channel or left it, as an update tells. Times are Telegram's, whole seconds."""

    channel_id: int
    user_id: int
    inside: bool  # afterwards
    at: float
    since: float | None = None  # who left: when they had come in; None: not known

    @property
    def key(self) -> _Key:
        """Who, and where."""
        return self.channel_id, self.user_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What is known of a person in a channel."""

    inside: bool | None  # None: it is not known
    asked: bool = False  # just now
    wait_s: float = AGAIN_S  # until it is worth asking again
    unusable: str | None = None  # why the bot may not look
    cause: str = ""  # why it is not known


@dataclass(eq=False, slots=True)
class _Question:
    answer: asyncio.Future[Standing]
    told: bool | None = None  # by an update, meanwhile


@dataclass(slots=True)
class _Heard:
    at: float = 0.0
    serial: int = field(default=0)


class Membership:
    """What one engine knows. People who come at once for one answer share the question."""

    def __init__(
        self,
        gateway: Gateway,
        seen: Callable[[Sponsor, Person], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seen` notes that Telegram says somebody is inside, before that is believed here."""
        self._gateway = gateway
        self._seen = seen
        self._known: TLRUCache[_Key, bool] = TLRUCache(
            MEMBERS, lambda _key, inside, now: now + (MEMBER_S if inside else STRANGER_S), timer=clock
        )
        self._questions: dict[_Key, _Question] = {}
        self._heard: LRUCache[_Key, _Heard] = LRUCache(MEMBERS)
        self._serials = count(1)
        self._room = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def ask(self, sponsor: Sponsor, person: Person) -> Standing:
        """Whether the person is inside, by what is known or by asking Telegram for at most CHECK_S.

        Raises StorageUnavailable: that they are could not be noted.
        """
        key = sponsor.channel_id, person.user_id
        if (inside := self._known.get(key)) is not None:
            return Standing(inside=inside)
        if (question := self._questions.get(key)) is not None:
            return await asyncio.shield(question.answer)
        question = self._questions[key] = _Question(asyncio.get_running_loop().create_future())
        standing = Standing(inside=None)
        try:
            answer = await self._answer(sponsor, person)
            if answer.inside:
                await self._seen(sponsor, person)
            if question.told is not None:
                answer = Standing(inside=question.told)
            elif answer.inside is not None:
                self._known[key] = answer.inside
            standing = answer
        finally:
            del self._questions[key]
            question.answer.set_result(standing)
        return standing

    def hear(self, move: Move) -> int | None:
        """Forget what an update contradicts. Returns what `learn` needs; None: it tells of old things."""
        heard = self._heard.get(move.key)
        if heard is not None and move.at < heard.at:
            return None
        serial = next(self._serials)
        self._heard[move.key] = _Heard(move.at, serial)
        self._known.pop(move.key, None)
        if (question := self._questions.get(move.key)) is not None:
            question.told = move.inside
        return serial

    def learn(self, move: Move, serial: int | None) -> None:
        """Believe what an update tells, unless another was heard since."""
        heard = self._heard.get(move.key)
        if heard is not None and heard.serial == serial:
            self._known[move.key] = move.inside

    async def _answer(self, sponsor: Sponsor, person: Person) -> Standing:
        try:
            async with asyncio.timeout(CHECK_S), self._room:
                inside = await self._gateway.is_member(sponsor, person)
        except ChannelUnusable as error:
            return Standing(inside=None, asked=True, unusable=str(error))
        except FloodWait as error:
            return Standing(inside=None, wait_s=error.wait_s, cause=str(error))
        except (TelegramError, TimeoutError) as error:
            return Standing(inside=None, cause=str(error) or "no answer in time")
        return Standing(inside=inside, asked=True)
