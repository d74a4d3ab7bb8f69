"""The composition root: the only file that builds things."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from uploader import __version__, outfit
from uploader.batching import Batching
from uploader.captions import Captions
from uploader.chat.admin import AdminChat
from uploader.chat.albums import AlbumCards
from uploader.chat.alerts import Alerts
from uploader.chat.batch import BatchChat
from uploader.chat.batch_cards import BatchCards
from uploader.chat.channels import Channels
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.chat.files import FileQuestions
from uploader.chat.in_turn import InTurn
from uploader.chat.last_words import LastWords
from uploader.chat.line import Line
from uploader.chat.lists import Lists
from uploader.chat.menu import Menu
from uploader.chat.progress import StatusMessages
from uploader.chat.questions import Questions
from uploader.chat.receiver import Receiver
from uploader.chat.settings import SettingsChat
from uploader.chat.site_admin import SiteAdminChat
from uploader.chat.sponsor_admin import SponsorAdminChat
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.updates import Updates
from uploader.chat.user import UserChat
from uploader.choosing import Choosing
from uploader.clock import Clock
from uploader.config import Config
from uploader.control.board import Board
from uploader.control.server import ControlServer
from uploader.delivery import Delivery, HeldDelivery
from uploader.fleet import Fitting, Fleet
from uploader.intake import Intake
from uploader.machine import Room
from uploader.quotas import Quotas
from uploader.reuse import Reuse
from uploader.service import Engine, Gate, serve_on
from uploader.sources import Sources
from uploader.sources.media.versions import javascript_runtime
from uploader.sponsors import SponsorLocks
from uploader.storage.batches import Batches
from uploader.storage.choices import Choices
from uploader.storage.cookies import Cookies
from uploader.storage.database import Database
from uploader.storage.failures import Failures
from uploader.storage.files import Files
from uploader.storage.heard import Heard
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.storage.leases import Leases
from uploader.storage.owed import Owed
from uploader.storage.parkings import Parkings
from uploader.storage.patience import patient
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings
from uploader.storage.sponsors import Sponsors
from uploader.storage.volumes import Volumes
from uploader.telegram.client import Login, alone, hearing, log_in, new_client
from uploader.telegram.downloads import Downloads
from uploader.telegram.gateway import Gateway
from uploader.telegram.messages import Messages
from uploader.telegram.missed import Missed
from uploader.telegram.pacing import Pacer
from uploader.telegram.pulse import Pulse
from uploader.texts import Texts
from uploader.transfer import Carrier, Carriers, UploadPool, take_short_turns
from uploader.worker import Worker

_log = structlog.get_logger(__name__)


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Run the engine until `stop` is set and the running transfers have ended or reached the deadline.

    When the login ends or the connection is given up, the engine is built anew, with a new login.

    Raises:
        ConfigError: the settings cannot be used.
        PeykError: Telegram or the database does not answer at the start, or each login ends.
    """
    take_short_turns()
    config.make_folders()
    clock, room = Clock(), outfit.take_room()
    with alone(config):
        if not javascript_runtime():
            _log.warning("no JavaScript runtime: YouTube gives next to nothing; make setup brings deno")
        await serve_on(lambda: _built(config, room, stop, clock), stop)
    _log.info("stopped")


@asynccontextmanager
async def _built(config: Config, room: Room, stop: asyncio.Event, clock: Clock) -> AsyncIterator[Engine]:
    login, client = await log_in(config, __version__, clock), new_client(config, __version__, clock)
    pulse = Pulse(client, clock)
    texts, gateway = Texts(config.language, config.volume_bytes), Gateway(client, Pacer())
    async with (
        await Database.open(config.database, clock=clock.now) as database,
        outfit.pool(login, config, room, clock) as pool,
        outfit.sources(config, room, outfit.cookie_jars(config, database)) as sources,
        _fitting(config, room, gateway, clock).fleet() as fleet,
        Downloads(client) as downloads,
    ):
        jobs, people = Jobs(database), People(database, config.bot_id)
        await jobs.orphan(pool.account)  # the lock on the login is ours: whoever worked with it is dead
        status, cards, words = _shown(database, gateway, people, texts, clock)
        board = _board(database, login, stop, sources, pulse, clock)
        alerts = Alerts(gateway, people, texts, config.admins)
        bot = Carrier(name=login.username, pool=pool, cap_bytes=config.volume_bytes, post=gateway.deliver)
        carriers = await _carriers(config, database, [bot, *fleet.carriers], alerts, clock)
        delivery = _delivery(config, database, sources, carriers, gateway, downloads, texts)
        worker = Worker(
            _name(pool), jobs, people, delivery, watchers=(board, status, cards), room=room, now=clock.now
        )
        cookie_admin = _cookie_admin(config, database, gateway, texts)
        locks, gate = _gate(config, database, people, gateway, status, alerts, texts, worker)
        choosing = _choosing(config, database, locks, worker)
        intake = _intake(config, database, people, locks, sources, worker, clock)
        batch_chat = BatchChat(gateway, intake, Batches(database), cards, gate.cards, texts)
        albums = AlbumCards(jobs, status)
        rates = Rates(database)
        user = UserChat(gateway, intake, people, rates, status, texts, batch_chat, gate.cards, albums)
        receiver = Receiver(Leases(database, pool.account), config.bot_id, name=pool.account, now=clock.now)
        engine = Engine(
            client=client,
            pulse=pulse,
            database=database,
            menu=Menu(gateway, people, texts, config.admins),
            files=Files(database),
            intake=intake,
            user=user,
            receiver=receiver,
            status=status,
            cards=cards,
            albums=albums,
            gate=gate,
            last_words=words,
            line=Line(Rates(database), status),
            sources=sources,
            cookie_admin=cookie_admin,
            alerts=alerts,
            worker=worker,
        )
        gate.channels.attach(client, receiver)
        _updates(config, login, database, gateway, texts, engine, choosing, batch_chat).attach(
            client, receiver
        )
        async with hearing(client), _told(alerts, fleet), _control(config, board, Settings(database), stop):
            yield engine


def _updates(
    config: Config,
    login: Login,
    database: Database,
    gateway: Gateway,
    texts: Texts,
    engine: Engine,
    choosing: Choosing,
    batch_chat: BatchChat,
) -> Updates:
    """All conversations."""
    intake, status, gate, cards = engine.intake, engine.status, engine.gate, engine.gate.cards
    return Updates(
        user=engine.user,
        admin=AdminChat(gateway, Jobs(database), Failures(database), Settings(database), status, texts),
        sponsor_admin=gate.admin,
        site_admin=SiteAdminChat(gateway, engine.sources.resting, texts),
        cookie_admin=engine.cookie_admin,
        batches=batch_chat,
        settings=SettingsChat(gateway, People(database, config.bot_id), texts),
        questions=Questions(gateway, intake, choosing, status, cards, texts),
        lists=Lists(gateway, intake, choosing, status, engine.cards, cards, texts),
        files=FileQuestions(gateway, intake, choosing, status, cards, engine.cards, texts),
        intake=intake,
        menu=engine.menu,
        texts=texts,
        admins=config.admins,
        username=login.username,
    )


async def _carriers(
    config: Config, database: Database, accounts: list[Carrier], alerts: Alerts, clock: Clock
) -> Carriers:
    carriers = Carriers(accounts, config.volume_bytes, alerts.carrier_rests, Parkings(database), clock.now)
    await carriers.begin()
    return carriers


def _delivery(
    config: Config,
    database: Database,
    sources: Sources,
    carriers: Carriers,
    gateway: Gateway,
    downloads: Downloads,
    texts: Texts,
) -> Delivery:
    jobs = patient(Jobs(database))
    return Delivery(
        jobs=jobs,
        volumes=patient(Volumes(database)),
        people=patient(People(database, config.bot_id)),
        sources=sources,
        carriers=carriers,
        gateway=gateway,
        reuse=Reuse(patient(Files(database)), gateway),
        held=HeldDelivery(jobs, gateway, Messages(gateway), downloads, sources),
        texts=texts,
        captions=Captions(config.caption, texts),
        volume_bytes=config.volume_bytes,
    )


def _intake(
    config: Config,
    database: Database,
    people: People,
    locks: SponsorLocks,
    sources: Sources,
    worker: Worker,
    clock: Clock,
) -> Intake:
    jobs = Jobs(database)
    settings, rates, heard = Settings(database), Rates(database), Heard(database)
    quotas = Quotas(rates, outfit.allowance(config))
    batching = Batching(
        jobs,
        Batches(database),
        Choices(database),
        locks,
        quotas,
        static_verdict=sources.static_verdict,
        account_id=config.bot_id,
        most=config.batch_files,
    )
    return Intake(
        jobs, people, settings, locks, batching, rates, quotas, heard, config.bot_id, worker.nudge, clock.now
    )


def _shown(
    database: Database, gateway: Gateway, people: People, texts: Texts, clock: Clock
) -> tuple[StatusMessages, BatchCards, LastWords]:
    """Who shows how jobs fare: each one by itself, or several under one card."""
    jobs, choices, owed, in_turn = Jobs(database), Choices(database), Owed(database), InTurn()
    cards = BatchCards(gateway, Batches(database), people, texts, clock.now, in_turn=in_turn)
    status = StatusMessages(
        gateway, jobs, people, choices, owed, texts, clock.now, batch_changed=cards.changed, in_turn=in_turn
    )
    return status, cards, LastWords(status, owed, clock.now)


def _gate(
    config: Config,
    database: Database,
    people: People,
    gateway: Gateway,
    status: StatusMessages,
    alerts: Alerts,
    texts: Texts,
    worker: Worker,
) -> tuple[SponsorLocks, Gate]:
    """Who says what people owe, and the conversations about it."""
    sponsors, holds = Sponsors(database), Holds(database)
    locks = SponsorLocks(sponsors, holds, people, gateway, worker.nudge)
    jobs, batches, rates = Jobs(database), Batches(database), Rates(database)
    cards = SponsorCards(gateway, locks, holds, jobs, batches, people, rates, status, texts)
    channels = Channels(locks, cards, Missed(gateway), Settings(database), config.bot_id)
    admin = SponsorAdminChat(gateway, sponsors, locks, alerts, texts)
    return locks, Gate(channels=channels, cards=cards, admin=admin)


def _choosing(config: Config, database: Database, locks: SponsorLocks, worker: Worker) -> Choosing:
    jobs, people = Jobs(database), People(database, config.bot_id)
    return Choosing(jobs, Choices(database), people, locks, Rates(database), config.bot_id, worker.nudge)


def _fitting(config: Config, room: Room, gateway: Gateway, clock: Clock) -> Fitting:
    return Fitting(
        config,
        __version__,
        clock,
        gateway=gateway,
        pool_of=lambda login: outfit.pool(login, config, room, clock),
    )


@asynccontextmanager
async def _told(alerts: Alerts, fleet: Fleet) -> AsyncIterator[None]:
    for name, cause in fleet.missing:
        await alerts.carrier_is_missing(name, cause)
    yield


def _board(
    database: Database, login: Login, stop: asyncio.Event, sources: Sources, pulse: Pulse, clock: Clock
) -> Board:
    return Board(
        database=database,
        bot_username=login.username,
        stopping=stop.is_set,
        resting=sources.resting,
        troubles=lambda: [
            trouble for trouble in (database.trouble(), pulse.trouble()) if trouble is not None
        ],
        telegram=pulse.seen,
        clock=clock.now,
    )


def _name(pool: UploadPool) -> str:
    """A worker's name, of this login and start and no other."""
    return f"{pool.account}-{secrets.token_hex(4)}"


def _control(config: Config, board: Board, settings: Settings, stop: asyncio.Event) -> ControlServer:
    return ControlServer(
        config.socket_path,
        snapshot=board.snapshot,
        set_maintenance=settings.set_maintenance,
        drain=stop.set,
    )


def _cookie_admin(config: Config, database: Database, gateway: Gateway, texts: Texts) -> CookieAdminChat:
    return CookieAdminChat(
        gateway,
        outfit.cookie_jars(config, database),
        Cookies(database),
        People(database, config.bot_id),
        texts,
        config.admins,
    )
