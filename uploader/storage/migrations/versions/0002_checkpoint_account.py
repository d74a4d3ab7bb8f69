"""Keep whose login sent the parts of a checkpoint: they are of no use to another."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("jobs", sa.Column("checkpoint_account", sa.Text))
