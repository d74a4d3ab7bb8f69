"""Whether Telegram answers: asked again and again, for a login can end, and a line die, without a word."""

import asyncio
import time
from collections.abc import Callable

import structlog
from telethon.tl.functions.updates import GetStateRequest

from uploader import limits
from uploader.clock import ASTRAY_S, Clock
from uploader.errors import LoggedOut, NoAnswer, TelegramError
from uploader.snapshot import TelegramRow
from uploader.telegram.refusals import translated
from uploader.telegram.steady import SteadyClient

_log = structlog.get_logger(__name__)


class Pulse:
    """Asks for the state of the updates, which says as well that they are still wanted."""

    def __init__(
        self, client: SteadyClient, clock: Clock, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._steady = steady
        self._answered_at = steady()
        self._asked_at: float | None = None
        self._told = TelegramRow()

    def seen(self) -> TelegramRow:
        """How it is now: what is nothing out of the way is 0."""
        silent_s, ahead_s = self._steady() - self._answered_at, self._clock.machine_ahead_s
        return TelegramRow(
            silent_s=silent_s if silent_s > limits.TELEGRAM_AWAY_S else 0.0,
            machine_ahead_s=ahead_s if abs(ahead_s) > ASTRAY_S else 0.0,
        )

    def trouble(self) -> str | None:
        """That Telegram does not answer, as a sentence; None: it does."""
        silent_s = self.seen().silent_s
        return f"Telegram has not answered for {silent_s:.0f} s" if silent_s else None

    async def run(self) -> None:
        """Ask until cancelled.

        Raises:
            LoggedOut: the login was ended.
            TelegramError: Telethon has given the connection up.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._client.until_ended())
            tasks.create_task(self._ask())
            while True:
                await asyncio.sleep(limits.TELEGRAM_ASKED_S)
                self._tell()
                if self._asked_at is not None and self._steady() - self._asked_at > limits.TELEGRAM_SILENT_S:
                    # the question stays the same one: the new connection repeats what waits for an answer
                    self._asked_at = self._steady()
                    self._client.renew()

    async def _ask(self) -> None:
        while True:
            self._asked_at = self._steady()
            try:
                async with translated():
                    await self._client(GetStateRequest())
            except LoggedOut:
                raise
            except NoAnswer as error:
                _log.info("Telegram did not answer", cause=str(error))
            except TelegramError:  # a FLOOD_WAIT, say: it answers
                self._answered_at = self._steady()
            else:
                self._answered_at = self._steady()
            self._asked_at = None
            await asyncio.sleep(limits.TELEGRAM_ASKED_S)

    def _tell(self) -> None:
        """Log what has changed."""
        seen, told = self.seen(), self._told
        if seen.silent_s and not told.silent_s:
            _log.error("Telegram does not answer; it is asked on", silent_s=round(seen.silent_s))
        elif told.silent_s and not seen.silent_s:
            _log.info("Telegram answers again")
        if seen.machine_ahead_s and not told.machine_ahead_s:
            _log.warning(
                "the machine's clock is wrong: set it, by NTP say; Peyk goes by Telegram's",
                ahead_s=round(seen.machine_ahead_s, 1),
            )
        elif told.machine_ahead_s and not seen.machine_ahead_s:
            _log.info("the machine's clock is right again")
        self._told = seen
