"""What Telegram tells of channels: who came, who left, and what they are called."""

from typing import Any, Final

import structlog
from cachetools import LRUCache
from telethon import TelegramClient, events
from telethon.events.common import EventBuilder, EventCommon
from telethon.tl import types

from uploader.chat.receiver import Receiver
from uploader.chat.sponsor_cards import SponsorCards
from uploader.errors import FloodWait, NoAnswer, TelegramError
from uploader.sponsors import Move, SponsorLocks
from uploader.storage.settings import Settings
from uploader.telegram.gateway import channel_of, is_inside
from uploader.telegram.missed import Missed

#: Moves that are known to be seen to, by their numbers, when Telegram tells them again.
SEEN_TO: Final = 10_000

_log = structlog.get_logger(__name__)


class Channels:
    """Hears of the channels in which the bot is an admin; only those of sponsors matter."""

    def __init__(
        self, locks: SponsorLocks, cards: SponsorCards, missed: Missed, settings: Settings, bot_id: int
    ) -> None:
        self._locks = locks
        self._cards = cards
        self._missed = missed
        self._settings = settings
        self._place = f"moves-{bot_id}"  # where in the database it says which were seen to
        self._seen_to: LRUCache[int, None] = LRUCache(SEEN_TO)

    def attach(self, client: TelegramClient, receiver: Receiver) -> None:
        """Hear people come and go. That somebody left, every engine hears, whichever acts on it."""
        moves = events.Raw(types.UpdateChannelParticipant)
        client.add_event_handler(self._on_move_of_any, moves)
        client.add_event_handler(receiver.guarded(self._on_move), moves)
        client.add_event_handler(receiver.guarded(self._on_change), _Change())

    async def _on_move_of_any(self, update: Any) -> None:
        self._locks.hear(_move(update))

    async def catch_up(self) -> None:
        """See to moves that were told while no engine ran, or in vain."""
        kept = await self._settings.get(self._place)
        try:
            moves, qts = await self._missed.moves(kept if isinstance(kept, int) else None)
        except (FloodWait, NoAnswer):
            raise
        except TelegramError as error:
            _log.warning("moves are followed from now on", kept=kept, cause=str(error))
            moves, qts = await self._missed.moves(None)
        for update in moves:
            if update.qts not in self._seen_to:
                await self._on_move(update)
        if qts != kept:
            await self._settings.set(self._place, qts)

    async def _on_move(self, update: Any) -> None:
        self._seen_to[update.qts] = None
        if await self._locks.moved(_move(update)):
            await self._cards.looked(await self._locks.look(update.user_id))

    async def _on_change(self, event: Any) -> None:
        channel = channel_of(event.chat)
        if channel is not None:
            await self._locks.named(channel)


class _Change(EventBuilder):  # type: ignore[misc] # Telethon has no types
    """Something about a channel, with what came beside it: the channel, as it now is called."""

    @classmethod
    def build(cls, update: Any, others: Any = None, self_id: int | None = None) -> Any:
        if isinstance(update, types.UpdateChannelParticipant | types.UpdateChannel):
            return cls.Event(types.PeerChannel(update.channel_id))
        return None

    class Event(EventCommon):  # type: ignore[misc] # as above
        """The news; `chat` is the channel."""


def _move(update: Any) -> Move:
    before = update.prev_participant
    since = getattr(before, "date", None) if is_inside(before) else None
    return Move(
        channel_id=update.channel_id,
        user_id=update.user_id,
        inside=is_inside(update.new_participant),
        at=update.date.timestamp(),
        since=since and since.timestamp(),
    )
