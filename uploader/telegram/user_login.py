"""Logging a user account in by hand: phone, code, password. https://core.telegram.org/api/auth"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from telethon import errors

from uploader.config import Config
from uploader.errors import TelegramError
from uploader.telegram.client import anonymous_client, connected
from uploader.telegram.sessions import keep, session_path

#: Asks somebody at a terminal; the second argument: without showing what is typed.
Ask = Callable[[str, bool], Awaitable[str]]

#: Telegram itself bears a few more.
_TRIES: Final = 3
_REPLACE: Final = "This account is logged in here already. Replace that login? [y/N] "


async def log_user_in(config: Config, version: str, ask: Ask, say: Callable[[str], None]) -> Path | None:
    """Log an account in and keep its session; returns its file. None: somebody thought better of it.

    Raises:
        ConfigError: the data centre's key cannot be used.
        TelegramError: Telegram refuses, or does not answer; the message says what to do.
    """
    client = anonymous_client(config, version)
    async with connected(client):
        try:
            me = await _signed_in(client, ask, say)
        except errors.FloodWaitError as error:
            raise TelegramError(f"too many attempts: Telegram asks to wait {error.seconds} s") from None
        except errors.RPCError as error:
            raise TelegramError(f"Telegram refused: {error.message}") from None
        path = session_path(config, f"user-{me.id}")
        if path.exists() and await ask(_REPLACE, False) != "y":
            await client.log_out()
            return None
        keep(client.session, config, path)
        say(f"Logged in as {me.first_name or me.id}. Whoever has {path} is that account.")
        if not me.premium:
            say("It has no Premium: it carries files, but none larger than the bot itself.")
        return path


async def _signed_in(client: Any, ask: Ask, say: Callable[[str], None]) -> Any:
    phone = await ask("Phone number, with the country's code: ", False)
    try:
        sent = await client.send_code_request(phone)
    except errors.ApiIdInvalidError:
        raise TelegramError("PEYK_API_ID and PEYK_API_HASH do not belong together") from None
    except (errors.PhoneNumberInvalidError, errors.PhoneNumberBannedError, TypeError):
        raise TelegramError("there is no account with that number, or it is banned") from None
    for _ in range(_TRIES):
        code = await ask("The code that Telegram sent you: ", False)
        try:
            return await client.sign_in(phone, code, phone_code_hash=sent.phone_code_hash)
        except errors.SessionPasswordNeededError:
            return await _with_password(client, ask, say)
        except (errors.PhoneCodeInvalidError, errors.PhoneCodeEmptyError):
            say("That is not the code.")
        except errors.PhoneCodeExpiredError:
            say("That code has expired. Telegram sends another.")
            sent = await client.send_code_request(phone)
        except errors.PhoneNumberUnoccupiedError:
            raise TelegramError("there is no account with that number") from None
    raise TelegramError(f"no right code within {_TRIES} attempts: begin again later")


async def _with_password(client: Any, ask: Ask, say: Callable[[str], None]) -> Any:
    for _ in range(_TRIES):
        password = await ask("Password of the account (it is not shown): ", True)
        try:
            return await client.sign_in(password=password)
        except (errors.PasswordHashInvalidError, ValueError):
            say("That is not the password.")
    raise TelegramError(f"no right password within {_TRIES} attempts: begin again later")
