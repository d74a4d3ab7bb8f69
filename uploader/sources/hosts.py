"""How politely hosts are asked: so many connections over all jobs, and pauses when they ask for them.

Each job has its turn: who waits for a first connection gets the next one that is free, and jobs with several
have no more than their share as soon as others want some. What a host was found to like is remembered for a
while.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from cachetools import LRUCache, TTLCache

from uploader.errors import NotYet, Reason

CONNECTIONS: Final = 8
#: Hosts of which is remembered how many connections are best, and which asked for a pause; and how long.
_REMEMBERED: Final = 1000
_REMEMBERED_S: Final = 600.0


@dataclass(slots=True)
class _Host:
    turns: asyncio.Semaphore
    owners: Counter[object] = field(default_factory=Counter)  # connections that each has or waits for


@dataclass(slots=True)
class _Pause:
    next_at: float  # no request before
    until: float  # requests go one by one


class Hosts:
    """The hosts that are asked now, and of late. A host is named by `Link.site`."""

    def __init__(
        self,
        connections: int = CONNECTIONS,
        *,
        wait_s: float = 30.0,
        pause_s: float = 0.5,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """At most `connections` to one host at once. Nobody waits for one for longer than `wait_s`.

        After a host said that it is busy, requests go with `pause_s` between them.
        """
        self._connections = connections
        self._wait_s = wait_s
        self._pause_s = pause_s
        self._clock = clock
        self._hosts: dict[str, _Host] = {}  # only those that are asked now
        self._lanes: TTLCache[str, int] = TTLCache(_REMEMBERED, _REMEMBERED_S, timer=clock)
        self._pauses: LRUCache[str, _Pause] = LRUCache(_REMEMBERED)

    async def enter(self, site: str, owner: object) -> None:
        """Wait for a connection to `site`; `leave` gives it back.

        Raises:
            NotYet: SITE_BUSY: the host wants to be left alone for longer, or no connection became free.
        """
        host = self._hosts.setdefault(site, _Host(asyncio.Semaphore(self._connections)))
        host.owners[owner] += 1
        try:
            await self._paused(site)
            try:
                async with asyncio.timeout(self._wait_s):
                    await host.turns.acquire()
            except TimeoutError:
                raise NotYet(
                    Reason.SITE_BUSY, f"{site}: all connections are taken", wait_s=self._wait_s
                ) from None
        except BaseException:
            self._forget(site, owner)
            raise

    def leave(self, site: str, owner: object) -> None:
        """A connection to `site` is not used any more."""
        self._hosts[site].turns.release()
        self._forget(site, owner)

    def share(self, site: str, owner: object) -> int:
        """How many connections `owner` may use now: its part of those that are left, at least one."""
        host = self._hosts.get(site)
        others = [] if host is None else [count for each, count in host.owners.items() if each is not owner]
        return max(1, min(self._connections // (len(others) + 1), self._connections - sum(others)))

    def said_busy(self, site: str, wait_s: float) -> None:
        """`site` wants no request for `wait_s`."""
        now = self._clock()
        next_at = now + max(wait_s, self._pause_s)
        self._pauses[site] = _Pause(next_at, next_at + _REMEMBERED_S)

    def lanes(self, site: str) -> int | None:
        """The number of connections that was best for a file of `site`; None: not known."""
        return self._lanes.get(site)

    def remember(self, site: str, lanes: int) -> None:
        """So many connections were best for a file of `site`."""
        self._lanes[site] = lanes

    async def _paused(self, site: str) -> None:
        """Wait for a turn to ask a host that was busy."""
        now, pause = self._clock(), self._pauses.get(site)
        if pause is None or now >= pause.until:
            return
        wait_s = pause.next_at - now
        if wait_s > self._wait_s:
            raise NotYet(Reason.SITE_BUSY, f"{site}: asked to wait", wait_s=wait_s)
        pause.next_at = max(now, pause.next_at) + self._pause_s
        await asyncio.sleep(wait_s)

    def _forget(self, site: str, owner: object) -> None:
        host = self._hosts[site]
        host.owners[owner] -= 1
        if not host.owners[owner]:
            del host.owners[owner]
        if not host.owners:
            del self._hosts[site]
