"""From the settings to a connected, logged-in client of the bot."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

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
from telethon.sessions import SQLiteSession

from uploader.config import Config
from uploader.errors import ConfigError, TelegramError

DEVICE_MODEL: Final = "Peyk"
#: A login and the first answers take a second or two; a data centre that needs longer is away.
CONNECT_S: Final = 60.0
#: Longer waits are handled by the caller, who knows what waits and whom to tell.
FLOOD_SLEEP_S: Final = 5


@asynccontextmanager
async def connected(config: Config, version: str) -> AsyncIterator[TelegramClient]:
    """The bot's client, logged in, its session file readable by the owner alone.

    Raises:
        ConfigError: the token, the application or the data centre's key cannot be used.
        TelegramError: the data centre does not answer.
    """
    client = _client(config, version)
    try:
        try:
            async with asyncio.timeout(CONNECT_S):
                await _log_in(client, config)
        except (OSError, TimeoutError) as error:
            raise TelegramError(
                f"the data centre does not answer ({type(error).__name__}); check the network"
            ) from error
        yield client
    finally:
        await client.disconnect()


def _client(config: Config, version: str) -> TelegramClient:
    session = SQLiteSession(str(_session_path(config)))
    address = config.dc_host_port
    if address is not None:
        session.set_dc(config.dc_id, *address)
    return TelegramClient(
        session,
        config.api_id,
        config.api_hash.get_secret_value(),
        device_model=DEVICE_MODEL,
        app_version=version,
        connection_retries=None,
        flood_sleep_threshold=FLOOD_SLEEP_S,
        catch_up=True,
    )


def _session_path(config: Config) -> Path:
    """The session file: one per bot and data centre, made with mode 0600 before Telethon opens it."""
    name = f"bot-{config.bot_id}"
    if config.dc_public_key is not None:
        name += "-" + _trust(config.dc_public_key)
    path = config.sessions_dir / f"{name}.session"
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)
    return path


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


async def _log_in(client: Any, config: Config) -> None:
    try:
        await client.connect()
    except AuthKeyNotFound:
        # the data centre lost or dropped this login: a new one is all that helps
        client.session.auth_key = None
        client.session.save()
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
