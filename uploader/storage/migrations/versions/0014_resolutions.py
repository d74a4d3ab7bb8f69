"""Keep of a delivered film or song all that its caption may say."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("files", sa.Column("performer", sa.Text))
    for name in ("width", "height"):
        op.add_column("files", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
