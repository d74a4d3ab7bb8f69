"""A log of every move of every job, written by the database itself: for tests that audit what was done.

What is in it was committed with the move it tells of; nothing of the engine knows of it.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from uploader.storage.database import Database

_FIELDS = (
    "job_id, user_id, old_state, new_state, old_attempt, new_attempt, old_worker, new_worker, old_lease, at"
)
_VALUES = (
    "NEW.id, NEW.user_id, OLD.state, NEW.state, OLD.attempt, NEW.attempt, OLD.worker, NEW.worker,"
    " OLD.lease_until, "
)
_CHANGED = "WHEN (OLD.state <> NEW.state OR OLD.attempt <> NEW.attempt)"
_TABLE = """
CREATE TABLE move_log (
    number {number} PRIMARY KEY, job_id BIGINT, user_id BIGINT, old_state TEXT, new_state TEXT,
    old_attempt INTEGER, new_attempt INTEGER, old_worker TEXT, new_worker TEXT,
    old_lease DOUBLE PRECISION, at DOUBLE PRECISION
)
"""
_SQLITE = (
    _TABLE.format(number="INTEGER"),
    f"""
    CREATE TRIGGER log_moves AFTER UPDATE ON jobs {_CHANGED} BEGIN
        INSERT INTO move_log ({_FIELDS}) VALUES ({_VALUES} (julianday('now') - 2440587.5) * 86400.0);
    END
    """,
)
_POSTGRESQL = (
    _TABLE.format(number="BIGSERIAL"),
    f"""
    CREATE FUNCTION log_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO move_log ({_FIELDS}) VALUES ({_VALUES} extract(epoch FROM clock_timestamp()));
        RETURN NULL;
    END $$
    """,
    f"CREATE TRIGGER log_moves AFTER UPDATE ON jobs FOR EACH ROW {_CHANGED} EXECUTE FUNCTION log_move()",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One row of the log, in the order in which they were made."""

    number: int
    job_id: int
    user_id: int
    old_state: str
    new_state: str
    old_attempt: int
    new_attempt: int
    old_worker: str | None
    new_worker: str | None
    old_lease: float | None
    at: float

    @property
    def is_recovery(self) -> bool:
        """Whether a worker took over the job of one that died."""
        return self.old_state == self.new_state == "running"


async def begin(database: Database) -> None:
    """Log every move from now on."""
    async with database.write() as connection:
        for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
            await connection.exec_driver_sql(statement)


async def read(database: Database) -> list[Move]:
    """Return the log."""
    async with database.read() as connection:
        rows = await connection.execute(sa.text("SELECT * FROM move_log ORDER BY number"))
        return [Move(**row) for row in rows.mappings()]


def most_at_once(moves: list[Move]) -> int:
    """Return how many jobs of one person ran at the same time, at most."""
    running: dict[int, set[int]] = {}
    most = 0
    for move in moves:
        mine = running.setdefault(move.user_id, set())
        if move.new_state == "running":
            mine.add(move.job_id)
        else:
            mine.discard(move.job_id)
        most = max(most, len(mine))
    return most
