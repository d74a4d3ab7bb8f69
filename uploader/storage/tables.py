"""The tables, as the newest migration leaves them (a test compares the two on both databases)."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from uploader.model import ENDED, JobState

#: A row of any columns.
Row: TypeAlias = sa.Row[*tuple[Any, ...]]

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

#: Telegram's ids are signed 64-bit. SQLite's INTEGER is as wide, and the only type that counts up by itself.
Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def kept(text: str) -> str:
    """Return `text` as both databases keep it, and give it back."""
    return text.replace("\0", "").encode(errors="replace").decode()


class Text(sa.TypeDecorator[str]):
    """Text from outside: what PostgreSQL would refuse (NUL, lone surrogates) is cut out or replaced."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return `value` in a form that both databases take, and give back unchanged."""
        return None if value is None else kept(value)


def in_state(column: sa.ColumnElement[str], *states: JobState) -> sa.ColumnElement[bool]:
    """Return whether the state is one of these, spelled out: a bound parameter hides a partial index."""
    return column.in_([sa.literal_column(f"'{state.value}'") for state in states])


def _index(name: str, *states: JobState, columns: Sequence[str]) -> sa.Index:
    where = in_state(sa.literal_column("state"), *states)
    return sa.Index(f"ix_jobs_{name}", *columns, sqlite_where=where, postgresql_where=where)


OPEN_STATES = tuple(state for state in JobState if state not in ENDED)
ENDED_STATES = tuple(state for state in JobState if state in ENDED)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", Long, primary_key=True),
    sa.Column("user_id", Long, nullable=False),
    sa.Column("chat_id", Long, nullable=False),
    sa.Column("message_id", Long, nullable=False),
    sa.Column("language", Text, nullable=False),
    sa.Column("url", Text, nullable=False),
    sa.Column("host", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column(
        "turn_at", sa.Double, nullable=False
    ),  # the order of the queue: when it came, and a bit for each
    sa.Column("run_at", sa.Double, nullable=False),  # job of this person that waited then (`limits.TURN_S`)
    sa.Column("started_at", sa.Double),  # its last claim
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("worker", Text),
    sa.Column("lease_until", sa.Double),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("status_message_id", Long),
    sa.Column("random_id", Long),
    sa.Column("delivered_message_id", Long),
    sa.Column("name", Text),
    sa.Column("size_bytes", Long),
    sa.Column("checkpoint_at", sa.Double),
    sa.Column("checkpoint_file_id", Long),
    sa.Column("checkpoint_size_bytes", Long),
    sa.Column("checkpoint_validator", Text),
    sa.Column("checkpoint_acked", sa.LargeBinary),
    sa.Column("checkpoint_account", Text),
    sa.Column("reason", Text),
    sa.Column("link_key", Text),
    sa.Column("fetching", Text),
    sa.Column("wish", Text),  # JSON of `wishes.Wish`; NULL: none
    sa.Column("offer", Text),  # JSON of `wishes.Offer`: what the person was asked
    sa.Column("shown_at", sa.Double),  # the offer; NULL: the person has not seen it
    sa.Column("owed_at", sa.Double),  # when its person is to be told how it ended; NULL: nothing is owed
    sa.Column("batch_id", Long),  # of `batches`; NULL: the only file of its message
    sa.Column("item", sa.Integer, nullable=False, default=0),  # its number in the batch, from 0
    sa.Column("dues_shown", Text),  # `model.Dues.written` on its sponsors' card; NULL: none was shown
    sa.UniqueConstraint("chat_id", "message_id", "item"),
    # Each state is read in its own order, from its own small index. Plain ascending columns: Alembic does not
    # see expressions on SQLite. None for all rows: SQLite would take it for claims, and sort or scan them.
    _index("claim", JobState.QUEUED, columns=("turn_at", "id", "run_at", "user_id")),
    _index("same", JobState.QUEUED, columns=("link_key",)),
    _index("running", JobState.RUNNING, columns=("user_id", "lease_until")),
    _index("waiting", JobState.WAITING_SPONSORS, columns=("created_at", "id", "dues_shown")),
    _index("choosing", JobState.WAITING_CHOICE, columns=("updated_at", "id")),
    _index("person", *OPEN_STATES, columns=("user_id", "state")),
    _index("ended", *ENDED_STATES, columns=("updated_at", "id", "state")),
    _index("failed", JobState.FAILED, columns=("updated_at", "reason", "host")),
    _index("delivered", JobState.DONE, columns=("user_id", "updated_at", "size_bytes")),
    sa.Index(
        "ix_jobs_owed",
        "owed_at",
        "id",
        sqlite_where=sa.text("owed_at IS NOT NULL"),
        postgresql_where=sa.text("owed_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_jobs_batch",
        "batch_id",
        "item",
        sqlite_where=sa.text("batch_id IS NOT NULL"),
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    ),
)

#: Several links that came together, or entries of a list: the jobs are theirs, the card is the batch's.
batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", Long, primary_key=True),
    sa.Column("user_id", Long, nullable=False),
    sa.Column("chat_id", Long, nullable=False),
    sa.Column("message_id", Long, nullable=False),
    sa.Column("language", Text, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("unusable", Text),  # JSON of links that made no job: how they are shown, and why
    sa.Column("left_out", sa.Integer, nullable=False),
    sa.Column("left_out_why", Text),
    sa.Column("status_message_id", Long),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("report_id", Long),  # random_id of the message that tells how it ended
    sa.Column("told_at", sa.Double),  # how it ended; NULL: not yet
    sa.UniqueConstraint("chat_id", "message_id"),
    sa.Index(
        "ix_batches_untold",
        "id",
        sqlite_where=sa.text("told_at IS NULL"),
        postgresql_where=sa.text("told_at IS NULL"),
    ),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("account_id", Long, primary_key=True, autoincrement=False),
    sa.Column("user_id", Long, primary_key=True, autoincrement=False),
    sa.Column("access_hash", Long, nullable=False),
    sa.Column("language", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("seen_at", sa.Double, nullable=False),
    sa.Column("over_cap", Text),  # what they chose; NULL: nothing yet
    sa.Column("preset", Text),  # a value of `wishes.Wish.format`; NULL: ask
)

#: The messages that a file above the cap comes in, from when the first of them is about to be sent.
volumes = sa.Table(
    "volumes",
    metadata,
    sa.Column("job_id", Long, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("size_bytes", Long, nullable=False),
    sa.Column("validator", Text),
    sa.Column("sha256", Text),
    sa.Column("plays", sa.Boolean, nullable=False),
    sa.Column("random_id", Long, nullable=False),
    sa.Column("is_sent", sa.Boolean, nullable=False),
    sa.Column("message_id", Long),
)

sponsors = sa.Table(
    "sponsors",
    metadata,
    sa.Column("channel_id", Long, primary_key=True, autoincrement=False),
    sa.Column("access_hash", Long, nullable=False),
    sa.Column("username", Text, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("added_by", Long, nullable=False),
    sa.Column("added_at", sa.Double, nullable=False),
    sa.Column("broken", Text),  # why its lock is open; NULL: it is not
    sa.Column("told", Text),  # the last value of `broken` that admins know of
)

#: One row for each person who was asked to join. It outlives the lock: what a sponsor got stays known.
sponsor_asks = sa.Table(
    "sponsor_asks",
    metadata,
    sa.Column("channel_id", Long, primary_key=True, autoincrement=False),
    sa.Column("user_id", Long, primary_key=True, autoincrement=False),
    sa.Column("asked_at", sa.Double, nullable=False),
    sa.Column("joined_at", sa.Double),  # when a member was first seen after that; NULL: never
)

#: Changes of how many there are: jobs that ended by their state, and what became of `sponsor_asks`.
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("id", Long, primary_key=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("channel_id", Long, nullable=False),
    sa.Column("change", Long, nullable=False),
)

#: Files that were delivered, by the key of their links.
files = sa.Table(
    "files",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("document_id", Long, nullable=False),
    sa.Column("access_hash", Long, nullable=False),
    sa.Column("file_reference", sa.LargeBinary, nullable=False),
    sa.Column("message_id", Long, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("size_bytes", Long, nullable=False),
    sa.Column("validator", Text),
    sa.Column("title", Text),
    sa.Column("performer", Text),
    sa.Column("duration_s", sa.Double),
    sa.Column("width", sa.Integer, nullable=False, server_default="0"),
    sa.Column("height", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fresh_until", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Index("ix_files_expires_at", "expires_at"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("holder", Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
    sa.Column("handled_at", sa.Double, nullable=False),  # what came before was seen to
    sa.Column("idle_s", sa.Double, nullable=False),  # before the present holder took it
)

#: Messages that were acted on and made no job.
heard = sa.Table(
    "heard",
    metadata,
    sa.Column("chat_id", Long, primary_key=True, autoincrement=False),
    sa.Column("message_id", Long, primary_key=True, autoincrement=False),
    sa.Column("heard_at", sa.Double, nullable=False),
    sa.Index("ix_heard_heard_at", "heard_at"),
)

#: Cookies that admins gave; what is in them is sealed.
cookies = sa.Table(
    "cookies",
    metadata,
    sa.Column("id", Long, primary_key=True),
    sa.Column("site", Text, nullable=False),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("added_at", sa.Double, nullable=False),
    sa.Column("used_at", sa.Double),
    sa.Column("rejections", sa.Integer, nullable=False),
    sa.Column("rejected_for", Text),  # which link, as a hash
    sa.Column("quarantined", sa.Boolean, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),  # the admins, of the quarantine
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("value", Text, nullable=False),  # JSON
)
