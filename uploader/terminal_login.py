"""`run.py login`: asks for what a login needs, on the terminal that it was started on."""

import asyncio
import getpass

from uploader import __version__
from uploader.config import Config
from uploader.errors import ConfigError, PeykError
from uploader.telegram.user_login import log_user_in


def main() -> int:
    """Log a user account in; returns the exit status."""
    try:
        config = Config.load()
        config.make_folders()
        kept = asyncio.run(log_user_in(config, __version__, _ask, _say))
    except (KeyboardInterrupt, EOFError):
        _say("Nothing was kept.")
        return 1
    except ConfigError as error:
        _say("\n".join(["The settings cannot be used:", *error.problems]))
        return 2
    except PeykError as error:
        _say(f"Not logged in: {error}")
        return 1
    if kept is None:
        _say("Nothing was changed.")
        return 1
    if not config.storage_chat:
        _say("Set PEYK_STORAGE_CHAT to a channel where this account and the bot may post: docs/OPERATIONS.md")
    _say("Restart the bot: it takes the account up when it starts.")
    return 0


async def _ask(what: str, hidden: bool) -> str:
    return (await asyncio.to_thread(getpass.getpass if hidden else input, what)).strip()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this program speaks to a terminal
