"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    ${upgrades if upgrades else "pass"}
