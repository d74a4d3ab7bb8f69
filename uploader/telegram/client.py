"""From the settings to a connected, logged-in client of the bot."""

import asyncio
import fcntl
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import (
    AccessTokenExpiredError,
    AccessTokenInvalidError,
    ApiIdInvalidError,
    AuthKeyNotFound,
    FloodWaitError,
    RPCError,
)
from telethon.network import ConnectionTcpAbridged, ConnectionTcpObfuscated
from telethon.sessions import MemorySession, SQLiteSession

from uploader.config import Config
from uploader.errors import ConfigError, LoggedOut, TelegramError

DEVICE_MODEL: Final = "Peyk"
#: A login and the first answers take a second or two; a data centre that needs longer is away.
CONNECT_S: Final = 60.0
#: Longer waits are handled by the caller, who knows what waits and whom to tell.
FLOOD_SLEEP_S: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """The bot's account at its data centre."""

    username: str
    host: str
    port: int
    auth_key: bytes = field(repr=False)


@contextmanager
def alone(config: Config) -> Iterator[None]:
    """Hold the login: two engines on one would make Telegram end it, and the second one does not start.

    Raises:
        ConfigError: another process holds it.
    """
    path = config.sessions_dir / f"bot-{config.bot_id}.lock"
    with path.open("w") as lock:
        path.chmod(0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                [f"another engine uses the login in {config.sessions_dir}: stop it first"]
            ) from None
        yield


async def log_in(config: Config, version: str) -> Login:
    """Make sure that the session file holds a login of the bot; log in if it does not.

    Works on a copy in memory: a client that connects moves on the state of the updates in its session, and
    those missed while the engine was away would be lost.

    Raises:
        ConfigError: the token, the application or the data centre's key cannot be used.
        TelegramError: the data centre does not answer.
    """
    kept, session = _session(config), MemorySession()
    session.set_dc(kept.dc_id, kept.server_address, kept.port)
    session.auth_key = kept.auth_key
    client = _client(session, config, version, receive_updates=False)
    try:
        async with _open(client, lambda: _signed_in(client, config)) as me:
            kept.set_dc(session.dc_id, session.server_address, session.port)
            kept.auth_key = session.auth_key
            kept.save()
    finally:
        kept.close()
    return login_of(client, me.username or "")


def carrying_client(config: Config, version: str, path: Path) -> TelegramClient:
    """The client of a session file that was logged in before; it hears nothing. Not connected yet."""
    return _client(SQLiteSession(str(path)), config, version, receive_updates=False)


def anonymous_client(config: Config, version: str) -> TelegramClient:
    """A client of nobody yet, whose session is kept in memory alone. Not connected yet."""
    session = MemorySession()
    if config.dc_public_key is not None:
        _trust(config.dc_public_key)
    if (address := config.dc_host_port) is not None:
        session.set_dc(config.dc_id, *address)
    return _client(session, config, version, receive_updates=False)


def keep(session: Any, path: Path) -> None:
    """Write a session that is in memory to a file, which only its owner may read."""
    path.unlink(missing_ok=True)
    _make(path)
    kept = SQLiteSession(str(path))
    kept.set_dc(session.dc_id, session.server_address, session.port)
    kept.auth_key = session.auth_key
    kept.save()
    kept.close()


def login_of(client: Any, username: str) -> Login:
    """Where and by which key a connected client is logged in."""
    session = client.session
    return Login(
        username=username, host=session.server_address, port=session.port, auth_key=session.auth_key.key
    )


def session_path(config: Config, account: str) -> Path:
    """The session file of an account ("bot-1", "user-2") at the configured data centre."""
    trusted = "" if config.dc_public_key is None else "-" + _trust(config.dc_public_key)
    return config.sessions_dir / f"{account}{trusted}.session"


def user_sessions(config: Config) -> list[Path]:
    """The session files of user accounts at the configured data centre."""
    name = re.compile(session_path(config, "user-0").name.replace("user-0", "user-[0-9]+"))
    return sorted(path for path in config.sessions_dir.iterdir() if name.fullmatch(path.name))


def new_client(config: Config, version: str) -> TelegramClient:
    """The client of a logged-in bot, not connected yet: what hears updates is attached before `connected`."""
    return _client(_session(config), config, version, catch_up=True)


@asynccontextmanager
async def connected(client: Any) -> AsyncIterator[None]:
    """Hold the connection; updates missed while it was closed come first.

    Raises:
        TelegramError: the data centre does not answer.
    """
    async with _open(client, client.connect):
        yield


@asynccontextmanager
async def _open(client: Any, connect: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                result = await connect()
        except (OSError, TimeoutError) as error:
            cause = type(error).__name__
            raise TelegramError(f"the data centre does not answer ({cause}); check the network") from error
        except AuthKeyNotFound as error:
            raise LoggedOut("the data centre does not know this login any more") from error
        yield result
    finally:
        await client.disconnect()


def _session(config: Config) -> SQLiteSession:
    path = session_path(config, f"bot-{config.bot_id}")
    _make(path)
    session = SQLiteSession(str(path))
    address = config.dc_host_port
    if address is not None:
        session.set_dc(config.dc_id, *address)
    return session


def _client(session: Any, config: Config, version: str, **options: Any) -> TelegramClient:
    return TelegramClient(
        session,
        config.api_id,
        config.api_hash.get_secret_value(),
        device_model=DEVICE_MODEL,
        app_version=version,
        connection_retries=None,
        flood_sleep_threshold=FLOOD_SLEEP_S,
        connection=ConnectionTcpObfuscated if config.transport == "obfuscated" else ConnectionTcpAbridged,
        proxy=_proxy(config.proxy.get_secret_value()),
        **options,
    )


def _proxy(url: str) -> dict[str, Any] | None:
    """A proxy's address as Telethon takes it; None: straight."""
    if not url:
        return None
    parts = urlsplit(url)
    return {
        "proxy_type": parts.scheme,
        "addr": parts.hostname,
        "port": parts.port,
        "username": parts.username and unquote(parts.username),
        "password": parts.password and unquote(parts.password),
    }


def _make(path: Path) -> None:
    """Make a file with mode 0600 before Telethon opens it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _trust(pem: Path) -> str:
    """Accept a data centre's key for the handshake; returns a short name of the key."""
    try:
        key = load_pem_public_key(pem.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError([f"PEYK_DC_PUBLIC_KEY is no public key in PEM form: {error}"]) from None
    if not isinstance(key, RSAPublicKey):
        raise ConfigError(["PEYK_DC_PUBLIC_KEY is no RSA key: take the data centre's own"])
    text = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    rsa.add_key(text.decode(), old=False)
    return sha256(text).hexdigest()[:8]


async def _signed_in(client: Any, config: Config) -> Any:
    try:
        await client.connect()
    except AuthKeyNotFound:
        # the data centre lost or dropped this login: a new one is all that helps
        client.session.auth_key = None
        await client.connect()
    try:
        if not await client.is_user_authorized():
            await client.sign_in(bot_token=config.bot_token.get_secret_value())
        me = await client.get_me()
    except (AccessTokenInvalidError, AccessTokenExpiredError):
        raise ConfigError(["PEYK_BOT_TOKEN is refused by Telegram: take a new one from @BotFather"]) from None
    except ApiIdInvalidError:
        raise ConfigError(
            ["PEYK_API_ID and PEYK_API_HASH do not belong together: see my.telegram.org"]
        ) from None
    except FloodWaitError as error:
        raise TelegramError(f"too many logins: Telegram asks to wait {error.seconds} s") from None
    except RPCError as error:
        raise TelegramError(f"the login was refused: {error.message}") from None
    if me is None or me.id != config.bot_id:
        raise ConfigError(
            [f"PEYK_BOT_TOKEN and the session in {config.sessions_dir} are of two bots: move one away"]
        )
    return me
