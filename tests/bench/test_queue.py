"""`run.py bench queue`, in small: the queues are filled, drained for real, and named."""

from importlib.util import find_spec

from tests.postgres_fixture import PostgresServer, postgres_server
from uploader.bench.queue import Load, measure
from uploader.model import JobState
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs

__all__ = ["postgres_server"]  # pytest finds fixtures by their names


async def test_measure_when_run_claims_and_finishes_that_many_jobs(postgres_server: PostgresServer) -> None:
    """A rate of jobs that were not done would be no rate; procrastinate is measured where it is installed."""
    url, said = postgres_server.new_database("template0"), list[str]()
    load = Load(queued=300, people=15, jobs=60, workers=4)
    figures = await measure(load, url, said.append)
    async with await Database.open(url) as database:
        counts = await Jobs(database).counts()
    assert (61, 239) == (counts[JobState.DONE], counts[JobState.QUEUED])  # one to warm up
    measured = [(figure.queue.partition(" ")[0], figure.database) for figure in figures]
    assert [("Peyk", "SQLite"), ("Peyk", "PostgreSQL")] == measured[:2]
    assert (find_spec("procrastinate") is not None) == (measured[2:] == [("procrastinate", "PostgreSQL")])
    assert len(said) == len(figures)
    assert all(figure.jobs_per_s > 0 for figure in figures)
