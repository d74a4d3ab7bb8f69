"""What takes nothing but settings, a login and a database to build."""

import asyncio
import platform
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from uploader import __version__, limits, machine
from uploader.clock import Clock
from uploader.config import Config
from uploader.cookies import CookieJars, secret_at
from uploader.errors import ConfigError
from uploader.machine import Room
from uploader.quotas import Allowance
from uploader.sources import Hosts, Sources
from uploader.sources.media.versions import Versions
from uploader.storage.cookies import Cookies
from uploader.storage.database import Database
from uploader.telegram.client import DEVICE_MODEL, Login
from uploader.transfer import Endpoint, UploadPool

#: Of what is done beside the loop, without those that wait for names.
_THREADS: Final = 16

_log = structlog.get_logger(__name__)


def cookie_jars(config: Config, database: Database) -> CookieJars:
    """The operator's cookies, sealed. Raises ConfigError if the secret cannot be read."""
    try:
        secret = config.secret_key.get_secret_value().encode() or secret_at(config.secret_path)
    except OSError as error:
        raise ConfigError([f"{config.secret_path} cannot be read: {error.strerror}"]) from None
    return CookieJars(Cookies(database), secret, config.data_dir / "cookies")


def take_room() -> Room:
    """What the machine bears; the log says it. Names may hang in as many threads as there are jobs."""
    found = machine.look()
    room = machine.room(found)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(room.all + _THREADS, "aside"))
    told = _log.warning if room.is_small else _log.info
    told(machine.sentence(found, room))
    return room


def sources(config: Config, room: Room, cookies: CookieJars) -> Sources:
    """Raises ConfigError if the networks cannot be used."""
    try:
        return Sources(
            config.allow_networks,
            user_agent=f"Peyk/{__version__}",
            own_ports=config.own_ports,
            work_dir=config.work_dir or config.data_dir / "work",
            work_bytes=config.work_gib * 1024 * limits.MIB or None,
            cap_bytes=config.volume_bytes,
            sockets=room.site_connections,
            children=room.swift,
            hosts=Hosts(config.host_connections),
            cookies=cookies,
            versions=Versions(config.data_dir / "yt-dlp"),
        )
    except ValueError as error:
        raise ConfigError([f"PEYK_ALLOW_NETWORKS: {error}"]) from None


def allowance(config: Config) -> Allowance:
    """What one person may have."""
    return Allowance(
        links_per_minute=config.links_per_minute,
        files_per_day=config.files_per_day,
        bytes_per_day=config.gib_per_day * 1024 * limits.MIB,
        queue_jobs=config.queue_jobs,
    )


def pool(login: Login, config: Config, room: Room, clock: Clock) -> UploadPool:
    """The upload connections of an account."""
    return UploadPool(
        _endpoint(login, config),
        connections=min(config.upload_connections, room.upload_connections),
        most=min(config.upload_connections_max, room.upload_connections),
        window=config.upload_window,
        now=clock.now,
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
