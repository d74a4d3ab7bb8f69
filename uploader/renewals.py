"""How engines follow each other in one process, and how a start is given up."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from uploader import limits
from uploader.errors import FloodWait, LoggedOut, TelegramError
from uploader.supervision import Helpers

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Renewals:
    """Counts engines whose login or connection Telegram ended, and says when the next may follow."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._ends: deque[tuple[float, bool]] = deque()  # when, and whether the login ended

    async def wait(self, cause: TelegramError, stop: asyncio.Event) -> None:
        """Wait before the next engine is built, or until `stop` is set.

        Raises TelegramError when logins end again and again: that ends only when somebody sees to it.
        """
        now = self._steady()
        while self._ends and self._ends[0][0] < now - limits.RENEWALS_WINDOW_S:
            self._ends.popleft()
        wait_s = min(limits.RENEWAL_LONGEST_S, 2.0 ** len(self._ends))
        if isinstance(cause, FloodWait):
            wait_s = cause.wait_s
        else:
            self._ends.append((now, isinstance(cause, LoggedOut)))
        if sum(was_login for _, was_login in self._ends) > limits.RENEWALS:
            raise TelegramError(
                f"the bot's login ends again and again ({cause}): end other programs that use its token, or "
                "take a new one from @BotFather"
            )
        _log.warning("Telegram ended the connection; another follows", cause=str(cause), wait_s=wait_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await stop.wait()


async def unless_stopped(
    stop: asyncio.Event, work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]
) -> T | None:
    """Do `work`, or give it up when `stop` is set before it set the event that it is given; then None."""
    began = asyncio.Event()

    async with Helpers() as helpers:
        working = helpers.start(work(began), name="engine")
        waits = [helpers.start(event.wait()) for event in (stop, began)]
        await asyncio.wait((working, *waits), return_when=asyncio.FIRST_COMPLETED)
        while not (began.is_set() or working.done()):
            # again and again: on Python 3.11 `wait_for`, which libraries use, may lose a cancel
            working.cancel()
            await asyncio.wait((working,), timeout=limits.GIVE_UP_S)
        await asyncio.wait((working,))
    return None if working.cancelled() else working.result()
