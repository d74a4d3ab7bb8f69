"""`GET /api/events`: the snapshot, again whenever it changed, as server-sent events.

Each subscriber looks for itself and sends what is newest, so a slow one skips pictures instead of
queueing them. One look serves all subscribers of the same moment.
Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from uploader.control import routes
from uploader.errors import StorageUnavailable
from uploader.snapshot import Snapshot

SUBSCRIBERS: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The pace of a stream."""

    interval_s: float = 0.5  # between two looks: at most two events a second
    comment_s: float = 10.0  # of silence, then a comment line tells the client that the engine lives
    write_s: float = 5.0  # a client that reads nothing for this long is dropped


class Events:
    """The event stream: its `answer` serves one subscriber, its `close` ends all."""

    def __init__(self, snapshot: Callable[[], Awaitable[Snapshot]], timing: Timing) -> None:
        self._look = _SharedLook(snapshot, timing.interval_s / 2)
        self._timing = timing
        self._closing = asyncio.Event()
        self._subscribers = 0

    async def close(self, _application: web.Application) -> None:
        """End every stream."""
        self._closing.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve one subscriber until it goes, falls behind, or the engine stops."""
        if self._subscribers >= SUBSCRIBERS:
            return routes.error(503, f"{SUBSCRIBERS} clients are watching already")
        self._subscribers += 1
        try:
            return await self._stream(request)
        finally:
            self._subscribers -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        await self._look.take()  # refused as JSON while there is nothing to show
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        try:
            await response.prepare(request)
            await self._follow(request, response)
        except StorageUnavailable:
            return response  # the client comes again, and is told why there is nothing
        except ConnectionError:
            return response  # the client went while we wrote
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()  # what it has not read would keep the connection open
        return response

    async def _follow(self, request: web.Request, response: web.StreamResponse) -> None:
        clock = asyncio.get_running_loop().time
        shown: Snapshot | None = None
        written_at = clock()
        while not self._closing.is_set() and _connected(request):
            seen = await self._look.take()
            data = b""
            if shown is None or not _same(seen, shown):
                data = f"event: snapshot\ndata: {seen.model_dump_json()}\n\n".encode()
            elif clock() - written_at >= self._timing.comment_s:
                data = b": still here\n\n"
            if data:
                async with asyncio.timeout(self._timing.write_s):
                    await response.write(data)
                shown, written_at = seen, clock()
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._timing.interval_s):
                await self._closing.wait()
        except TimeoutError:
            return


class _SharedLook:
    """The newest snapshot, taken anew only when it is older than `fresh_s`, however many ask."""

    def __init__(self, snapshot: Callable[[], Awaitable[Snapshot]], fresh_s: float) -> None:
        self._snapshot = snapshot
        self._fresh_s = fresh_s
        self._turn = asyncio.Lock()
        self._seen: Snapshot | None = None
        self._seen_at = 0.0

    async def take(self) -> Snapshot:
        clock = asyncio.get_running_loop().time
        async with self._turn:
            if self._seen is None or clock() - self._seen_at >= self._fresh_s:
                self._seen = await self._snapshot()
                self._seen_at = clock()
            return self._seen


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _same(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing but the moment differs: the clock alone is no news."""
    return one.model_copy(update={"at": other.at}) == other
