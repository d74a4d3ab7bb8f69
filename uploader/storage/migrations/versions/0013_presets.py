"""Keep what people always want of films, and which questions they were shown."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("people", sa.Column("preset", sa.Text))
    op.add_column("jobs", sa.Column("shown_at", sa.Double))
