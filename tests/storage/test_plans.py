"""How the databases run what is asked often: from small indexes, whatever the length of queue and history."""

import re
from collections.abc import Callable, Coroutine

import pytest
import sqlalchemy as sa

from uploader.model import JobState
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.failures import Failures
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.storage.rates import Rates


def row(number: int) -> dict[str, object]:
    """Return a row of `jobs`: most have ended."""
    return {
        "user_id": number % 50,
        "chat_id": 1,
        "message_id": number,
        "language": "en",
        "url": "https://example.com/",
        "host": "example.com",
        "state": JobState.DONE if number % 8 else JobState.QUEUED,
        "turn_at": float(number % 7),
        "run_at": 1.0,
        "attempt": 0,
        "failures": 0,
        "cancel_requested": False,
        "created_at": 1.0,
        "updated_at": float(number),
    }


async def plans_of(database: Database, ask: Coroutine[object, object, object]) -> str:
    """Return how the database means to run each statement that `ask` sends."""
    sent: list[tuple[str, tuple[object, ...]]] = []

    def note(_: object, __: object, statement: str, parameters: tuple[object, ...], *___: object) -> None:
        sent.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    await ask
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
    lines = []
    async with database.write() as connection:
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement, parameters in sent:
            if not statement.startswith("BEGIN"):
                lines += list(await connection.exec_driver_sql(f"{explain} {statement}", parameters))
    return "\n".join(str(line[-1]) for line in lines)


async def fill(database: Database) -> None:
    """Make a queue and a history, and let the database look at them."""
    async with database.write() as connection:
        await connection.execute(sa.insert(tables.jobs), [row(number) for number in range(4000)])
    async with database.write() as connection:
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("ANALYZE jobs")


@pytest.mark.parametrize(
    ("ask", "indexes", "sorts"),
    [
        (lambda database: Jobs(database).claim("w"), {"claim", "running"}, 1),
        (lambda database: Jobs(database).recent(20), {"ended"}, 0),
        (lambda database: Jobs(database).queue(50), {"claim", "choosing", "waiting"}, 0),
        (lambda database: Jobs(database).running(), {"running"}, 1),
        (lambda database: Jobs(database).waiting_count(1), {"person"}, 0),
        (lambda database: Failures(database).groups(), {"failed"}, 2),
        (lambda database: Rates(database).day_of(2), {"delivered", "person"}, 0),
        (lambda database: Owed(database).due(), {"owed"}, 0),
    ],
)
async def test_often_asked_when_there_are_many_jobs_then_read_from_small_indexes(
    database: Database,
    ask: Callable[[Database], Coroutine[object, object, object]],
    indexes: set[str],
    sorts: int,
) -> None:
    """Nothing is scanned whole, and nothing is sorted but the few running jobs."""
    await fill(database)
    plans = await plans_of(database, ask(database))
    assert set(re.findall(r"ix_jobs_(\w+)", plans)) == indexes
    assert len(re.findall(r"TEMP B-TREE|Sort  ", plans)) == sorts


async def test_outlook_when_there_are_many_jobs_then_no_table_is_read_whole(database: Database) -> None:
    """Which of the small indexes it counts is the database's own choice."""
    await fill(database)
    plans = await plans_of(database, Rates(database).outlook())
    assert "ix_jobs_ended" in plans
    assert not re.search(r"Seq Scan|SCAN jobs$", plans, re.MULTILINE)
    assert not re.search(r"TEMP B-TREE|Sort  ", plans)


async def test_line_when_there_are_many_jobs_then_no_table_is_read_whole(database: Database) -> None:
    """What waits is read from one of the small indexes, however many jobs have ended."""
    await fill(database)
    plans = await plans_of(database, Rates(database).line())
    assert not re.search(r"Seq Scan|SCAN jobs$", plans, re.MULTILINE)
