"""Questions of people that wait for a bot: pressed buttons and inline queries."""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from sandbox.world.accounts import Account
from sandbox.world.letters import Draft

#: How long a question waits for the bot. Telegram's own bound is not documented; about ten seconds were seen.
ANSWER_S: Final = 10.0
_REMEMBERED_OFFERS: Final = 1000

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the bot says to the person who pressed."""

    message: str | None = None
    alert: bool = False
    url: str | None = None
    cache_s: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """A message that a person could send by one touch."""

    kind: str
    draft: Draft
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class InlineAnswer:
    """What a bot offers to send, by result id."""

    offers: Mapping[str, Offer]
    cache_s: int = 0
    next_offset: str | None = None
    gallery: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[AnswerT]):
    bot_id: int
    answer: "asyncio.Future[AnswerT | None]"


class Questions(Generic[AnswerT]):
    """All questions of a kind that wait, by query id. One without an answer ends after ANSWER_S."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting[AnswerT]] = {}

    def ask(self, bot: Account) -> tuple[int, "asyncio.Future[AnswerT | None]"]:
        """A new query id, and what the bot will answer to it; None: it did not."""
        loop = asyncio.get_running_loop()
        query_id = secrets.randbits(63)
        waiting: _Waiting[AnswerT] = _Waiting(bot.id, loop.create_future())
        self._waiting[query_id] = waiting
        loop.call_later(ANSWER_S, self._end, query_id, None)
        return query_id, waiting.answer

    def answer(self, bot: Account, query_id: int, answer: AnswerT) -> bool:
        """Answer a question. False: there is none of this id, or not of this bot, or it was too late."""
        waiting = self._waiting.get(query_id)
        if waiting is None or waiting.bot_id != bot.id:
            return False
        self._end(query_id, answer)
        return True

    def _end(self, query_id: int, answer: AnswerT | None) -> None:
        waiting = self._waiting.pop(query_id, None)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(answer)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a bot offered to one person."""

    bot_id: int
    user_id: int
    query: str
    offers: Mapping[str, Offer]


class Offers:
    """What was offered lately, by query id: the person may send it as long as it is remembered."""

    def __init__(self) -> None:
        self._offered: OrderedDict[int, Offered] = OrderedDict()

    def expect(self, query_id: int, bot_id: int, user_id: int, query: str) -> None:
        """A question was asked."""
        self._offered[query_id] = Offered(bot_id, user_id, query, {})
        while len(self._offered) > _REMEMBERED_OFFERS:
            self._offered.popitem(last=False)

    def fill(self, query_id: int, offers: Mapping[str, Offer]) -> None:
        """It was answered."""
        if query_id in self._offered:
            self._offered[query_id] = replace(self._offered[query_id], offers=offers)

    def get(self, query_id: int, user_id: int) -> Offered | None:
        """What this person was offered."""
        offered = self._offered.get(query_id)
        return offered if offered is not None and offered.user_id == user_id else None
