"""Several engines on one database, killed at random under random faults: nothing is lost, nothing twice.

    python -m tests.engine.torture [sqlite] [postgresql]

plays it at full size (300 jobs of 40 people, 4 engines, one of them killed every 2 s; some minutes for each
database) and prints what was found. `test_torture.py` plays the same with fewer jobs.
"""

import asyncio
import hashlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from telethon.tl import types

from sandbox import Account, DataCentre, Fault, World
from sandbox.people import API_HASH, API_ID
from sandbox.site import MediaSite
from sandbox.stage import Program, start
from sandbox.world.letters import Draft
from tests.storage import claim_log
from uploader import limits
from uploader.bench.queue import own_postgresql
from uploader.errors import Reason
from uploader.links import parse
from uploader.model import ENDED, JobState, Person
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.people import People

KIB = 1024
#: Most files are small; some need the other way of uploading (saveBigFilePart).
SIZES = (1, 64 * KIB, 300 * KIB, 700 * KIB, 1500 * KIB)
BIG_BYTES = 11 * KIB * KIB

#: What is broken, and how often.
FAULTS = (
    Fault("upload.save", probability=0.02, error=(500, "INTERNAL_SERVER_ERROR")),
    Fault("upload.save", probability=0.02, error=(420, "FLOOD_PREMIUM_WAIT_1")),
    Fault("upload.save", probability=0.01, drop=True),
    Fault("upload.save", probability=0.01, lose=True),
    Fault("messages.sendMedia", probability=0.05, drop=True),
    Fault("messages.sendMedia", probability=0.05, error=(500, "INTERNAL_SERVER_ERROR")),
    Fault("messages.sendMedia", probability=0.03, error=(420, "FLOOD_WAIT_2")),
    Fault("connect", probability=0.02, drop=True),
    # not broken, but slow: most kills shall meet a file on its way, or the moment between sending and noting
    Fault("messages.sendMedia", probability=0.8, delay_s=2.0),
    Fault("upload.save", delay_s=0.5),
)

#: Why a job may have failed: its file is not there; Telegram broke, or its worker died, too often.
NOT_THERE = frozenset({Reason.NOT_FOUND})
TOO_OFTEN = frozenset({Reason.UPLOAD_FAILED, Reason.INTERNAL, Reason.UNREACHABLE})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large it is. Each person of `people` has so many jobs."""

    people: tuple[int, ...] = (200, *[2] * 20, *[3] * 18, 6)
    engines: int = 4
    kill_every_s: float = 2.0
    kills: int = 1_000_000  # then they are left in peace
    deadline_s: float = 1500.0
    missing: float = 0.05  # part of the links that lead to nothing
    big: float = 0.03


@dataclass(frozen=True)
class Wanted:
    """A job as it was accepted."""

    job_id: int
    account: Account
    name: str
    sha256: str | None  # None: there is no such file


@dataclass(kw_only=True)
class Report:
    """What was found. `wrong` holds one sentence for each broken promise."""

    took_s: float = 0.0
    kills: int = 0
    states: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    most_running_of_one: int = 0
    recoveries: int = 0
    slowest_recovery_s: float = 0.0  # after the end of the lease, without times at which no engine was up
    greedy_done_before_others: int = 0
    restored: dict[str, int] = field(default_factory=dict)  # from a backup of the middle, at its own end
    wrong: list[str] = field(default_factory=list)


class Torture:
    """One play of a plan, on one database."""

    def __init__(
        self, plan: Plan, folder: Path, url: str, seed: int, tell: Callable[[str], object] = str
    ) -> None:
        """`tell` hears how far it is, twice a second."""
        self._tell = tell
        self._plan = plan
        self._folder = folder
        self._url = url
        self._chance = random.Random(seed)
        self._wanted: list[Wanted] = []
        self._looks: list[tuple[float, bool]] = []  # when, and whether any engine was up
        self._kills = 0

    async def play(self, restore_to: str | None = None) -> Report:
        """Do it. `restore_to`: the URL of an empty database, for a backup that is taken in the middle."""
        world = World(self._folder / "spool")
        async with (
            DataCentre(world) as dc,
            MediaSite() as site,
            await Database.open(self._url) as database,
        ):
            bot = world.add_bot("peyk_bot")
            await self._accept(world, bot, site, database)
            await claim_log.begin(database)
            world.faults.extend(replace(fault) for fault in FAULTS)
            began = time.time()
            async with self._engines(dc, bot) as engines, asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(self._look(engines))
                killing = tasks.create_task(self._kill(engines))
                if restore_to is not None:
                    await self._until_done(database, len(self._wanted) // 4)
                    await _run(["backup", str(self._folder)], engines[0])
                await self._until_done(database, len(self._wanted))
                killing.cancel()
                looking.cancel()
            report = await self._judged(database, bot)
            report.took_s = time.time() - began
            if restore_to is not None:
                world.faults.clear()
                report.restored = await self._go_on(dc, bot, restore_to)
        world.close()
        return report

    async def _accept(self, world: World, bot: Account, site: MediaSite, database: Database) -> None:
        jobs, people = Jobs(database), People(database, bot.id)
        accounts = [world.add_user(f"Person {index}") for index in range(len(self._plan.people))]
        for account in accounts:
            world.post_office.send(account, bot, Draft("hello"))
            access_hash = world.accounts.access_hash(bot, "user", account.id)
            await people.see(Person(user_id=account.id, access_hash=access_hash, language="en", name="P"))
        links = [
            (account, turn)
            for account, count in zip(accounts, self._plan.people, strict=True)
            for turn in range(count)
        ]
        for number, (account, _) in enumerate(sorted(links, key=lambda link: link[1])):
            self._wanted.append(await self._accept_one(jobs, site, account, number))

    async def _accept_one(self, jobs: Jobs, site: MediaSite, account: Account, number: int) -> Wanted:
        name = f"file-{number}.bin"
        is_big = self._chance.random() < self._plan.big
        size_bytes = BIG_BYTES if is_big else self._chance.choice(SIZES)
        url, sha256 = site.url(name, size_bytes), await site.sha256_of(name, size_bytes)
        is_missing = self._chance.random() < self._plan.missing
        job = await jobs.add(
            user_id=account.id,
            chat_id=account.id,
            message_id=1_000_000 + number,
            language="en",
            link=parse(url.replace("size=", "missing=") if is_missing else url),
            state=JobState.QUEUED,
        )
        if job is None:
            raise AssertionError("a message made two jobs")
        return Wanted(job.id, account, name, None if is_missing else sha256)

    @asynccontextmanager
    async def _engines(self, dc: DataCentre, bot: Account) -> AsyncIterator[list["_Engine"]]:
        engines = [
            _Engine(self._folder / f"engine-{number}", dc, bot, self._url)
            for number in range(self._plan.engines)
        ]
        async with AsyncExitStack() as stack:
            for engine in engines:
                stack.push_async_callback(engine.kill)
                await engine.start()
            await asyncio.gather(*(engine.until_up() for engine in engines))
            yield engines

    async def _kill(self, engines: list["_Engine"]) -> None:
        while self._kills < self._plan.kills:
            await asyncio.sleep(self._plan.kill_every_s)
            engine = self._chance.choice(engines)
            await engine.kill()
            await engine.start()
            self._kills += 1

    async def _look(self, engines: list["_Engine"]) -> None:
        while True:
            up = [await engine.is_up() for engine in engines]
            self._looks.append((time.time(), any(up)))
            await asyncio.sleep(0.1)

    async def _until_done(self, database: Database, count: int) -> None:
        jobs = Jobs(database)
        async with asyncio.timeout(self._plan.deadline_s):
            while True:
                counts = await jobs.counts()
                ended = sum(counts[state] for state in ENDED)
                self._tell(f"{ended} of {len(self._wanted)} ended, {self._kills} kills")
                if ended >= count:
                    return
                await asyncio.sleep(0.5)

    async def _go_on(self, dc: DataCentre, bot: Account, url: str) -> dict[str, int]:
        """Put the backup into another database, and let an engine go on from there; the states at the end."""
        engine = _Engine(self._folder / "restored", dc, bot, url)
        (path,) = self._folder.glob("*.backup")
        async with await Database.open(url) as database:
            await claim_log.begin(database)  # the log is in the backup, and what writes it must be there
        await _run(["restore", str(path)], engine)
        async with await Database.open(url) as database:
            counts = await Jobs(database).counts()
            self._tell(f"restored {counts}")
            await engine.start()
            try:
                await self._until_done(database, len(self._wanted))
            finally:
                await engine.kill()
            return {
                "at first": sum(counts[state] for state in ENDED),
                **_plain(await Jobs(database).counts()),
            }

    async def _judged(self, database: Database, bot: Account) -> Report:
        jobs, report = Jobs(database), Report(kills=self._kills)
        moves = await claim_log.read(database)
        for wanted in self._wanted:
            job = await jobs.get(wanted.job_id)
            if job is None:
                report.wrong.append(f"job {wanted.job_id} is gone")
                continue
            reason = job.reason.value if job.reason else ""
            report.states[job.state.value] = report.states.get(job.state.value, 0) + 1
            if reason:
                report.reasons[reason] = report.reasons.get(reason, 0) + 1
            digests = _digests(wanted, bot)
            allowed = NOT_THERE if wanted.sha256 is None else TOO_OFTEN
            done = job.state is JobState.DONE and digests == [wanted.sha256]
            failed = job.state is JobState.FAILED and digests == [] and job.reason in allowed
            if not (done or failed):
                report.wrong.append(f"{wanted.name}: {job.state} {reason}, {len(digests)} messages")
        report.most_running_of_one = claim_log.most_at_once(moves)
        late = [self._lateness_s(move) for move in moves if move.is_recovery]
        report.recoveries, report.slowest_recovery_s = len(late), max(late, default=0.0)
        report.greedy_done_before_others = self._greedy(moves)
        return report

    def _lateness_s(self, move: claim_log.Move) -> float:
        """How long after the end of its lease a job was taken over; nobody can while no engine is up."""
        ended_at, down_s = move.old_lease or 0.0, 0.0
        for (at, up), (until, _) in zip(self._looks, self._looks[1:], strict=False):
            if not up:
                down_s += max(0.0, min(until, move.at) - max(at, ended_at))
        return move.at - ended_at - down_s

    def _greedy(self, moves: list[claim_log.Move]) -> int:
        """How many jobs of the first person were done when all those with two jobs had begun theirs."""
        counts = Counter(wanted.account.id for wanted in self._wanted)
        greedy = max(counts, key=lambda user_id: counts[user_id])
        waiting = {w.job_id for w in self._wanted if counts[w.account.id] == 2}
        done = 0
        for move in moves:
            done += move.user_id == greedy and move.new_state == "done"
            waiting.discard(move.job_id)
            if not waiting:
                return done
        return done


class _Engine:
    """One engine, its folder and its login."""

    def __init__(self, folder: Path, dc: DataCentre, bot: Account, url: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.settings = {
            "PEYK_API_ID": str(API_ID),
            "PEYK_API_HASH": API_HASH,
            "PEYK_BOT_TOKEN": str(bot.token),
            "PEYK_DATA_DIR": str(folder / "data"),
            "PEYK_SESSIONS_DIR": str(folder / "sessions"),
            "PEYK_DATABASE_URL": url,
            "PEYK_DC_ID": str(dc.id),
            "PEYK_DC_ADDRESS": f"{dc.host}:{dc.port}",
            "PEYK_DC_PUBLIC_KEY": str(dc.public_key_path),
            "PEYK_ALLOW_NETWORKS": "127.0.0.1/32",
            "PEYK_BACKUP_KEY": "a secret of the operator's",
            "PEYK_UPLOAD_CONNECTIONS": "2",
            "PEYK_UPLOAD_CONNECTIONS_MAX": "2",
        }
        self._program: Program | None = None

    async def start(self) -> None:
        """Start it; it is not up yet."""
        self._program = await start(["bot"], self.folder, self.settings, "engine")

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self._program is not None and self._program.process.returncode is None:
            with suppress(ProcessLookupError):
                self._program.process.send_signal(signal.SIGKILL)
            await self._program.process.wait()

    async def is_up(self) -> bool:
        """Whether it serves."""
        try:
            _reader, writer = await asyncio.open_unix_connection(self.folder / "data" / "control.sock")
        except OSError:
            return False
        writer.close()
        return True

    async def until_up(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(90):
            while not await self.is_up():  # noqa: ASYNC110 - a socket of another process
                await asyncio.sleep(0.05)


def _plain(counts: Mapping[JobState, int]) -> dict[str, int]:
    return {state.value: count for state, count in counts.items()}


async def _run(arguments: list[str], engine: "_Engine") -> None:
    """One command of `run.py` with an engine's settings; its log is the error if it fails."""
    program = await start(arguments, engine.folder, engine.settings, arguments[0])
    if await program.process.wait() != 0:
        raise AssertionError(program.last_words())


def _digests(wanted: Wanted, bot: Account) -> list[str]:
    """The digests of the files of that name in the chat with the bot."""
    found = []
    for letter in wanted.account.box.letters.values():
        media = letter.draft.media
        if letter.sender_id != bot.id or media is None:
            continue
        names = [
            each.file_name
            for each in media.file.attributes  # type: ignore[union-attr] # no photos here
            if isinstance(each, types.DocumentAttributeFilename)
        ]
        if names == [wanted.name]:
            blob = media.file.blob  # type: ignore[union-attr] # no photos here
            found.append(hashlib.sha256(blob.read(0, blob.size_bytes)).hexdigest())
    return found


def _on_screen(text: str) -> None:
    sys.stderr.write(f"\r{text}  ")


def main(kinds: list[str]) -> int:
    """Play at full size on each database named; returns how many promises were broken."""
    wrong = 0
    for kind in kinds or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="peyk-torture-") as folder, own_postgresql() as postgresql:
            url = postgresql if kind == "postgresql" else f"sqlite:///{folder}/shared/peyk.db"
            if url is None:
                sys.stdout.write("no PostgreSQL here\n")
                continue
            report = asyncio.run(Torture(Plan(), Path(folder), url, seed=1, tell=_on_screen).play())
        sys.stdout.write(f"{kind}: {asdict(report)}\n")
        wrong += len(report.wrong)
        wrong += report.most_running_of_one > limits.RUNNING_JOBS_PER_PERSON
        wrong += report.slowest_recovery_s > 2.0
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
