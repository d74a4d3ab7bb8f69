"""A bot after months: many people, many jobs, a clock that runs ahead, and the memory before and after.

    python -m tests.engine.soak [JOBS [PEOPLE]]

50,000 jobs of 10,000 people by default. Everything of the engine between the message and the database
works in this process; what Telegram and the sites would do is played at the lowest doors.
"""

import asyncio
import gc
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import structlog

from uploader import limits
from uploader.batching import Batching
from uploader.captions import Captions
from uploader.chat.albums import AlbumCards
from uploader.chat.batch import BatchChat
from uploader.chat.batch_cards import BatchCards
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.user import UserChat
from uploader.delivery import Delivery, HeldDelivery
from uploader.intake import Incoming, Intake
from uploader.model import Delivered, Job, Link, Person, Progress, RemoteFile
from uploader.quotas import Allowance, Quotas, Turnstile
from uploader.reuse import Reuse
from uploader.sponsors import SponsorLocks
from uploader.storage.batches import Batches
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.files import Files
from uploader.storage.heard import Heard
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.storage.parkings import Parkings
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings
from uploader.storage.sponsors import Sponsors
from uploader.storage.volumes import Volumes
from uploader.texts import Texts
from uploader.transfer import CAP_BYTES, Carrier, Carriers, PoolStatus
from uploader.transfer.slots import Claim, Slots
from uploader.worker import Worker

#: Jobs under way between the one who sends and the worker.
AHEAD = 32
#: What passes on the clock for each job: 50,000 of them are two months, so that rows grow old and are pruned.
STEP_S = 100.0
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Soaked:
    """What was measured, in bytes; `rows`: jobs in the database at the end."""

    before_bytes: int
    after_bytes: int
    jobs_done: int
    rows: int
    took_s: float


class _Clock:
    """Time as the jobs make it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class _Telegram:
    """Takes every message; the numbers of the messages count up."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def say(self, *_: Any, **__: Any) -> int:
        return next(self._numbers)

    async def edit(self, *_: Any, **__: Any) -> bool:
        return True

    async def deliver(self, *_: Any, **__: Any) -> Delivered:
        return Delivered(message_id=next(self._numbers))


class _Pool:
    """Acknowledges every part."""

    account = "soak"

    def status(self) -> PoolStatus:
        return PoolStatus(connections=1, planned=1, parts=0, parked_until=None, stopped=None)

    def __init__(self) -> None:
        self._slots = Slots(8, lambda _waited: None)

    @contextmanager
    def claim(self, parked: Callable[[float], None]) -> Iterator[Claim]:
        with self._slots.claim(parked) as claim:
            yield claim

    async def digest(self, digest: Any, data: memoryview) -> None:
        digest.update(data)

    async def save(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(0)


class _Sites:
    """Gives a small file for every link."""

    def static_verdict(self, link: Link) -> None:
        return None

    @asynccontextmanager
    async def open(self, link: Link, *_: Any, **__: Any) -> AsyncIterator[RemoteFile]:
        async def read(_start: int, _stop: int | None) -> AsyncIterator[bytes]:
            yield b"x" * 100

        yield RemoteFile(
            name=f"{link.url[-12:]}.bin",
            size_bytes=100,
            mime_type="application/octet-stream",
            validator="v",
            read=read,
        )


class _Ended:
    """Lets in the next message for each job that ended."""

    def __init__(self, room: asyncio.Semaphore) -> None:
        self._room = room
        self.done = 0

    def started(self, job: Job) -> None: ...

    def progress(self, progress: Progress) -> None: ...

    async def ended(self, job: Job) -> None:
        self.done += job.state == "done"
        self._room.release()


async def soak(folder: Path, jobs_count: int, people_count: int, warm: int = 500) -> Soaked:
    """Play it; the memory is first looked at after `warm` jobs."""
    clock, room, stop = _Clock(), asyncio.Semaphore(AHEAD), asyncio.Event()
    began = time.monotonic()
    async with await Database.open(f"sqlite:///{folder / 'peyk.db'}", clock=clock) as database:
        telegram: Any = _Telegram()
        sites: Any = _Sites()
        pool: Any = _Pool()
        ended = _Ended(room)
        jobs, people, rates, deadlines = (
            Jobs(database, lease_s=1000 * STEP_S),
            People(database, 1),
            Rates(database),
            Deadlines(database),
        )
        texts = Texts("en")
        status = StatusMessages(telegram, jobs, people, Choices(database), Owed(database), texts)
        carrier = Carrier(name="soak", pool=pool, cap_bytes=CAP_BYTES, post=telegram.deliver)
        delivery = Delivery(
            jobs=jobs,
            volumes=Volumes(database),
            people=people,
            sources=sites,
            carriers=Carriers([carrier], CAP_BYTES, telegram.say, Parkings(database)),
            gateway=telegram,
            reuse=Reuse(Files(database), telegram),
            held=HeldDelivery(jobs, telegram, telegram, telegram, sites),
            texts=texts,
            captions=Captions("", texts),
            volume_bytes=CAP_BYTES,
        )
        worker = Worker("soak", jobs=jobs, people=people, delivery=delivery, watchers=(status, ended))
        quotas = Quotas(rates, Allowance(files_per_day=0, bytes_per_day=0, queue_jobs=0), clock)
        holds = Holds(database)
        locks = SponsorLocks(Sponsors(database), holds, people, telegram, worker.nudge, clock)
        batches = Batches(database)
        batching = Batching(
            jobs,
            batches,
            Choices(database),
            locks,
            quotas,
            static_verdict=sites.static_verdict,
            account_id=1,
            most=9,
        )
        intake = Intake(
            jobs, people, Settings(database), locks, batching, rates, quotas, Heard(database), 1, worker.nudge
        )
        cards = BatchCards(telegram, batches, people, texts)
        owed = SponsorCards(telegram, locks, holds, jobs, batches, people, rates, status, texts)
        batch_chat = BatchChat(telegram, intake, batches, cards, owed, texts)
        albums = AlbumCards(jobs, status)
        user = UserChat(telegram, intake, people, rates, status, texts, batch_chat, owed, albums)
        calls = Turnstile(limits.CALLS_PER_PACE, "too-many-calls", clock)
        before_bytes = 0
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(worker.run(stop))
            for number in range(jobs_count):
                if number == warm:
                    before_bytes = _resident_bytes()
                await room.acquire()
                clock.now += STEP_S
                user_id = 1000 + number % people_count
                person = Person(user_id=user_id, access_hash=user_id, language="en", name=f"P{user_id}")
                calls.knock(user_id)
                await user.text(_incoming(person, number, clock.now))
                if number % 50 == 0:
                    await deadlines.prune()
            for _ in range(AHEAD):
                await room.acquire()
            stop.set()
            worker.nudge()
            await working
        rows = sum((await jobs.counts()).values())
        return Soaked(
            before_bytes=before_bytes,
            after_bytes=_resident_bytes(),
            jobs_done=ended.done,
            rows=rows,
            took_s=time.monotonic() - began,
        )


def _incoming(person: Person, number: int, at: float) -> Incoming:
    link = f"https://site{number % 500}.example/{number}"
    return Incoming(person=person, message_id=number, text=link, sent_at=at)


def _resident_bytes() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(arguments: list[str]) -> None:
    """Play it at the size asked for, and print what was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    jobs_count, people_count = (*map(int, arguments), *(50_000, 10_000)[len(arguments) :])
    with tempfile.TemporaryDirectory(prefix="peyk-soak-") as folder:
        found = asyncio.run(soak(Path(folder), jobs_count, people_count))
    grown_mib = (found.after_bytes - found.before_bytes) / MIB
    sys.stdout.write(f"{found}\nresident memory grew by {grown_mib:.1f} MiB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
