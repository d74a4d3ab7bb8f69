"""How many jobs have ended, and what sponsors got, without counting them: sums of changes.

Triggers write each change in the transaction that makes it, whoever makes it and how: sums cannot drift. A
change is a row of its own, for a row that all have to write would be a lock that all wait for; from time to
time the rows are folded into one for each sum. Who makes `jobs` or `sponsor_asks` anew in a migration (as
Alembic does on SQLite to change a column) has to make the triggers anew as well.
"""

from collections import Counter
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.storage.database import Database
from uploader.storage.tables import ENDED_STATES, tallies

#: Rows that are folded at once: far more than come between two looks.
_FOLDED: Final = 20_000
_ENDED: Final = ", ".join(f"'{state.value}'" for state in ENDED_STATES)
_NOTE: Final = "INSERT INTO tallies (kind, channel_id, change)"
_JOB: Final = f"{_NOTE} SELECT {{row}}.state, 0, {{by}} WHERE {{row}}.state IN ({_ENDED})"
_ASK: Final = (
    f"{_NOTE} SELECT 'asked', {{row}}.channel_id, {{by}} UNION ALL "
    "SELECT 'joined', {row}.channel_id, {by} WHERE {row}.joined_at IS NOT NULL"
)
#: What is counted: the table, the column that moves a row from one sum to another, and how it counts.
_COUNTED: Final = (("jobs", "state", _JOB), ("sponsor_asks", "joined_at", _ASK))

_JOBS: Final = f"FROM jobs WHERE state IN ({_ENDED}) GROUP BY state"
_ASKS: Final = "FROM sponsor_asks GROUP BY channel_id"
#: What there was before there were triggers.
FILL: Final = (
    f"{_NOTE} SELECT state, 0, count(*) {_JOBS}",
    f"{_NOTE} SELECT 'asked', channel_id, count(*) {_ASKS}",
    f"{_NOTE} SELECT 'joined', channel_id, count(joined_at) {_ASKS}",
)


def functions() -> list[str]:
    """What PostgreSQL's triggers call. Dumps of single tables are without it, and need it to be put back."""
    made = []
    for table, _, count in _COUNTED:
        old, new = count.format(row="OLD", by=-1), count.format(row="NEW", by=1)
        made.append(
            f"CREATE OR REPLACE FUNCTION peyk_tally_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP <> 'INSERT' THEN {old}; END IF; IF TG_OP <> 'DELETE' THEN {new}; END IF; "
            "RETURN NULL; END $$"
        )
    return made


def triggers(dialect: str) -> list[str]:
    """What notes each change; `dialect`: "sqlite" or "postgresql"."""
    if dialect == "postgresql":
        return functions() + [
            f"CREATE TRIGGER tally AFTER INSERT OR DELETE OR UPDATE OF {column} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION peyk_tally_{table}()"
            for table, column, _ in _COUNTED
        ]
    made = []
    for table, column, count in _COUNTED:
        old, new = count.format(row="OLD", by=-1), count.format(row="NEW", by=1)
        events = {"INSERT": (new,), "DELETE": (old,), f"UPDATE OF {column}": (old, new)}
        made += [
            f"CREATE TRIGGER tally_{table}_{event.split()[0].lower()} AFTER {event} ON {table} "
            f"BEGIN {'; '.join(does)}; END"
            for event, does in events.items()
        ]
    return made


async def sums(connection: AsyncConnection) -> Counter[tuple[str, int]]:
    """How many there are, by kind (`done`, `asked`, ...) and channel (0: of no channel)."""
    total = sa.select(tallies.c.kind, tallies.c.channel_id, sa.func.sum(tallies.c.change))
    found = await connection.execute(total.group_by(tallies.c.kind, tallies.c.channel_id))
    return Counter({(row[0], row[1]): int(row[2]) for row in found})


async def fold(database: Database) -> None:
    """Put changes of each sum together, so many at most. Others may do so, and count, meanwhile."""
    some = sa.select(tallies.c.id).order_by(tallies.c.id).limit(_FOLDED)
    async with database.write() as connection:
        gone = await connection.execute(
            sa.delete(tallies)
            .where(tallies.c.id.in_(some))
            .returning(tallies.c.kind, tallies.c.channel_id, tallies.c.change)
        )
        kept = Counter[tuple[str, int]]()
        for row in gone:
            kept[row.kind, row.channel_id] += row.change
        if kept:
            names = ("kind", "channel_id", "change")
            rows = [dict(zip(names, (*which, change), strict=True)) for which, change in kept.items()]
            await connection.execute(sa.insert(tallies), rows)
