"""Keep what people have still to be told of jobs that ended; of those that ended before, nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("jobs", sa.Column("owed_at", sa.Double))
    where = sa.text("owed_at IS NOT NULL")
    op.create_index("ix_jobs_owed", "jobs", ["owed_at", "id"], sqlite_where=where, postgresql_where=where)
