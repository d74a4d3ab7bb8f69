"""One engine under load while the weather is bad, and what must hold when it is good again.

    async with under_load(scene, settings) as load:
        async with my_weather():
            await load.until_moving()
            ...
        assert [] == await load.wrongs()

The engine runs in its own process, as operators run it; the data centre and the site in this one.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox import Fault
from sandbox.people import Person
from sandbox.stage import Program, running_engine, start
from tests.engine.conftest import Scene
from tests.postgres_fixture import PostgresServer
from uploader.model import ENDED, Job, JobState
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs

MIB = 1024 * 1024
#: Far more than any of it takes; only what hangs reaches it.
PATIENCE_S = 100.0
#: As many as run at once, two of each person.
PEOPLE = 4
FILES_EACH = 2
FILE_BYTES = 6 * MIB + 5


@dataclass
class Load:
    """People who wait for files, and the engine that brings them."""

    scene: Scene
    engine: Program
    settings: Mapping[str, str]
    people: list[Person]
    wanted: dict[int, list[str]] = field(default_factory=dict)  # names of files, by the person's number

    async def sends(self, person: Person, name: str, size_bytes: int = FILE_BYTES) -> None:
        """A person sends a link, whose file must come."""
        self.wanted.setdefault(person.id, []).append(name)
        await person.send(self.scene.site.url(name, size_bytes))

    async def until_moving(self) -> None:
        """Wait until all files are on their way, and none has come."""
        async with asyncio.timeout(PATIENCE_S):
            while self.scene.world.stats.parts < PEOPLE * FILES_EACH:  # noqa: ASYNC110 - a counter
                await asyncio.sleep(0.05)

    async def health(self) -> tuple[int, dict[str, Any]]:
        """What `/health` answers."""
        connector = aiohttp.UnixConnector(str(self.scene.folder / "data" / "control.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get("http://engine/health") as answer,
        ):
            return answer.status, await answer.json()

    async def until_health(self, status: int) -> dict[str, Any]:
        """Wait until it is well (200), or not (503); returns what it said."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                seen, said = await self.health()
                if seen == status:
                    return said
                await asyncio.sleep(0.1)

    async def status(self) -> str:
        """What `run.py status` prints."""
        program = await start(["status"], self.scene.folder, self.settings, "status")
        await program.process.wait()
        text = program.log.read_text()
        program.log.unlink()
        return text

    @asynccontextmanager
    async def started_again(self) -> AsyncIterator[None]:
        """The next engine, after one that ended."""
        async with running_engine(self.settings, self.scene.folder) as self.engine:
            yield

    async def wrongs(self, *, most_failures: int = 0) -> list[str]:
        """What did not hold: a link is served, each file came once and whole, each job has ended once.

        `most_failures`: so many attempts of each may have counted as failed.
        """
        await self.sends(self.people[0], "after.bin", MIB)
        await self._until_all_came()
        wrong = [fault for person in self.people for fault in await self._wrong_in_chat(person)]
        for job in await self._until_jobs_ended():
            if job.state is not JobState.DONE or job.failures > most_failures:
                wrong.append(f"{job.name} is {job.state.value} after {job.failures} failures")
        await self.until_health(200)
        log = self.engine.log.read_text()
        if "Traceback" in log:
            wrong.append(log[max(0, log.index("Traceback") - 500) :][:4000])
        return wrong

    async def _until_all_came(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for person in self.people:
                while len(await _files(person)) < len(self.wanted[person.id]):  # noqa: ASYNC110 - a chat
                    await asyncio.sleep(0.2)

    async def _wrong_in_chat(self, person: Person) -> list[str]:
        files, site = await _files(person), self.scene.site
        names = sorted(message.file.name for message in files)
        wrong = [] if sorted(self.wanted[person.id]) == names else [f"what came was {names}"]
        for message in files:
            expected = await site.sha256_of(message.file.name, message.file.size)
            if (message.file.size, expected) != await person.save(message):
                wrong.append(f"{message.file.name} is broken")
        return wrong

    async def _until_jobs_ended(self) -> list[Job]:
        """The jobs of all links, once all have ended."""
        count = sum(map(len, self.wanted.values()))
        async with (
            await Database.open(self.settings["PEYK_DATABASE_URL"]) as database,
            asyncio.timeout(PATIENCE_S),
        ):
            while True:
                jobs = await Jobs(database).recent(1000)
                if len(jobs) == count and all(job.state in ENDED for job in jobs):
                    return jobs
                await asyncio.sleep(0.2)


async def _files(person: Person) -> list[Any]:
    messages = await person.client.get_messages(person.bot, limit=1000)
    return [message for message in messages if message.document]


@asynccontextmanager
async def under_load(scene: Scene, database_url: str) -> AsyncIterator[Load]:
    """The engine with as many transfers as run at once, all of them slow: the data centre takes its time."""
    scene.world.faults.append(Fault(method="upload.save", delay_s=2.0))
    settings = {**scene.settings, "PEYK_DATABASE_URL": database_url}
    async with AsyncExitStack() as exits:
        engine = await exits.enter_async_context(running_engine(settings, scene.folder))
        accounts = [scene.world.add_user(f"Person {number}") for number in range(PEOPLE)]
        people = [await exits.enter_async_context(scene.person(account)) for account in accounts]
        load = Load(scene, engine, settings, people)
        for number, person in enumerate(people):
            for file in range(FILES_EACH):
                await load.sends(person, f"file-{number}-{file}.bin")
        await load.until_moving()
        yield load


#: Holds SQLite's lock until its standard input ends, as a backup program does.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def sqlite_locked(file: Path) -> AsyncIterator[None]:
    """Another process holds the lock."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(file), stdin=pipe, stdout=pipe
    )
    try:
        if process.stdout is None or b"held\n" != await process.stdout.readline():
            raise AssertionError("the lock was not to be had")
        yield
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def postgresql_stopped(server: PostgresServer) -> AsyncIterator[None]:
    """The server dies, and comes back."""
    await asyncio.to_thread(server.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def postgresql_read_only(server: PostgresServer) -> AsyncIterator[None]:
    """The server answers, and takes no writes."""
    await asyncio.to_thread(server.take_writes, False)
    try:
        yield
    finally:
        await asyncio.to_thread(server.take_writes, True)
