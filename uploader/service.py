"""What a built engine does while it runs, and the order in which its parts stop."""

import asyncio
import gc
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from uploader import __version__, limits
from uploader.chat.albums import AlbumCards
from uploader.chat.alerts import Alerts
from uploader.chat.batch_cards import BatchCards
from uploader.chat.channels import Channels
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.chat.last_words import LastWords
from uploader.chat.line import Line
from uploader.chat.menu import Menu
from uploader.chat.progress import StatusMessages
from uploader.chat.receiver import Receiver
from uploader.chat.sponsor_admin import SponsorAdminChat
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.user import UserChat
from uploader.errors import FloodWait, LoggedOut, TelegramError
from uploader.intake import Intake
from uploader.limits import WATCH_S
from uploader.renewals import Renewals, unless_stopped
from uploader.sources import Sources
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.files import Files
from uploader.supervision import FaultBarrier, Helpers, every
from uploader.telegram.pulse import Pulse
from uploader.telegram.steady import SteadyClient
from uploader.transfer.failures import first_error
from uploader.worker import Worker

#: How late may be what Telegram is asked again, once it may tell.
GATE_S: Final = 1.0
#: How late may be the first look of an engine that begins to act on updates.
OURS_S: Final = 0.2
#: How often it is looked up to where the updates were acted on.
LOOK_S: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """Who hears of sponsors' channels, who shows people what they owe, and who lets admins see to it."""

    channels: Channels
    cards: SponsorCards
    admin: SponsorAdminChat


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The running parts that the main loop looks after."""

    client: SteadyClient
    pulse: Pulse
    database: Database
    menu: Menu
    files: Files
    intake: Intake
    user: UserChat
    receiver: Receiver
    status: StatusMessages
    cards: BatchCards
    albums: AlbumCards
    gate: Gate
    last_words: LastWords
    line: Line
    sources: Sources
    cookie_admin: CookieAdminChat
    alerts: Alerts
    worker: Worker


async def serve_on(build: Callable[[], AbstractAsyncContextManager[Engine]], stop: asyncio.Event) -> None:
    """Serve until `stop` is set, with one engine after another if Telegram ends its login or connection.

    Raises:
        ConfigError: the settings cannot be used.
        PeykError: Telegram or the database does not answer at the start, or logins end again and again.
    """
    renewals = Renewals()
    while not stop.is_set():
        cause = await unless_stopped(stop, lambda began: _serve_once(build, stop, began))
        if cause is not None:
            await renewals.wait(cause, stop)


async def _serve_once(
    build: Callable[[], AbstractAsyncContextManager[Engine]], stop: asyncio.Event, began: asyncio.Event
) -> TelegramError | None:
    """Build an engine and run it; returns what ended it, None: it was stopped."""
    ended: TelegramError | None = None
    try:
        async with build() as engine:
            _log.info("serving", version=__version__)
            began.set()
            try:
                with _out_of_the_collectors_way():
                    await _run(engine, stop)
            except* TelegramError as errors:
                ended = first_error(errors)
    except (FloodWait, LoggedOut) as error:
        ended = error
    return ended


@contextmanager
def _out_of_the_collectors_way() -> Iterator[None]:
    """Let the collector of garbage look no more at what is there now: modules, tables, patterns of sites.

    To look at all of it took 0.2 s each time, in which the event loop stood still.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _run(engine: Engine, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, and then until the running transfers have ended or reached the deadline.

    Raises TelegramError, in a group, when the login or the connection ends.
    """
    await engine.menu.offer()
    away_s = await engine.receiver.away_s()
    async with asyncio.TaskGroup() as tasks:
        background = [
            tasks.create_task(_tell_of_absence(engine, away_s), name="absence"),
            tasks.create_task(engine.status.run(), name="status messages"),
            tasks.create_task(engine.cards.run(), name="cards of batches"),
            tasks.create_task(engine.albums.run(), name="cards of albums"),
            tasks.create_task(engine.last_words.run(), name="last words"),
            tasks.create_task(engine.receiver.run(), name="receiver"),
            tasks.create_task(_watch(engine), name="safety net"),
            tasks.create_task(_look_if_ours(engine), name="sponsors, and the queue"),
            tasks.create_task(engine.pulse.run(), name="pulse"),
            tasks.create_task(_look_at_updates(engine), name="state of the updates"),
        ]
        working = tasks.create_task(engine.worker.run(stop), name="worker")
        await stop.wait()
        engine.intake.closed = True
        engine.worker.nudge()
        await _until_ended(working, engine.database)
        for task in (working, *background):
            task.cancel()


async def _until_ended(working: asyncio.Task[None], database: Database) -> None:
    """Give the running transfers their time, unless nothing of what they do could be written down."""
    deadline = time.monotonic() + limits.STOP_DEADLINE_S
    while not working.done() and time.monotonic() < deadline:
        if (trouble := database.trouble()) is not None:
            _log.warning("running jobs are not waited for", cause=trouble)
            return
        await asyncio.wait([working], timeout=0.2)


async def _tell_of_absence(engine: Engine, away_s: float) -> None:
    if away_s < limits.AWAY_S:
        return
    with FaultBarrier("telling people of the absence"):
        await engine.user.back(away_s)


async def _watch(engine: Engine) -> None:
    """The safety net: what is only found by looking. No look waits for another."""

    deadlines = Deadlines(engine.database)

    async def expire() -> None:
        await engine.user.expired(await deadlines.expire())

    async def tell_of_versions() -> None:
        if (left := engine.sources.left_version()) is not None:
            await engine.alerts.media_fell_back(*left)

    async def tell_of_sites() -> None:
        for trouble in engine.sources.troubles():
            await engine.alerts.site_in_trouble(trouble.site, trouble.reason)

    looks: dict[str, Callable[[], Awaitable[object]]] = {
        "people who never joined, or chose": expire,
        "batches that ended unseen": engine.cards.look,
        "questions that were not shown": engine.status.ask_again,
        "jobs that ended long ago": deadlines.prune,
        "files that are not fresh": engine.files.prune,
        "folders of dead engines": engine.sources.tidy,
        "cookies that sites refuse": engine.cookie_admin.watch,
        "versions of yt-dlp": tell_of_versions,
        "sites that need an operator": tell_of_sites,
    }
    await asyncio.sleep(WATCH_S)
    async with asyncio.TaskGroup() as tasks:
        for part, look in looks.items():
            tasks.create_task(every(WATCH_S, part, look), name=part)


async def _look_if_ours(engine: Engine) -> None:
    """What the engine that acts on updates sees to: others would only do it twice."""
    gate, receiver, helpers = engine.gate, engine.receiver, Helpers()
    looks = (
        (limits.LINE_S, "places in the queue", engine.line.look),
        (GATE_S, "people who wait for sponsors", partial(gate.cards.look_around, helpers)),
        (WATCH_S, "people who came or left unheard", gate.channels.catch_up),
        (WATCH_S, "names of sponsors, and their locks", gate.admin.watch),
    )

    async def if_ours(look: Callable[[], Awaitable[object]]) -> None:
        while not receiver.is_mine:  # noqa: ASYNC110 - a lease
            await asyncio.sleep(OURS_S)
        await look()

    async with helpers, asyncio.TaskGroup() as tasks:
        for pause_s, part, look in looks:
            tasks.create_task(every(pause_s, part, partial(if_ours, look)), name=part)


async def _look_at_updates(engine: Engine) -> None:
    settled = engine.receiver.settled
    await every(LOOK_S, "state of the updates", lambda: engine.client.look_at_updates(settled))


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
