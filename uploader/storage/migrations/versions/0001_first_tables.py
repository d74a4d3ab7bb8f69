"""Make the tables of the first file: jobs, people, sponsors and settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    _jobs()
    op.create_table(
        "people",
        sa.Column("account_id", Long, autoincrement=False),
        sa.Column("user_id", Long, autoincrement=False),
        sa.Column("access_hash", Long, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="pk_people"),
    )
    op.create_table(
        "sponsors",
        sa.Column("channel_id", Long, autoincrement=False),
        sa.Column("access_hash", Long, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("added_by", Long, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("channel_id", name="pk_sponsors"),
    )
    op.create_table(
        "sponsor_asks",
        sa.Column("channel_id", Long, autoincrement=False),
        sa.Column("user_id", Long, autoincrement=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("joined_at", sa.Double),
        sa.PrimaryKeyConstraint("channel_id", "user_id", name="pk_sponsor_asks"),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", Long, nullable=False),
        sa.Column("user_id", Long, nullable=False),
        sa.Column("chat_id", Long, nullable=False),
        sa.Column("message_id", Long, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("run_at", sa.Double, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("status_message_id", Long),
        sa.Column("random_id", Long),
        sa.Column("delivered_message_id", Long),
        sa.Column("name", sa.Text),
        sa.Column("size_bytes", Long),
        sa.Column("checkpoint_at", sa.Double),
        sa.Column("checkpoint_file_id", Long),
        sa.Column("checkpoint_size_bytes", Long),
        sa.Column("checkpoint_validator", sa.Text),
        sa.Column("checkpoint_acked", sa.LargeBinary),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("chat_id", "message_id", name="uq_jobs_chat_id_message_id"),
    )
    _jobs_index("claim", ["rank", "turn", "run_at", "id"], "'queued'")
    _jobs_index("running", ["user_id", "lease_until"], "'running'")
    _jobs_index("waiting", ["created_at", "id"], "'waiting_sponsors'")
    _jobs_index("person", ["user_id", "state"], "'waiting_sponsors', 'queued', 'running'")
    _jobs_index("ended", ["updated_at", "id", "state"], "'done', 'failed', 'cancelled'")


def _jobs_index(name: str, columns: list[str], states: str) -> None:
    where = sa.text(f"state IN ({states})")
    op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=where, postgresql_where=where)
