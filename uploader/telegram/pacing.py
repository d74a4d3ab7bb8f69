"""Every outgoing message of an account passes here: per chat, per account, and edits give way.

The figures are Telegram's advice for bots, with headroom: about one message a second in a chat, 30 a second
in all. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from typing import Final

from cachetools import LRUCache
from pyrate_limiter import GCRA, InMemoryStateStore, Limiter, Rate, SingleBucketFactory, StateBucket

from uploader.errors import FloodWait

ACCOUNT_PER_S: Final = 25
#: A link earns three messages (accepted, the file, done): two links in a row do not wait for each other.
CHAT_BURST: Final = 6
EDITS_PER_S: Final = 8
#: Chats whose pace is remembered; a chat that falls out was silent for long.
CHATS: Final = 10_000
#: A message that has not left by then is given up: the engine is far over its account's limit.
WAIT_S: Final = 30.0


class Pacer:
    """The pace of one account."""

    def __init__(self) -> None:
        self._account = _limiter(ACCOUNT_PER_S, burst=ACCOUNT_PER_S)
        self._edits = _limiter(EDITS_PER_S, burst=EDITS_PER_S)
        self._chats: LRUCache[int, Limiter] = LRUCache(CHATS)

    async def message(self, chat_id: int) -> None:
        """Wait for the turn of a message to `chat_id`.

        Raises:
            FloodWait: no turn within WAIT_S.
        """
        chat = self._chat(chat_id)
        if not (
            await chat.try_acquire_async(timeout=WAIT_S)
            and await self._account.try_acquire_async(timeout=WAIT_S)
        ):
            raise FloodWait(WAIT_S)

    async def edit(self, chat_id: int) -> bool:
        """Whether an edit that may be skipped can go out now; never waits."""
        return bool(
            await self._edits.try_acquire_async(blocking=False)
            and await self._chat(chat_id).try_acquire_async(blocking=False)
            and await self._account.try_acquire_async(blocking=False)
        )

    def _chat(self, chat_id: int) -> Limiter:
        return self._chats.setdefault(chat_id, _limiter(1, burst=CHAT_BURST))


def _limiter(per_s: int, burst: int) -> Limiter:
    rate = Rate(per_s, 1000, burst=burst)
    bucket = StateBucket([rate], algorithm=GCRA(), store=InMemoryStateStore())
    # without schedule_leak=False each limiter starts a thread
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=5)
