"""Find failed jobs by their cause."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    where = sa.text("state IN ('failed')")
    columns = ["updated_at", "reason", "host"]
    op.create_index("ix_jobs_failed", "jobs", columns, sqlite_where=where, postgresql_where=where)
