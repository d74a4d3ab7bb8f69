"""How a call to Telegram is made: in its turn, with a deadline, and its failures told in Peyk's words."""

import asyncio
import secrets
from typing import Any, Final

from telethon import TelegramClient, errors
from telethon.tl.functions import PingRequest

from uploader.errors import FloodWait, MessageGone, NoAnswer
from uploader.telegram.pacing import Pacer
from uploader.telegram.refusals import translated
from uploader.telegram.turns import Urgency

#: An answer takes well under a second; a call without one by then is repeated or given up by its caller.
ANSWER_S: Final = 30.0
#: How often a call is made that Telegram itself stumbles over (5xx), and how long after.
TRIES: Final = 3
STUMBLE_S: Final = 1.0


class Calls:
    """The calls of one account.

    All raise FloodWait, ChatUnreachable, ChannelUnusable, TransferError, NoAnswer or another TelegramError,
    and those of Telethon's errors that `refusals.translated` leaves to the caller.
    """

    def __init__(self, client: TelegramClient, pacer: Pacer) -> None:
        self._client = client
        self._pacer = pacer

    async def call(self, request: Any, about: int = 0) -> Any:
        """Make a call that sends nothing. A FLOOD_WAIT keeps back its method, for what it is `about`."""
        question = (type(request).__name__, about)
        self._pacer.check(question)
        try:
            return await self._answer(request, ANSWER_S)
        except FloodWait as flood:
            self._pacer.close(question, flood.wait_s)
            raise

    async def send(self, chat_id: int, request: Any, urgency: Urgency, answer_s: float = ANSWER_S) -> Any:
        """Put something into a chat when it is its turn. A short FLOOD_WAIT is waited out, once."""
        try:
            return await self._send(chat_id, request, urgency, answer_s)
        except FloodWait:
            return await self._send(chat_id, request, urgency, answer_s)

    async def post(self, chat_id: int, request: Any, urgency: Urgency, answer_s: float = ANSWER_S) -> Any:
        """Send a message. It is sent again if no answer comes, and comes once: its `random_id` sees to that.

        What answers a message that is gone is sent as if it answered none.
        """
        try:
            return await self._send_twice(chat_id, request, urgency, answer_s)
        except MessageGone:
            if request.reply_to is None:
                raise
        request.reply_to = None
        return await self._send_twice(chat_id, request, urgency, answer_s)

    async def send_if_idle(self, chat_id: int, request: Any) -> Any | None:
        """Put something into a chat unless others want to send; None: it was left."""
        async with self._pacer.edit(chat_id) as going:
            return await self._in_chat(chat_id, request, ANSWER_S) if going else None

    async def _send_twice(self, chat_id: int, request: Any, urgency: Urgency, answer_s: float) -> Any:
        try:
            return await self.send(chat_id, request, urgency, answer_s)
        except NoAnswer:
            return await self.send(chat_id, request, urgency, answer_s)

    async def _send(self, chat_id: int, request: Any, urgency: Urgency, answer_s: float) -> Any:
        async with self._pacer.message(chat_id, urgency):
            return await self._in_chat(chat_id, request, answer_s)

    async def _in_chat(self, chat_id: int, request: Any, answer_s: float) -> Any:
        try:
            return await self._answer(request, answer_s)
        except FloodWait as flood:
            self._pacer.park(chat_id, flood.wait_s)
            raise

    async def _answer(self, request: Any, answer_s: float) -> Any:
        async with translated(), asyncio.timeout(answer_s):
            for _ in range(TRIES - 1):
                try:
                    return await self._once(request)
                except errors.RandomIdDuplicateError:  # an answer, though it counts as Telegram's own error
                    raise
                except (errors.ServerError, errors.TimedOutError):
                    await asyncio.sleep(STUMBLE_S)
            return await self._once(request)

    async def _once(self, request: Any) -> Any:
        """Make a call and have its error as it is.

        After a FLOOD_WAIT to a single call Telethon fails that method in all chats, without asking, until the
        wait is over; calls that are made together it leaves alone. So each goes with a ping.
        """
        try:
            result, _pong = await self._client([request, PingRequest(secrets.randbits(63))])
        except errors.MultiError as several:
            if several.exceptions[0] is not None:
                raise several.exceptions[0] from None
            result = several.results[0]
        return result
