"""The data centre as a program: says where it is, and serves until it is told to stop."""

import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.control import Control
from sandbox.dc import DataCentre
from sandbox.layers import Layer
from sandbox.levers import read_faults
from sandbox.people import API_HASH, API_ID
from sandbox.world.accounts import LOGIN_CODE, Account
from sandbox.world.channels import Channel
from sandbox.world.floodgate import Limits
from sandbox.world.ledger import Ledger
from sandbox.world.letters import Draft
from sandbox.world.uploads import Keep
from sandbox.world.world import World

#: The same at each start, so that settings which were pasted once stay good.
_BOT_TOKEN: Final = "7000000001:AAG-local-data-centre-of-peyk-00000"  # noqa: S105 - opens nothing but this sandbox
_USER_PHONE: Final = "+9996610001"
_ADMIN_PHONE: Final = "+9996620002"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in the world at the start."""

    bot: Account
    user: Account
    admin: Account
    channel: Channel


#: Messages are numbered from the seconds since then: November 2025.
_NUMBERS_SINCE: Final = 1_764_000_000


def cast(world: World) -> Cast:
    """A bot, a person, one who may be its admin, and a sponsor's channel in which the bot is admin.

    They are made, unless the world was kept and has them.
    """
    accounts = world.accounts
    bot = accounts.by_token(_BOT_TOKEN) or world.add_bot("peyk_bot", "Peyk", _BOT_TOKEN)
    user = accounts.by_phone(_USER_PHONE) or world.add_user("Ada", _USER_PHONE)
    admin = accounts.by_phone(_ADMIN_PHONE) or world.add_user("Grace", _ADMIN_PHONE)
    # programs know messages by their numbers: those of an earlier sandbox must not come again
    begin = max(0, int(time.time()) - _NUMBERS_SINCE)
    for account in (bot, user, admin):
        account.box.last_message_id = account.box.last_message_id or begin
    channel = world.resolve("peyk_sponsor")
    if not isinstance(channel, Channel):
        channel = world.add_channel("peyk_sponsor", "The Sponsor", [bot])
        # a channel of Telegram's is never without a message, and GramJS cannot list one that is
        world.post_office.send(bot, channel, Draft("Welcome"))
    return Cast(bot, user, admin, channel)


async def serve(
    port: int = 0,
    key: Path | None = None,
    as_json: bool = False,
    control: bool = True,
    *,
    faults: Path | None = None,
    dc_ids: Sequence[int] = (2,),
    keep: Keep = Keep.CONTENT,
    trusting: bool = False,
    state: Path | None = None,
    limits: bool = True,
    layers: Sequence[Path] = (),
) -> None:
    """Serve on loopback until SIGTERM or SIGINT.

    `port` 0 is any free one, else data centres after the first take those that follow; `key` is the RSA key's
    file, made if it is not there; None: one for all runs. `faults`: see `read_faults`. `keep`: what stays of
    large files. `trusting`: see DataCentre. `state` is the folder of what shall be there at the next start;
    without it all is gone then. With `limits` bots are made to wait as Telegram would. `layers` are files of
    TL text: clients of those API layers are answered in them. Raises OSError, ValueError, and LedgerError
    when the state cannot be used.
    """
    async with AsyncExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peyk-sandbox-")))
        ledger = Ledger(folder / "world.sqlite") if state is not None else None
        world = World(folder / "files", ledger, Limits() if limits else None)
        stack.callback(world.close)
        world.uploads.keep = Keep.SIZES if trusting else keep
        if faults is not None:
            read_faults(world, faults)
        players = cast(world)
        spoken = [Layer.parse(path.read_text(encoding="utf-8")) for path in layers]
        centres = [DataCentre(world, key, dc_id, spoken, trusting=trusting) for dc_id in dc_ids]
        for number, centre in enumerate(centres):
            await centre.start(port=port + number if port else 0)
            stack.push_async_callback(centre.stop)
        dc, *others = centres
        address = None
        if control:
            ruler = Control(dc, players.user, players.bot, players.channel, others)
            address = await stack.enter_async_context(ruler.listening())
        stopped = _stop_signal()
        facts = describe(dc, players, address)
        sys.stdout.write(json.dumps(facts) + "\n" if as_json else read_aloud(facts))
        sys.stdout.flush()
        await stopped.wait()


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def describe(dc: DataCentre, players: Cast, control: tuple[str, int] | None) -> dict[str, Any]:
    """All that a client needs to know."""
    return {
        "dc_id": dc.id,
        "host": dc.host,
        "port": dc.port,
        "addresses": {str(dc_id): list(address) for dc_id, address in dc.world.addresses.items()},
        "public_key": str(dc.public_key_path.absolute()),
        "api_id": API_ID,
        "api_hash": API_HASH,
        "bot_token": players.bot.token,
        "bot_username": players.bot.username,
        "user": _person(players.user),
        "admin": _person(players.admin),
        "channel": {
            "username": players.channel.username,
            "title": players.channel.title,
            "id": players.channel.id,
        },
        "control": {"host": control[0], "port": control[1]} if control is not None else None,
    }


def _person(account: Account) -> dict[str, Any]:
    return {
        "phone": f"+{account.phone}",
        "code": LOGIN_CODE,
        "id": account.id,
        "first_name": account.first_name,
    }


def read_aloud(facts: dict[str, Any]) -> str:
    """The same for people: all of it can be pasted into `.env`."""
    lines = [
        f"# A local Telegram data centre listens on {facts['host']}:{facts['port']}. Stop it with Ctrl+C.",
        "",
        f"PEYK_API_ID={facts['api_id']}",
        f"PEYK_API_HASH={facts['api_hash']}",
        f"PEYK_BOT_TOKEN={facts['bot_token']}",
        f"PEYK_ADMINS={facts['admin']['id']}",
        f"PEYK_DC_ID={facts['dc_id']}",
        f"PEYK_DC_ADDRESS={facts['host']}:{facts['port']}",
        f"PEYK_DC_PUBLIC_KEY={facts['public_key']}",
        "# links to servers of this machine, as the sandbox is one",
        "PEYK_ALLOW_NETWORKS=127.0.0.0/8",
        "",
        *(
            f"# {who}: {facts[who]['first_name']}, {facts[who]['phone']}, code {facts[who]['code']}"
            for who in ("user", "admin")
        ),
        f"# channel: @{facts['channel']['username']} ({facts['channel']['title']})",
    ]
    if facts["control"] is not None:
        lines.append(f"# control port: {facts['control']['host']}:{facts['control']['port']}")
    return "\n".join(lines) + "\n"
