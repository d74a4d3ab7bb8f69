"""The demo: the main job from beginning to end, on one machine, against the local data centre.

`run` plays it without a screen and compares digests; `play` opens the dashboard and lets the newcomer be the
user. Both start the engine that serves real people, as a process of its own.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from sandbox.meter import Peaks, measured
from sandbox.people import NotSeen, Person, Place
from sandbox.site import MediaSite
from sandbox.stage import (
    Program,
    StageError,
    asked,
    dashboard,
    running_engine,
    running_sandbox,
    settings_for,
)

NAME: Final = "peyk-demo.bin"
MB: Final = 1_000_000
#: On a screen the upload takes its time, as it does over a real line: some 20 MB/s with the engine's window.
SLOW: Final = MappingProxyType({"method": "upload.save", "delay_s": 0.4})
#: A file has this long, and a second more for each MB: slower than any machine that can be used.
PATIENCE_S: Final = 120.0
ANSWER_S: Final = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One link, and what became of it. `error` is what the bot said instead of a file."""

    link: str
    name: str | None = None
    size_bytes: int | None = None
    sha256_source: str | None = None
    sha256_delivered: str | None = None
    seconds: float | None = None  # from the link, or the last channel joined, to the message with the file
    upload_mb_s: float | None = None  # MB of 10^6 bytes, from the first to the last part at the data centre
    error: str | None = None

    @property
    def is_equal(self) -> bool:
        """Whether the file arrived, and is the source's to the byte."""
        return self.sha256_delivered is not None and self.sha256_source == self.sha256_delivered


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """What is to be shown: these links, or a sample file of `size_bytes`; `keep` is where it is saved."""

    links: Sequence[str]
    size_bytes: int
    keep: Path | None
    as_json: bool

    async def run(self) -> int:
        """Play it without a screen; returns the exit status: 0 if all arrived and are equal."""
        console = Console(stderr=self.as_json, quiet=self.as_json, highlight=False)
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
        try:
            async with _scene() as scene:
                console.print(f"A data centre listens on {scene.centre['host']}:{scene.centre['port']},")
                console.print(f"the engine (process {scene.engine.process.pid}) serves @{scene.bot}.")
                async with scene.measured() as peaks:
                    deliveries = await _Journey(self, scene, console).play()
        except (StageError, NotSeen) as error:
            Console(stderr=True, highlight=False).print(f"The demo broke off: {error}", markup=False)
            return 1
        self._report(console, deliveries, peaks)
        return 0 if deliveries and all(delivery.is_equal for delivery in deliveries) else 1

    async def play(self) -> int:
        """Open the dashboard on a running engine, with a chat in which the newcomer is the user."""
        console = Console(highlight=False)
        try:
            with console.status("Starting a data centre, a media site and the engine…"):
                async with AsyncExitStack() as stack:
                    scene = await stack.enter_async_context(_scene())
                    await _lock(scene)
                    await asked(scene.centre["control"], {"op": "faults", "rules": [dict(SLOW)]})
                    stage = stack.pop_all()
            async with stage:
                link = self.links[0] if self.links else scene.site.url(NAME, self.size_bytes)
                return await dashboard(scene.settings, scene.folder, scene.centre["control"], link)
        except (StageError, NotSeen) as error:
            console.print(f"The demo broke off: {error}", markup=False)
            return 1

    def _report(self, console: Console, deliveries: Sequence[Delivery], peaks: Peaks) -> None:
        rss_mb = round(peaks.rss_bytes / MB, 1)
        if self.as_json:
            rows = [
                {key: value for key, value in asdict(d).items() if key != "error" or value}
                for d in deliveries
            ]
            print(  # noqa: T201 - the one line that was asked for
                json.dumps({"deliveries": rows, "rss_peak_mb": rss_mb, "disk_peak_bytes": peaks.disk_bytes})
            )
            return
        table = Table("file", "bytes", "seconds", "MB/s", "SHA-256")
        for delivery in deliveries:
            table.add_row(
                delivery.name or delivery.link,
                f"{delivery.size_bytes or 0:,}",
                f"{delivery.seconds or 0:.1f}",
                f"{delivery.upload_mb_s or 0:.0f}",
                "equal" if delivery.is_equal else delivery.error or "DIFFERENT",
            )
        console.print(table)
        console.print(
            f"The engine took {rss_mb:.0f} MB of memory and {peaks.disk_bytes:,} bytes on disk at most."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scene:
    """Everything that runs."""

    folder: Path
    centre: Mapping[str, Any]
    site: MediaSite
    settings: Mapping[str, str]
    engine: Program

    @property
    def bot(self) -> str:
        """The bot's username."""
        return str(self.centre["bot_username"])

    @property
    def place(self) -> Place:
        """The data centre, as a client needs it."""
        centre = self.centre
        return Place(centre["dc_id"], centre["host"], centre["port"], Path(centre["public_key"]))

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[Peaks]:
        """The engine's peaks."""
        async with measured(self.engine.process.pid, Path(self.settings["PEYK_DATA_DIR"])) as peaks:
            yield peaks


@asynccontextmanager
async def _scene() -> AsyncIterator[_Scene]:
    with tempfile.TemporaryDirectory(prefix="peyk-") as name:
        folder = Path(name)
        async with running_sandbox(folder) as centre, MediaSite() as site:
            settings = settings_for(centre, folder)
            async with running_engine(settings, folder) as engine:
                yield _Scene(folder=folder, centre=centre, site=site, settings=settings, engine=engine)


async def _lock(scene: _Scene) -> None:
    """The admin makes the channel a sponsor's."""
    async with Person.log_in(scene.place, scene.centre["admin"]["phone"], scene.bot) as admin:
        await admin.send(f"/lock add @{scene.centre['channel']['username']}")
        await admin.expect("Added", ANSWER_S)


class _Journey:
    """The user's way, step by step."""

    def __init__(self, demo: Demo, scene: _Scene, console: Console) -> None:
        self._demo = demo
        self._scene = scene
        self._console = console
        self._owes_sponsors = True

    async def play(self) -> list[Delivery]:
        """Send every link and receive what comes."""
        await _lock(self._scene)
        channel = self._scene.centre["channel"]
        self._console.print(f"The admin made @{channel['username']} a sponsor.")
        user = self._scene.centre["user"]
        links = self._demo.links or [self._scene.site.url(NAME, self._demo.size_bytes)]
        async with Person.log_in(self._scene.place, user["phone"], self._scene.bot) as person:
            await person.send("/start")
            greeting = await person.expect(timeout_s=ANSWER_S)
            self._console.print(
                f"{user['first_name']}: /start\n  bot: {greeting.raw_text.splitlines()[0]}", markup=False
            )
            return [await self._deliver(person, link) for link in links]

    async def _deliver(self, person: Person, link: str) -> Delivery:
        self._console.print(f"user: {link}", markup=False)
        source = await self._sha256_of(link)
        sent = await person.send(link)
        if self._owes_sponsors:
            card = await person.expect_that(_answers, "an answer to the link", ANSWER_S)
            if not card.reply_markup or not card.reply_markup.rows[0].buttons[0].text.startswith("Join"):
                return Delivery(link=link, error=card.raw_text)
            self._console.print(f"  bot: {card.raw_text}", markup=False)
            await person.press(card, 0)
            self._owes_sponsors = False
            self._console.print("user joins the channel.")
        begin = time.monotonic()
        patience_s = PATIENCE_S + (source[1] if source else self._demo.size_bytes) / MB
        message = await person.expect_that(
            lambda message: message.id > sent.id and _decides(message), "the file or a refusal", patience_s
        )
        seconds = time.monotonic() - begin
        if message.document is None:
            self._console.print(f"  bot: {message.raw_text}", markup=False)
            return Delivery(link=link, error=message.raw_text)
        size_bytes, sha256 = await self._save(person, message)
        self._console.print(f"  bot: [the file {message.file.name}, {size_bytes:,} bytes]", markup=False)
        return Delivery(
            link=link,
            name=message.file.name,
            size_bytes=size_bytes,
            sha256_source=source[0] if source else None,
            sha256_delivered=sha256,
            seconds=round(seconds, 3),
            upload_mb_s=round(size_bytes / MB / await self._upload_s(seconds), 1),
        )

    async def _upload_s(self, seconds: float) -> float:
        """How long the data centre received the latest file; a file of one part takes no time there."""
        answer = await asked(self._scene.centre["control"], {"op": "files"})
        latest = max(answer["files"], key=lambda file: file["last_part_at"])
        return float(latest["last_part_at"] - latest["first_part_at"]) or seconds

    async def _sha256_of(self, link: str) -> tuple[str, int] | None:
        """Digest and size of what is at the link, fetched by ourselves; None if it cannot be had."""
        if not self._demo.links:
            size_bytes = self._demo.size_bytes
            return await self._scene.site.sha256_of(NAME, size_bytes), size_bytes
        digest, size_bytes = hashlib.sha256(), 0
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=ANSWER_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(link) as response:
                response.raise_for_status()
                async for chunk in response.content.iter_any():
                    digest.update(chunk)
                    size_bytes += len(chunk)
        except (aiohttp.ClientError, OSError, ValueError):
            return None
        return digest.hexdigest(), size_bytes

    async def _save(self, person: Person, message: Any) -> tuple[int, str]:
        """Download the file as that user, counting; into the folder to keep it in, if there is one."""
        path = None
        if self._demo.keep is not None:
            path = _free(self._demo.keep / (Path(message.file.name or "file").name or "file"))
        columns = (TextColumn("receiving"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("receiving", total=message.file.size)
            return await person.save(message, path, lambda done, total: bar.update(task, completed=done))


def _answers(message: Any) -> bool:
    return bool(message.raw_text)


def _decides(message: Any) -> bool:
    """Whether this is the file, or the bot's last word: a message without a cancel button is one."""
    return message.document is not None or not message.reply_markup


def _free(path: Path) -> Path:
    """A name in this folder that nothing has yet."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem} ({number})")
    return free
