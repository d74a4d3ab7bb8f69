"""`GET /health`: may this engine be sent work?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from uploader.errors import StorageUnavailable
from uploader.snapshot import Snapshot, TelegramRow

#: An engine that cannot say how it is within this time is not well.
DEADLINE_S: Final = 5.0


Checks = dict[str, dict[str, bool | float]]


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
        checks = _checks(seen.telegram)
        if seen.stopping:
            return _unwell("stopping", checks)
        if seen.troubles:
            return _unwell("; ".join(seen.troubles), checks)
        return web.json_response(
            {
                "ok": True,
                "checks": checks,
                "bot_username": seen.bot_username,
                "maintenance": seen.maintenance,
                "uptime_s": round(seen.at - seen.started_at, 1),
            }
        )


def _unwell(why: str, checks: Checks | None = None) -> web.Response:
    return web.json_response({"ok": False, "error": why, "checks": checks or {}}, status=503)


def _checks(telegram: TelegramRow) -> Checks:
    """What was looked at. A machine's clock that is wrong is a fault, and keeps nobody from being served."""
    return {
        "telegram": {"ok": not telegram.silent_s, "silent_s": round(telegram.silent_s, 1)},
        "clock": {"ok": not telegram.machine_ahead_s, "ahead_s": round(telegram.machine_ahead_s, 1)},
    }
