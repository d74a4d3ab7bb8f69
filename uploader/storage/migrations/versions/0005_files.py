"""Keep files that were delivered, for others who send the same link."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("jobs", sa.Column("link_key", sa.Text))
    op.add_column("jobs", sa.Column("fetching", sa.Text))
    queued = sa.text("state IN ('queued')")
    op.create_index("ix_jobs_same", "jobs", ["link_key"], sqlite_where=queued, postgresql_where=queued)
    op.create_table(
        "files",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("document_id", Long, nullable=False),
        sa.Column("access_hash", Long, nullable=False),
        sa.Column("file_reference", sa.LargeBinary, nullable=False),
        sa.Column("message_id", Long, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size_bytes", Long, nullable=False),
        sa.Column("validator", sa.Text),
        sa.Column("fresh_until", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_files"),
    )
    op.create_index("ix_files_expires_at", "files", ["expires_at"])
