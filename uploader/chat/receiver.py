"""Of all engines of a bot exactly one acts on its updates: the one that holds the lease in the database.

Telegram tells every login of a bot of everything. The engines that do not hold the lease remember what they
heard of late; whoever takes the lease over does what the one before it left undone.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from uploader import limits
from uploader.errors import StorageUnavailable
from uploader.storage.leases import Leases
from uploader.supervision import FaultBarrier, Helpers, every

#: What is remembered while another engine acts: more than comes in while its lease ends.
MISSED: Final = 2000

_log = structlog.get_logger(__name__)

Handler = Callable[[Any], Awaitable[None]]


class Receiver:
    """Passes updates on while the lease on the bot is ours."""

    def __init__(
        self, leases: Leases, bot_id: int, *, name: str, now: Callable[[], float] = time.time
    ) -> None:
        """`name` is this engine's own: what says to others that it runs. `now` gives epoch seconds."""
        self._leases = leases
        self._now = now
        self._lease = f"receiver-{bot_id}"
        self._presence = f"engine-{name}"
        self._mine_until = 0.0
        self._is_alone = False  # by our last look
        self._missed: deque[tuple[float, Handler, Any]] = deque(maxlen=MISSED)
        self._catching_up = 0

    @property
    def is_mine(self) -> bool:
        """Whether no other engine can hold the lease now."""
        return time.monotonic() < self._mine_until

    def settled(self) -> bool:
        """Whether all that was heard was passed on, or is being."""
        return self.is_mine and not self._missed and not self._catching_up

    async def away_s(self) -> float:
        """For how long no engine has acted on the updates of this bot."""
        return await self._leases.idle_s(self._lease)

    def guarded(self, handler: Handler, put_off: Handler | None = None) -> Handler:
        """Return a handler that acts only while the lease is ours.

        `put_off` is told of what waits because the database does not let us renew it, while no other engine
        is there to take it: it may say so.
        """
        barrier = FaultBarrier("an update")
        unfailing, unfailing_put_off = barrier.around(handler), put_off and barrier.around(put_off)

        async def handle(event: Any) -> None:
            if self.is_mine:
                await unfailing(event)
                return
            self._missed.append((self._sent_at(event), unfailing, event))
            if self._is_alone and unfailing_put_off is not None:
                await unfailing_put_off(event)

        return handle

    async def run(self) -> None:
        """Take the lease when nobody holds it, and hold it; cancelled, give it back."""
        try:
            async with Helpers() as helpers:
                await every(limits.HEARTBEAT_S, "lease on the updates", lambda: self._hold(helpers))
        finally:
            self._mine_until = 0.0
            await self._give_back()

    async def _give_back(self) -> None:
        try:
            async with asyncio.timeout(limits.LAST_WRITE_S):
                await self._leases.give_back(self._lease)
                await self._leases.give_back(self._presence)
        except (StorageUnavailable, TimeoutError):
            _log.warning("the lease on the updates was not given back: it ends by itself")

    async def _hold(self, helpers: Helpers) -> None:
        since = await self._look()
        if since is not None:
            helpers.start(self._catch_up(since))
        engines = [name for name in await self._leases.alive() if name.startswith("engine-")]
        self._is_alone = engines == [self._presence]

    async def _look(self) -> float | None:
        """Take or renew the lease; returns since when updates were missed, if it was not ours before."""
        asked_at, was_mine = time.monotonic(), self.is_mine
        await self._leases.take(self._presence)
        idle_s = await self._leases.take(self._lease)
        # counted from before the question: by the database's clock it ends no earlier
        self._mine_until = 0.0 if idle_s is None else asked_at + limits.LEASE_S
        if idle_s is None or was_mine:
            return None
        _log.info("hearing the updates", idle_s=round(idle_s, 1))
        await self._leases.prune()
        return self._now() - idle_s if idle_s else 0.0

    async def _catch_up(self, since: float) -> None:
        """Do what came in after the last holder was heard of."""
        self._catching_up += 1
        while self._missed and self.is_mine:
            at, handler, event = self._missed.popleft()
            if at < since:
                continue
            await handler(event)
        self._catching_up -= 1

    def _sent_at(self, event: Any) -> float:
        """When what an event tells of was done; a gap in the updates can make the event come much later.

        Telegram cuts the dates of messages to whole seconds: the end of that second.
        """
        message = getattr(event, "message", None)
        sent = getattr(message, "edit_date", None) or getattr(message, "date", None)
        return self._now() if sent is None else float(sent.timestamp()) + 1.0
