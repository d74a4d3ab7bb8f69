"""Bring several files of one message together."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("batch_id", Long))
        jobs.add_column(sa.Column("item", sa.Integer, nullable=False, server_default="0"))
        jobs.drop_constraint("uq_jobs_chat_id_message_id", type_="unique")
        jobs.create_unique_constraint("uq_jobs_chat_id_message_id_item", ["chat_id", "message_id", "item"])
    _index("ix_jobs_batch", "jobs", ["batch_id", "item"], "batch_id IS NOT NULL")
    op.create_table(
        "batches",
        sa.Column("id", Long, nullable=False),
        sa.Column("user_id", Long, nullable=False),
        sa.Column("chat_id", Long, nullable=False),
        sa.Column("message_id", Long, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("unusable", sa.Text),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.Column("left_out_why", sa.Text),
        sa.Column("status_message_id", Long),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("report_id", Long),
        sa.Column("told_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("chat_id", "message_id", name="uq_batches_chat_id_message_id"),
    )
    _index("ix_batches_untold", "batches", ["id"], "told_at IS NULL")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
