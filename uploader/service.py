"""What a built engine does while it runs, and the order in which its parts stop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from telethon import TelegramClient

from uploader import limits
from uploader.chat.alerts import Alerts
from uploader.chat.batch_cards import BatchCards
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.chat.menu import Menu
from uploader.chat.progress import StatusMessages
from uploader.chat.receiver import Receiver
from uploader.chat.user import UserChat
from uploader.errors import PeykError, TelegramError
from uploader.intake import WATCH_S, Intake
from uploader.sources import Sources
from uploader.storage.deadlines import Deadlines
from uploader.storage.files import Files
from uploader.worker import Worker

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The running parts that the main loop looks after."""

    client: TelegramClient
    menu: Menu
    deadlines: Deadlines
    files: Files
    intake: Intake
    user: UserChat
    receiver: Receiver
    status: StatusMessages
    cards: BatchCards
    sources: Sources
    cookie_admin: CookieAdminChat
    alerts: Alerts
    worker: Worker


async def run(engine: Engine, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, and then until the running transfers have ended or reached the deadline.

    Raises TelegramError when the login ends.
    """
    await engine.menu.offer()
    away_s = await engine.receiver.away_s()
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(_tell_of_absence(engine, away_s), name="absence"),
            tasks.create_task(engine.status.run(), name="status messages"),
            tasks.create_task(engine.cards.run(), name="cards of batches"),
            tasks.create_task(engine.receiver.run(), name="receiver"),
            tasks.create_task(_watch(engine), name="safety net"),
            tasks.create_task(_until_disconnected(engine.client), name="connection"),
        ]
        working = tasks.create_task(engine.worker.run(stop), name="worker")
        await stop.wait()
        engine.intake.closed = True
        engine.worker.nudge()
        await asyncio.wait([working], timeout=limits.STOP_DEADLINE_S)
        for task in (working, *background):
            task.cancel()


async def _tell_of_absence(engine: Engine, away_s: float) -> None:
    if away_s < limits.AWAY_S:
        return
    try:
        await engine.user.back(away_s)
    except PeykError as error:
        _log.warning("people not told of the absence", cause=str(error))


async def _watch(engine: Engine) -> None:
    """The safety net for sponsor locks: joins that no update told of, and people who never joined."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            await engine.user.admitted(await engine.intake.watch())
            await engine.user.expired(await engine.deadlines.expire())
            await engine.cards.look()
            await engine.status.ask_again()
            await engine.deadlines.prune()
            await engine.files.prune()
            await engine.sources.tidy()
            await engine.cookie_admin.watch()
            if (left := engine.sources.left_version()) is not None:
                await engine.alerts.media_fell_back(*left)
        except PeykError as error:
            _log.warning("safety net failed this time", cause=str(error))


async def _until_disconnected(client: Any) -> None:
    await client.disconnected
    raise TelegramError("the session ended: the login was revoked, or is used elsewhere")


@contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`; the second one ends the process at once, as if we did not listen."""
    loop = asyncio.get_running_loop()

    def first(number: int) -> None:
        _log.info("stopping; send the signal again to stop at once", signal=signal.Signals(number).name)
        stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, first, number)
    yield
