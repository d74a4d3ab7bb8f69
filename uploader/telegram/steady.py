"""Telethon's client where it must hold: with Telegram's time, and a state of updates that were acted on."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from telethon import TelegramClient
from telethon.crypto import AES
from telethon.network.mtprotosender import MTProtoSender
from telethon.network.mtprotostate import MTProtoState
from telethon.tl.types import updates

from uploader.clock import Clock
from uploader.errors import TelegramError
from uploader.telegram.refusals import translated


class _State(MTProtoState):
    """Numbers messages by `clock`, and judges by it those that come.

    Telethon adds a fixed offset to the machine's clock. When somebody sets that, all that Telegram says is
    taken for a replay and passed over, and nobody learns why: a machine that is 31 s late is deaf already.
    """

    clock: Clock

    @property
    def time_offset(self) -> float:
        return self.clock.now() - time.time()

    @time_offset.setter
    def time_offset(self, offset_s: float) -> None:
        """Telegram has refused a message for its time, and said its own."""
        self.clock.set(time.time() + offset_s)

    def decrypt_message_data(self, body: bytes) -> Any:
        """Open a message; None: it came before.

        What is sealed for this session and was numbered after all before it is no replay, whatever our clock
        says: https://core.telegram.org/mtproto/security_guidelines#checking-msg-id
        """
        newest = self._highest_remote_id
        message = super().decrypt_message_data(body)
        if message is None and (number := self._number_of(body)) > newest:
            self.clock.set(number / 2**32)
            message = super().decrypt_message_data(body)
        elif message is not None and not newest:
            self.clock.set(message.msg_id / 2**32)
        elif message is not None:
            self.clock.advance(message.msg_id / 2**32)
        return message

    def _number_of(self, body: bytes) -> int:
        """The number of a message whose seal was found good: its first bytes are salt, session and number."""
        key, vector = self._calc_key(self.auth_key.key, body[8:24], False)
        return int.from_bytes(AES.decrypt_ige(body[24:56], key, vector)[16:24], "little")


class _Sender(MTProtoSender):
    """A connection that keeps Telegram's time. Telethon makes its own in places that take no other class."""

    @classmethod
    def of(cls, sender: Any, clock: Clock) -> "_Sender":
        """Let one of Telethon's be one of these."""
        sender.__class__ = cls
        sender.keep_time(clock)
        steadied: _Sender = sender
        return steadied

    def keep_time(self, clock: Clock) -> None:
        """Go by `clock`."""
        self._state.__class__ = _State
        self._state.clock = clock

    def renew(self) -> None:
        """Connect anew, if it is connected at all; what waits for an answer is sent again."""
        if self._transport_connected():
            self._start_reconnect(None)


class SteadyClient(TelegramClient):
    """A client that goes by `clock`. Where it hears updates, it keeps up to where they were acted on.

    Telethon itself notes each minute what has come, acted on or not: what a crash or a stop cuts short would
    never be told again.
    """

    def __init__(self, session: Any, *arguments: Any, clock: Clock, **options: Any) -> None:
        super().__init__(session, *arguments, **options)
        self._clock = clock
        self._sender: _Sender = _Sender.of(self._sender, clock)
        self._acted_on: tuple[updates.State, dict[int, int]] | None = None

    @classmethod
    def of_one_account(cls, *arguments: Any, **options: Any) -> "SteadyClient":
        """A client of a class of its own: Telethon keeps the data centres' addresses for all of a class."""
        client: SteadyClient = type(cls.__name__, (cls,), {"_config": None})(*arguments, **options)
        return client

    def renew(self) -> None:
        """Connect anew: the data centre is silent."""
        self._sender.renew()

    async def until_ended(self) -> None:
        """Wait for the end of the connection that Telethon does not repair.

        Raises:
            LoggedOut: the login was ended.
            TelegramError: another cause.
        """
        async with translated():
            await self.disconnected
            if self._updates_error is not None:
                raise self._updates_error
        raise TelegramError("the connection was given up")

    async def look_at_updates(self, settled: Callable[[], bool]) -> None:
        """Note how far the updates were acted on. `settled` says whether none waits for its turn."""
        if not settled():
            return
        account, channels = self._message_box.session_state()
        handlers = set(self._event_handler_tasks)
        if handlers:
            await asyncio.wait(handlers)
        if account["pts"] and settled() and not any(handler.cancelled() for handler in handlers):
            self._acted_on = updates.State(**account, unread_count=0), channels

    async def _save_states_and_entities(self) -> None:
        if self._acted_on is None:
            return
        state, channels = self._acted_on
        self.session.set_update_state(0, state)
        for channel_id, pts in channels.items():
            self.session.set_update_state(channel_id, updates.State(pts, 0, state.date, 0, unread_count=0))

    async def _handle_auto_reconnect(self) -> None:
        """Ask for what was missed: else the next update would be the first to show that there is a gap."""
        await super()._handle_auto_reconnect()
        await self.catch_up()

    async def _create_exported_sender(self, dc_id: int) -> Any:
        return _Sender.of(await super()._create_exported_sender(dc_id), self._clock)
