"""The data centre that `server_speed` measures, in a process of its own; asked by lines on standard input.

"bot", "user" or "other" makes a key of that account, "peer" names the user to the bot, "usage" tells what was
used and done. Each answer is a line of JSON. It ends with its standard input.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from sandbox import Account, DataCentre, World
from sandbox.world.uploads import Keep

_STATUS: Final = Path("/proc/self/status")


class Host:
    """A world with a bot and a user who wrote to it, and what is asked about them."""

    def __init__(self, dc: DataCentre) -> None:
        self._dc = dc
        self._bot = dc.world.add_bot()
        self._user = dc.world.add_user("Ada")
        self._bot.heard_from.add(self._user.id)

    def answer(self, request: str) -> dict[str, Any]:
        """What to say to one line."""
        match request:
            case "bot":
                return self._key(self._bot)
            case "user":
                return self._key(self._user)
            case "other":
                return self._key(self._dc.world.add_user("Somebody"))
            case "peer":
                accounts = self._dc.world.accounts
                return {
                    "user_id": self._user.id,
                    "access_hash": accounts.access_hash(self._bot, "user", self._user.id),
                }
            case "usage":
                return self._usage()
        return {"port": self._dc.port}

    def _key(self, account: Account) -> dict[str, Any]:
        secret = self._dc.logins.mint(account)
        login = self._dc.logins.of(account)[-1]
        login.layer = 200
        seal = self._dc.logins.get(login.key.id)
        return {"secret": secret.hex(), "salt": seal.salts.current(self._dc.now()) if seal else 0}

    def _usage(self) -> dict[str, Any]:
        used, stats = resource.getrusage(resource.RUSAGE_SELF), self._dc.world.stats
        return {
            "cpu_s": used.ru_utime + used.ru_stime,
            "rss_mb": _memory_mb("VmRSS"),
            "peak_mb": _memory_mb("VmHWM"),
            "parts": stats.parts,
            "messages": stats.messages,
            "calls": stats.calls.total(),
        }


def _memory_mb(field: str) -> float:
    """What Linux says of this process. Its `ru_maxrss` is of no use: it begins with that of the parent."""
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


async def host(keep: Keep, *, trusting: bool) -> None:
    """Serve until standard input ends."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    with tempfile.TemporaryDirectory(prefix="peyk-speed-", dir=os.environ.get("TMPDIR")) as spool:
        world = World(Path(spool))
        world.uploads.keep = keep
        async with DataCentre(world, trusting=trusting) as dc:
            asked = Host(dc)
            while line := await lines.readline():
                sys.stdout.write(json.dumps(asked.answer(line.decode().strip())) + "\n")
                sys.stdout.flush()
        world.close()


if __name__ == "__main__":
    asyncio.run(host(Keep(sys.argv[1]), trusting="trusting" in sys.argv[2:]))
