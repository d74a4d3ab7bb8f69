"""Order the queue by time instead of rank and turn, and keep what a job took and what a person had."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.drop_index("ix_jobs_claim", "jobs")
    op.add_column("jobs", sa.Column("turn_at", sa.Double, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("started_at", sa.Double))
    op.execute("UPDATE jobs SET turn_at = created_at + turn * 300")
    op.drop_column("jobs", "rank")
    op.drop_column("jobs", "turn")
    _index("claim", ["turn_at", "id", "run_at", "user_id"], "queued")
    _index("delivered", ["user_id", "updated_at", "size_bytes"], "done")


def _index(name: str, columns: list[str], state: str) -> None:
    where = sa.text(f"state IN ('{state}')")
    op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=where, postgresql_where=where)
