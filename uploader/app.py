"""The composition root: the only file that builds things."""

import asyncio
import platform
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from uploader import __version__, limits
from uploader.batching import Batching
from uploader.captions import Captions
from uploader.chat.admin import AdminChat
from uploader.chat.alerts import Alerts
from uploader.chat.batch import BatchChat
from uploader.chat.batch_cards import BatchCards
from uploader.chat.channels import Channels
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.chat.files import FileQuestions
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
from uploader.config import Config
from uploader.control.board import Board
from uploader.control.server import ControlServer
from uploader.cookies import CookieJars, secret_at
from uploader.delivery import Delivery, HeldDelivery
from uploader.errors import ConfigError
from uploader.fleet import Fitting, Fleet
from uploader.intake import Intake
from uploader.quotas import Allowance, Quotas
from uploader.reuse import Reuse
from uploader.service import Engine, Gate, run
from uploader.sources import Hosts, Sources
from uploader.sources.media.versions import Versions, javascript_runtime
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
from uploader.storage.parkings import Parkings
from uploader.storage.patience import patient
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings
from uploader.storage.sponsors import Sponsors
from uploader.storage.volumes import Volumes
from uploader.telegram.client import DEVICE_MODEL, Login, alone, connected, log_in, new_client
from uploader.telegram.downloads import Downloads
from uploader.telegram.gateway import Gateway
from uploader.telegram.messages import Messages
from uploader.telegram.missed import Missed
from uploader.telegram.pacing import Pacer
from uploader.texts import Texts
from uploader.transfer import Carrier, Carriers, Endpoint, UploadPool, take_short_turns
from uploader.worker import Worker

_log = structlog.get_logger(__name__)


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Run the engine until `stop` is set and the running transfers have ended or reached the deadline.

    Raises:
        ConfigError: the settings cannot be used.
        PeykError: Telegram or the database does not answer.
    """
    take_short_turns()
    config.make_folders()
    with alone(config):
        async with _built(config, stop) as engine:
            _log.info("serving", version=__version__, bot=config.bot_id)
            if not javascript_runtime():
                _log.warning("no JavaScript runtime: YouTube gives next to nothing; make setup brings deno")
            await run(engine, stop)
    _log.info("stopped")


@asynccontextmanager
async def _built(config: Config, stop: asyncio.Event) -> AsyncIterator[Engine]:
    login, client = await log_in(config, __version__), new_client(config, __version__)
    texts, gateway = Texts(config.language, config.volume_bytes), Gateway(client, Pacer())
    async with (
        await Database.open(config.database) as database,
        _pool(login, config) as pool,
        _sources(config, _cookie_jars(config, database)) as sources,
        _fitting(config, gateway).fleet() as fleet,
        Downloads(client) as downloads,
    ):
        jobs, people = Jobs(database), People(database, config.bot_id)
        await jobs.orphan(pool.account)  # the lock on the login is ours: whoever worked with it is dead
        status, cards = _shown(database, gateway, people, texts)
        board, alerts = _board(database, login, stop, sources), Alerts(gateway, people, texts, config.admins)
        bot = Carrier(name=login.username, pool=pool, cap_bytes=config.volume_bytes, post=gateway.deliver)
        carriers = await _carriers(config, database, [bot, *fleet.carriers], alerts)
        delivery = _delivery(config, database, sources, carriers, gateway, downloads, texts)
        worker = Worker(_name(pool), jobs, people, delivery, watchers=(board, status, cards))
        locks, gate = _gate(config, database, gateway, status, alerts, texts, worker)
        menu = Menu(gateway, people, texts, config.admins)
        choosing = _choosing(config, database, locks, worker)
        intake = _intake(config, database, locks, sources, worker)
        batch_chat = BatchChat(gateway, intake, Batches(database), cards, gate.cards, texts)
        user = UserChat(gateway, intake, jobs, people, Rates(database), status, texts, batch_chat, gate.cards)
        receiver = Receiver(Leases(database, pool.account), config.bot_id, name=pool.account)
        gate.channels.attach(client, receiver)
        Updates(
            user=user,
            admin=AdminChat(gateway, jobs, Failures(database), Settings(database), status, texts),
            sponsor_admin=gate.admin,
            site_admin=SiteAdminChat(gateway, sources.resting, texts),
            cookie_admin=(cookie_admin := _cookie_admin(config, database, gateway, texts)),
            batches=batch_chat,
            settings=SettingsChat(gateway, people, texts),
            questions=Questions(gateway, intake, choosing, status, gate.cards, texts),
            lists=Lists(gateway, intake, choosing, status, cards, gate.cards, texts),
            files=FileQuestions(gateway, intake, choosing, status, gate.cards, texts),
            intake=intake,
            menu=menu,
            texts=texts,
            admins=config.admins,
            username=login.username,
        ).attach(client, receiver)
        async with connected(client), _told(alerts, fleet), _control(config, board, Settings(database), stop):
            yield Engine(
                client=client,
                database=database,
                menu=menu,
                files=Files(database),
                intake=intake,
                user=user,
                receiver=receiver,
                status=status,
                cards=cards,
                gate=gate,
                sources=sources,
                cookie_admin=cookie_admin,
                alerts=alerts,
                worker=worker,
            )


async def _carriers(config: Config, database: Database, accounts: list[Carrier], alerts: Alerts) -> Carriers:
    carriers = Carriers(accounts, config.volume_bytes, alerts.carrier_rests, Parkings(database))
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
    config: Config, database: Database, locks: SponsorLocks, sources: Sources, worker: Worker
) -> Intake:
    jobs, people = Jobs(database), People(database, config.bot_id)
    settings, rates, heard = Settings(database), Rates(database), Heard(database)
    quotas = Quotas(rates, _allowance(config))
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
    return Intake(jobs, people, settings, locks, batching, rates, quotas, heard, config.bot_id, worker.nudge)


def _shown(
    database: Database, gateway: Gateway, people: People, texts: Texts
) -> tuple[StatusMessages, BatchCards]:
    """Who shows how jobs fare: each one by itself, or several under one card."""
    jobs, choices = Jobs(database), Choices(database)
    cards = BatchCards(gateway, Batches(database), people, texts)
    return StatusMessages(gateway, jobs, people, choices, texts, batch_changed=cards.changed), cards


def _gate(
    config: Config,
    database: Database,
    gateway: Gateway,
    status: StatusMessages,
    alerts: Alerts,
    texts: Texts,
    worker: Worker,
) -> tuple[SponsorLocks, Gate]:
    """Who says what people owe, and the conversations about it."""
    sponsors, holds, people = Sponsors(database), Holds(database), People(database, config.bot_id)
    locks = SponsorLocks(sponsors, holds, people, gateway, worker.nudge)
    jobs, batches, rates = Jobs(database), Batches(database), Rates(database)
    cards = SponsorCards(gateway, locks, holds, jobs, batches, people, rates, status, texts)
    channels = Channels(locks, cards, Missed(gateway), Settings(database), config.bot_id)
    admin = SponsorAdminChat(gateway, sponsors, locks, alerts, texts)
    return locks, Gate(channels=channels, cards=cards, admin=admin)


def _choosing(config: Config, database: Database, locks: SponsorLocks, worker: Worker) -> Choosing:
    jobs, people = Jobs(database), People(database, config.bot_id)
    return Choosing(jobs, Choices(database), people, locks, Rates(database), config.bot_id, worker.nudge)


def _fitting(config: Config, gateway: Gateway) -> Fitting:
    return Fitting(config, __version__, gateway=gateway, pool_of=lambda login: _pool(login, config))


@asynccontextmanager
async def _told(alerts: Alerts, fleet: Fleet) -> AsyncIterator[None]:
    for name, cause in fleet.missing:
        await alerts.carrier_is_missing(name, cause)
    yield


def _board(database: Database, login: Login, stop: asyncio.Event, sources: Sources) -> Board:
    return Board(
        jobs=Jobs(database),
        sponsors=Sponsors(database),
        settings=Settings(database),
        bot_username=login.username,
        stopping=stop.is_set,
        resting=sources.resting,
        troubles=lambda: [trouble for trouble in (database.trouble(),) if trouble is not None],
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


def _cookie_jars(config: Config, database: Database) -> CookieJars:
    try:
        secret = config.secret_key.get_secret_value().encode() or secret_at(config.secret_path)
    except OSError as error:
        raise ConfigError([f"{config.secret_path} cannot be read: {error.strerror}"]) from None
    return CookieJars(Cookies(database), secret, config.data_dir / "cookies")


def _cookie_admin(config: Config, database: Database, gateway: Gateway, texts: Texts) -> CookieAdminChat:
    return CookieAdminChat(
        gateway,
        _cookie_jars(config, database),
        Cookies(database),
        People(database, config.bot_id),
        texts,
        config.admins,
    )


def _sources(config: Config, cookies: CookieJars) -> Sources:
    try:
        return Sources(
            config.allow_networks,
            user_agent=f"Peyk/{__version__}",
            own_ports=config.own_ports,
            work_dir=config.work_dir or config.data_dir / "work",
            work_bytes=config.work_gib * 1024 * limits.MIB or None,
            cap_bytes=config.volume_bytes,
            hosts=Hosts(config.host_connections),
            cookies=cookies,
            versions=Versions(config.data_dir / "yt-dlp"),
        )
    except ValueError as error:
        raise ConfigError([f"PEYK_ALLOW_NETWORKS: {error}"]) from None


def _allowance(config: Config) -> Allowance:
    return Allowance(
        links_per_minute=config.links_per_minute,
        files_per_day=config.files_per_day,
        bytes_per_day=config.gib_per_day * 1024 * limits.MIB,
        queue_jobs=config.queue_jobs,
    )


def _pool(login: Login, config: Config) -> UploadPool:
    return UploadPool(
        _endpoint(login, config),
        connections=config.upload_connections,
        most=config.upload_connections_max,
        window=config.upload_window,
    )


def _endpoint(login: Login, config: Config) -> Endpoint:
    """Where and as whom the upload connections go: the account's own data centre and login."""
    return Endpoint(
        host=login.host,
        port=login.port,
        auth_key=login.auth_key,
        api_id=config.api_id,
        device_model=DEVICE_MODEL,
        system_version=platform.release(),
        app_version=__version__,
        proxy=config.proxy.get_secret_value() or None,
        obfuscated=config.transport == "obfuscated",
    )
