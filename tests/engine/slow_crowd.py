"""People whose links lead to slow sites, beside people with small files: who waits for whom, and how long.

    python -m tests.engine.slow_crowd [SLOW_PEOPLE [POLITE_PEOPLE]]

prints after how many seconds the small files came while the slow ones were under way: 40 people with two
slow links each and 20 polite people by default. `test_slow_sources.py` plays the same.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telethon.crypto import rsa

from sandbox import Account, DataCentre, World
from sandbox.people import API_HASH, API_ID
from sandbox.site import MediaSite
from sandbox.world.letters import Draft
from tests.sources.sites import Asked, Site, head, site
from uploader.app import serve
from uploader.config import Config

#: Ways of being slow: bytes at 3.5 KB/s, with and without a length; a byte now and then; no answer at all;
#: redirects, each of which takes its time.
WAYS = ("trickle", "endless", "drip", "mute", "hops")
SMALL_BYTES = 100_000
_STEP_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of it."""

    slow_running: int  # jobs of slow sites under way when the polite people came
    slow_done: int  # ... that had brought a file when the last polite one came
    polite_s: tuple[float, ...]  # after so many seconds each small file came


async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """The site: the first part of the path says in which way it is slow."""
    way, _, rest = asked.path.lstrip("/").partition("/")
    if way == "mute":
        await asyncio.Event().wait()
    if way == "hops":
        await asyncio.sleep(3)
        writer.write(head(302, f"Location: /hops/{rest}x"))
        return
    length = () if way == "endless" else ("Content-Length: 2000000000", 'ETag: "slow"')
    writer.write(head(200, "Content-Type: application/zip", *length))
    while True:
        writer.write(b"x" if way == "drip" else bytes(int(3500 * _STEP_S)))
        await writer.drain()
        await asyncio.sleep(5.0 if way == "drip" else _STEP_S)


async def play(folder: Path, slow_people: int, polite_people: int) -> Seen:
    """Let slow links come, and when nothing else runs, the polite people; until all of them have their files.

    Waits for as long as that takes: the caller has a deadline.
    """
    world = World(folder / "spool")
    async with DataCentre(world) as dc, MediaSite() as small, site(slow, "0.0.0.0") as served:
        rsa.add_key(dc.public_key_path.read_bytes(), old=False)
        bot = world.add_bot("peyk_bot")
        async with _engine(folder, dc, bot):
            slow_ones = [world.add_user(f"Slow {number}") for number in range(slow_people)]
            for number, account in enumerate(slow_ones):
                for turn in range(2):
                    _send(world, bot, account, _slow_link(served, number, turn))
            await _until_asked(served, 2 * slow_people)
            slow_running = len(served.asked)
            polite = [world.add_user(f"Polite {number}") for number in range(polite_people)]
            began = time.monotonic()
            for number, account in enumerate(polite):
                _send(world, bot, account, small.url(f"{number}.bin", SMALL_BYTES))
            came_s = dict[int, float]()
            while len(came_s) < polite_people:
                await asyncio.sleep(0.02)
                for account in polite:
                    if account.id not in came_s and _files(account, bot):
                        came_s[account.id] = time.monotonic() - began
            slow_done = sum(_files(account, bot) for account in slow_ones)
    world.close()
    return Seen(slow_running=slow_running, slow_done=slow_done, polite_s=tuple(sorted(came_s.values())))


@asynccontextmanager
async def _engine(folder: Path, dc: DataCentre, bot: Account) -> AsyncIterator[None]:
    settings: dict[str, Any] = {
        "api_id": API_ID,
        "api_hash": API_HASH,
        "bot_token": bot.token,
        "data_dir": folder / "data",
        "sessions_dir": folder / "sessions",
        "dc_id": dc.id,
        "dc_address": f"{dc.host}:{dc.port}",
        "dc_public_key": dc.public_key_path,
        "allow_networks": "127.0.0.0/8",
    }
    config = Config(**settings)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(config, stop))
        while not config.socket_path.exists():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)
        try:
            yield
        finally:
            stop.set()


async def _until_asked(served: Site, links: int) -> None:
    """Until no further slow link is begun."""
    before = -1
    while before < len(served.asked) < links:
        before = len(served.asked)
        await asyncio.sleep(3.0)


def _slow_link(served: Site, number: int, turn: int) -> str:
    """A link of somebody with a site of their own."""
    way = WAYS[(number + turn) % len(WAYS)]
    return f"http://127.1.{number}.1:{served.port}/{way}/{turn}.zip"


def _send(world: World, bot: Account, account: Account, text: str) -> None:
    world.post_office.send(account, bot, Draft(text))


def _files(account: Account, bot: Account) -> int:
    letters = account.box.letters.values()
    return sum(letter.sender_id == bot.id and letter.draft.media is not None for letter in letters)


def main(arguments: list[str]) -> None:
    """Play it, and say what was seen."""
    slow_people, polite_people = [*map(int, arguments), 40, 20][: max(2, len(arguments))]
    with tempfile.TemporaryDirectory(prefix="peyk-slow-") as folder:
        seen = asyncio.run(play(Path(folder), slow_people, polite_people))
    came = ", ".join(f"{seconds:.1f}" for seconds in seen.polite_s)
    sys.stdout.write(f"requests of slow links: {seen.slow_running}; small files after s: {came}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
