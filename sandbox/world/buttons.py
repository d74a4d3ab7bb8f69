"""Buttons that were pressed and wait for the bot's answer."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from sandbox.world.accounts import Account

#: How long a press waits for the bot. Telegram's own bound is not documented; about ten seconds were seen.
ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the bot says to the person who pressed."""

    message: str | None = None
    alert: bool = False
    url: str | None = None
    cache_s: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """One press that waits."""

    bot_id: int
    answer: "asyncio.Future[CallbackAnswer | None]"


class Buttons:
    """All presses that wait, by query id. A press without an answer ends after ANSWER_S."""

    def __init__(self) -> None:
        self._waiting: dict[int, Press] = {}

    def press(self, bot: Account) -> tuple[int, "asyncio.Future[CallbackAnswer | None]"]:
        """A new query id, and what the bot will answer to it; None: it did not."""
        loop = asyncio.get_running_loop()
        query_id = secrets.randbits(63)
        press = Press(bot.id, loop.create_future())
        self._waiting[query_id] = press
        loop.call_later(ANSWER_S, self._end, query_id, None)
        return query_id, press.answer

    def answer(self, bot: Account, query_id: int, answer: CallbackAnswer) -> bool:
        """Answer a press. False: there is none of this id, or not of this bot, or it was too late."""
        press = self._waiting.get(query_id)
        if press is None or press.bot_id != bot.id:
            return False
        self._end(query_id, answer)
        return True

    def _end(self, query_id: int, answer: CallbackAnswer | None) -> None:
        press = self._waiting.pop(query_id, None)
        if press is not None and not press.answer.done():
            press.answer.set_result(answer)
