"""A hostile crowd and polite people before one engine, over real MTProto: who is answered, and how soon.

    python -m tests.engine.crowd [--seconds 600] [--hostile 30] [--polite 20] [--seed 1]

Hostile people send the worst of everything as fast as they can; polite ones a link now and then. What is told
at the end: how long the polite ones waited for their first answer and for their files, what the callbacks of
the engine's event loop cost (see `probed`), its memory, and what of its log is a fault of the engine.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from aiohttp import web
from telethon.tl import types

from sandbox import Account, DataCentre, World
from sandbox.people import API_HASH, API_ID
from sandbox.site import MediaSite
from sandbox.world.box import Logged
from sandbox.world.events import ButtonPressed
from sandbox.world.files import Document
from sandbox.world.letters import Draft, Letter, Media
from sandbox.world.uploads import MAX_PART_BYTES, Blob

KIB = 1024
START_S = 60.0
STOP_S = 60.0
#: So long a polite person waits for an answer before it counts as none, and rests before the next link.
PATIENCE_S = 60.0
REST_S = (6.0, 12.0)
#: What one hostile person sends in a second.
HOSTILE_PER_S = 2.0

#: What the worst text files and messages are made of.
FILLINGS = (
    *(
        "http://a/ ",
        "https://a.invalid/x ",
        "a.com ",
        "://",
        " ",
        "\n",
        "\u200f",
        "é.",
        "1:20-2:35 ",
        "a@b.c ",
    ),
    *(
        "http://10.0.0.1/ ",
        "http://[::1]/ ",
        "magnet:x ",
        "tg://resolve?a=1&",
        "http://a/?utm_source=1&",
        "🇮",
    ),
)
COMMANDS = (
    *("/start", "/help", "/settings", "/cancel", "/status", "/lock add @x", "/cookies add", "/caption x"),
    *("/nonsense", "/start@other_bot", "\u2067/\u200cstart\u2069", "/" + "a" * 4000, "/", "//"),
)
PRESSES = (
    *(b"cancel:1", b"again:1", b"joined", b"file:1:send", b"list:1:0", b"list:1:999", b"batch:1:cancel"),
    *(b"pick:1:v720", b"cut:1", b"\xff" * 64, b"cancel:" + b"9" * 50, b"", b"cancel:-1", b"page:1:999999"),
)
NAMES = (
    "\u202egpj.exe",
    "a" * 400,
    "../../etc/passwd",
    "\u200c\u064b" * 1000,
    "CON",
    "\u2067سلام\u2069",
    "🇮" * 300,
)


@dataclass(kw_only=True)
class Seen:
    """What was found."""

    seconds: float = 0.0
    sent_by_hostile: int = 0
    first_answers_s: list[float] = field(default_factory=list)
    files_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    callbacks: int = 0
    engine_cpu_s: float = 0.0
    long_callbacks: int = 0  # above probed.LONG_S
    worst_callbacks: list[tuple[float, str]] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)  # at each tenth of the time
    messages_by_bot: int = 0
    floods: dict[str, int] = field(default_factory=dict)  # calls to which Telegram said FLOOD_WAIT
    faults: list[str] = field(default_factory=list)  # of the log
    exit_status: int | None = None

    def first_answer_s(self, percent: int) -> float:
        """How long so many of a hundred waited at most for a first answer."""
        return quantiles([*self.first_answers_s, *[PATIENCE_S] * self.unanswered], n=100)[percent - 1]


class Crowd:
    """One play."""

    def __init__(self, folder: Path, *, seconds: float, hostile: int, polite: int, seed: int) -> None:
        self._folder = folder
        self._seconds = seconds
        self._chance = random.Random(seed)
        self._world = World(folder / "spool")
        self._bot = self._world.add_bot("peyk_bot")
        self._hostile = [self._world.add_user(f"H{at}", lang_code="fa") for at in range(hostile)]
        self._polite = [self._world.add_user(f"P{at}") for at in range(polite)]
        self._files = [self._text_file(filling) for filling in FILLINGS]
        self._letters: dict[int, Letter] = {}
        self._seen = Seen(seconds=seconds)
        self._numbers = iter(range(1, 1_000_000_000))

    async def play(self) -> Seen:
        """Do it."""
        async with DataCentre(self._world) as dc, MediaSite() as site, _trickle() as slow:
            engine = await self._start(dc)
            try:
                await self._serve_all(engine.pid, site, slow)
            finally:
                engine.send_signal(signal.SIGTERM)
                async with asyncio.timeout(STOP_S):
                    self._seen.exit_status = await engine.wait()
        self._judge()
        self._world.close()
        return self._seen

    async def _start(self, dc: DataCentre) -> asyncio.subprocess.Process:
        settings = {
            "PEYK_API_ID": str(API_ID),
            "PEYK_API_HASH": API_HASH,
            "PEYK_BOT_TOKEN": str(self._bot.token),
            "PEYK_DATA_DIR": str(self._folder / "data"),
            "PEYK_SESSIONS_DIR": str(self._folder / "sessions"),
            "PEYK_DC_ID": str(dc.id),
            "PEYK_DC_ADDRESS": f"{dc.host}:{dc.port}",
            "PEYK_DC_PUBLIC_KEY": str(dc.public_key_path),
            "PEYK_ALLOW_NETWORKS": "127.0.0.1/32",
        }
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PEYK_")}
        with (self._folder / "engine.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.engine.probed", str(self._folder / "figures.json")),
                env={**environment, **settings},
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_S):
            while not (self._folder / "data" / "control.sock").exists():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        return process

    async def _serve_all(self, engine_pid: int, site: MediaSite, slow: str) -> None:
        until = time.monotonic() + self._seconds
        async with asyncio.TaskGroup() as people:
            people.create_task(self._watch(engine_pid, until))
            for account in self._hostile:
                people.create_task(self._be_hostile(account, slow, until))
            for account in self._polite:
                people.create_task(self._be_polite(account, site, until))

    async def _watch(self, engine_pid: int, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self._seconds / 10)
            self._seen.memory_mib.append(_resident_mib(engine_pid))

    # the polite

    async def _be_polite(self, account: Account, site: MediaSite, until: float) -> None:
        await asyncio.sleep(self._chance.uniform(0.0, REST_S[0]))
        while time.monotonic() < until:
            link = site.url(f"{next(self._numbers)}.bin", self._chance.choice((KIB, 40 * KIB, 300 * KIB)))
            began_s, before = time.monotonic(), account.box.last_message_id + 1
            self._send(account, Draft(link))
            if await self._comes(account, before, lambda _: True):
                self._seen.first_answers_s.append(time.monotonic() - began_s)
                if await self._comes(account, before, lambda letter: letter.draft.media is not None):
                    self._seen.files_s.append(time.monotonic() - began_s)
            else:
                self._seen.unanswered += 1
            await asyncio.sleep(self._chance.uniform(*REST_S))

    async def _comes(self, account: Account, before: int, fits: Callable[[Letter], bool]) -> bool:
        """Whether the bot says something that fits within PATIENCE_S."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            letters = account.box.letters
            for number in range(before + 1, account.box.last_message_id + 1):
                if letters[number].sender_id == self._bot.id and fits(letters[number]):
                    return True
            await asyncio.sleep(0.005)
        return False

    # the hostile

    async def _be_hostile(self, account: Account, slow: str, until: float) -> None:
        deeds: Sequence[Callable[[Account], object]] = (
            *[self._flood_of_commands] * 4,
            *[self._press] * 3,
            *(self._send_file, self._send_file, self._fill, self._hide_links, self._edit, self._send_album),
            *(self._name, lambda account: self._send(account, Draft(slow))),
        )
        while time.monotonic() < until:
            self._chance.choice(deeds)(account)
            await asyncio.sleep(self._chance.expovariate(HOSTILE_PER_S))

    def _flood_of_commands(self, account: Account) -> None:
        self._send(account, Draft(self._chance.choice(COMMANDS)))

    def _press(self, account: Account) -> None:
        query_id, _answer = self._world.buttons.ask(self._bot)
        data = self._chance.choice(PRESSES)
        pressed = ButtonPressed(query_id, account.id, account.id, self._bot.box.last_message_id, data)
        self._world.tell(self._bot, Logged(pressed, 0, 0, 0))

    def _send_file(self, account: Account) -> None:
        self._send(account, Draft("", media=Media(self._chance.choice(self._files))))

    def _fill(self, account: Account) -> None:
        self._send(account, Draft((self._chance.choice(FILLINGS) * 4096)[:4096]))

    def _hide_links(self, account: Account) -> None:
        links = [types.MessageEntityTextUrl(at, 1, f"http://a.invalid/{at}" + "x" * 200) for at in range(100)]
        self._send(account, Draft("x" * 4096, tuple(links)))

    def _edit(self, account: Account) -> None:
        letter = self._letters.get(account.id)
        if letter is not None:
            draft = Draft((self._chance.choice(FILLINGS) * 4096)[:4096])
            self._world.post_office.edit(letter, draft, account)
            self._seen.sent_by_hostile += 1

    def _send_album(self, account: Account) -> None:
        number = next(self._numbers)
        for _ in range(10):
            self._send(account, Draft("http://a/", media=Media(self._files[0]), album_id=number))

    def _name(self, account: Account) -> None:
        self._send(account, Draft(self._chance.choice(NAMES)))

    def _send(self, account: Account, draft: Draft) -> None:
        self._letters[account.id] = self._world.post_office.send(account, self._bot, draft).letter
        self._seen.sent_by_hostile += account in self._hostile

    def _text_file(self, filling: str) -> Document:
        content = (filling * 256 * KIB).encode()[: 256 * KIB]
        path = self._world.spool / f"filling-{FILLINGS.index(filling)}"
        path.write_bytes(content)
        made = Document(
            self._world.files.new_id(),
            Blob(path, len(content), MAX_PART_BYTES),
            "text/plain",
            (types.DocumentAttributeFilename("\u202etxt.links.txt"),),
            self._world.clock.date(),
            2,
            None,
        )
        self._world.add_file(made)
        return made

    # what was found

    def _judge(self) -> None:
        seen = self._seen
        figures = json.loads((self._folder / "figures.json").read_text())
        seen.callbacks, seen.engine_cpu_s = figures["callbacks"], round(figures["cpu_s"], 1)
        seen.long_callbacks = figures["long"]
        seen.worst_callbacks = [(round(cost_s, 4), name) for cost_s, name in figures["worst"]]
        seen.messages_by_bot = self._world.stats.calls["messages.sendMessage"]
        seen.floods = dict(self._world.stats.floods)
        log = (self._folder / "engine.log").read_text(errors="replace").splitlines()
        seen.faults = [
            line
            for line in log
            if any(sign in line for sign in ("Traceback", "[error", "[critical", "Unhandled"))
        ]


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / KIB / KIB, 1)


@asynccontextmanager
async def _trickle() -> AsyncIterator[str]:
    """A site that sends a KiB a second for ever; gives the address of its file."""

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(1 << 30)})
        await response.prepare(request)
        while True:
            await response.write(bytes(KIB))
            await asyncio.sleep(1.0)

    app = web.Application()
    app.router.add_get("/slow.bin", serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slow.bin"
    finally:
        await runner.cleanup()


def told(seen: Seen) -> dict[str, Any]:
    """What was found, for the screen."""
    figures = asdict(seen)
    answers_s, files_s = figures.pop("first_answers_s"), figures.pop("files_s")
    percents = {
        f"first answer p{percent}": round(seen.first_answer_s(percent), 3) for percent in (50, 90, 99)
    }
    return {
        **{"links of polite people": len(answers_s) + seen.unanswered, **percents},
        "first answer at most": round(max(answers_s, default=0.0), 3),
        "files": len(files_s),
        "file at most": round(max(files_s, default=0.0), 1),
        **figures,
    }


def main(arguments: Sequence[str]) -> int:
    """Play it, and print what was found; the exit status says whether a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.crowd")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--hostile", type=int, default=30)
    parser.add_argument("--polite", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="peyk-crowd-") as folder:
        crowd = Crowd(
            Path(folder), seconds=asked.seconds, hostile=asked.hostile, polite=asked.polite, seed=asked.seed
        )
        seen = asyncio.run(crowd.play())
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in told(seen).items()))
    return int(bool(seen.faults or seen.long_callbacks or seen.first_answer_s(99) > 0.5 or seen.exit_status))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
