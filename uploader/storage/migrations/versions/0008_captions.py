"""Keep of a delivered film or song what its caption says."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("files", sa.Column("title", sa.Text))
    op.add_column("files", sa.Column("duration_s", sa.Double))
