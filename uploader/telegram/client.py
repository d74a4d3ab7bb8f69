"""From the settings to a connected, logged-in client of the bot."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from telethon.errors import AccessTokenExpiredError, AccessTokenInvalidError, ApiIdInvalidError
from telethon.network import ConnectionTcpAbridged, ConnectionTcpObfuscated
from telethon.sessions import MemorySession
from telethon.tl.functions.updates import GetStateRequest

from uploader.clock import Clock
from uploader.config import Config
from uploader.errors import ConfigError, LoggedOut, NoAnswer, TelegramError
from uploader.telegram.refusals import translated
from uploader.telegram.sessions import KeptSession, session_path, trust
from uploader.telegram.steady import SteadyClient

DEVICE_MODEL: Final = "Peyk"
#: A login and the first answers take a second or two; a data centre that needs longer is away.
CONNECT_S: Final = 60.0
#: Longer waits are handled by the caller, who knows what waits and whom to tell.
FLOOD_SLEEP_S: Final = 5

_log = structlog.get_logger(__name__)


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


async def log_in(config: Config, version: str, clock: Clock) -> Login:
    """Make sure that the session file holds a login of the bot; log in if it does not, or does no more.

    Works on a copy in memory: a client that connects moves on the state of the updates in its session, and
    those missed while the engine was away would be lost.

    Raises:
        ConfigError: the token, the application or the data centre's key cannot be used.
        FloodWait: too many logins.
        TelegramError: the data centre does not answer, or refuses.
    """
    kept = _bot_session(config)
    try:
        if kept.auth_key is not None:
            try:
                return await _logged_in(kept, config, version, clock)
            except LoggedOut as error:
                _log.warning("the bot's login was ended; it logs in anew", cause=str(error))
                # a client goes on with the key that it was made with, and some keys are good for no login
                kept.auth_key = None
        try:
            return await _logged_in(kept, config, version, clock)
        except LoggedOut as error:
            raise TelegramError(f"Telegram ends each login of the bot ({error}): ask @BotFather") from None
    finally:
        kept.close()


async def _logged_in(kept: KeptSession, config: Config, version: str, clock: Clock) -> Login:
    session = kept.copied()
    client = _client(session, config, version, clock, receive_updates=False)
    async with _open(client, lambda: _signed_in(client, config, is_new=kept.auth_key is None)) as me:
        async with translated():
            state = await client(GetStateRequest())
        kept.take(session)
        kept.begin_updates(state)
    return login_of(client, me.username or "")


def carrying_client(config: Config, version: str, clock: Clock, path: Path) -> SteadyClient:
    """The client of a session file that was logged in before; it hears nothing. Not connected yet."""
    return _client(KeptSession.opened(config, path), config, version, clock, receive_updates=False)


def anonymous_client(config: Config, version: str) -> SteadyClient:
    """A client of nobody yet, whose session is kept in memory alone. Not connected yet."""
    session = MemorySession()
    if config.dc_public_key is not None:
        trust(config.dc_public_key)
    if (address := config.dc_host_port) is not None:
        session.set_dc(config.dc_id, *address)
    return _client(session, config, version, Clock(), receive_updates=False)


def login_of(client: Any, username: str) -> Login:
    """Where and by which key a connected client is logged in."""
    session = client.session
    return Login(
        username=username, host=session.server_address, port=session.port, auth_key=session.auth_key.key
    )


def new_client(config: Config, version: str, clock: Clock) -> SteadyClient:
    """The client of a logged-in bot, not connected yet: what hears updates is attached before `hearing`."""
    return _client(_bot_session(config), config, version, clock, catch_up=True)


@asynccontextmanager
async def connected(client: Any) -> AsyncIterator[None]:
    """Hold the connection; updates missed while it was closed come first.

    Raises:
        LoggedOut: the data centre does not know the login.
        TelegramError: it does not answer.
    """
    async with _open(client, client.connect):
        yield


@asynccontextmanager
async def hearing(client: Any) -> AsyncIterator[None]:
    """Hold a connection as `connected` does, on which all that comes from now on is heard.

    Telegram tells a session of updates once it asked for something: https://core.telegram.org/api/updates
    What was missed before can be asked for, but not a pressed button.
    """
    async with _open(client, lambda: _subscribed(client)):
        yield


async def _subscribed(client: Any) -> None:
    await client.connect()
    await client(GetStateRequest())


@asynccontextmanager
async def _open(client: Any, connect: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    try:
        try:
            async with translated(), asyncio.timeout(CONNECT_S):
                result = await connect()
        except NoAnswer as error:
            raise TelegramError(f"the data centre does not answer ({error}); check the network") from error
        yield result
    finally:
        await client.disconnect()
        with suppress(Exception):  # what ended the connection was told where it was used
            await client.disconnected


def _bot_session(config: Config) -> KeptSession:
    return KeptSession.opened(config, session_path(config, f"bot-{config.bot_id}"))


def _client(session: Any, config: Config, version: str, clock: Clock, **options: Any) -> SteadyClient:
    return SteadyClient.of_one_account(
        session,
        config.api_id,
        config.api_hash.get_secret_value(),
        clock=clock,
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


async def _signed_in(client: Any, config: Config, *, is_new: bool) -> Any:
    await client.connect()
    try:
        if is_new:
            await client.sign_in(bot_token=config.bot_token.get_secret_value())
        me = await client.get_me()
    except (AccessTokenInvalidError, AccessTokenExpiredError):
        raise ConfigError(["PEYK_BOT_TOKEN is refused by Telegram: take a new one from @BotFather"]) from None
    except ApiIdInvalidError:
        raise ConfigError(
            ["PEYK_API_ID and PEYK_API_HASH do not belong together: see my.telegram.org"]
        ) from None
    if me is None:
        raise LoggedOut("the data centre does not know this login any more")
    if me.id != config.bot_id:
        raise ConfigError(
            [f"PEYK_BOT_TOKEN and the session in {config.sessions_dir} are of two bots: move one away"]
        )
    return me
