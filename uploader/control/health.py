"""`GET /health`: may this engine be sent work?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from uploader.errors import StorageUnavailable
from uploader.snapshot import Snapshot

#: An engine that cannot say how it is within this time is not well.
DEADLINE_S: Final = 5.0


class Health:
    """200 `{"ok": true, ...}` while the engine serves, 503 `{"ok": false, "error": ...}` otherwise."""

    def __init__(self, snapshot: Callable[[], Awaitable[Snapshot]]) -> None:
        self._snapshot = snapshot

    async def answer(self, _request: web.Request) -> web.Response:
        """Answer from a fresh snapshot, which needs the database: one that hangs is found out here."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                seen = await self._snapshot()
        except TimeoutError:
            return _unwell(f"no snapshot within {DEADLINE_S:g} s")
        except StorageUnavailable as trouble:
            return _unwell(f"the database does not answer: {trouble}")
        if seen.stopping:
            return _unwell("stopping")
        if seen.troubles:
            return _unwell("; ".join(seen.troubles))
        return web.json_response(
            {
                "ok": True,
                "bot_username": seen.bot_username,
                "maintenance": seen.maintenance,
                "uptime_s": round(seen.at - seen.started_at, 1),
            }
        )


def _unwell(why: str) -> web.Response:
    return web.json_response({"ok": False, "error": why}, status=503)
