"""Count jobs that ended, and what sponsors got, as it happens."""

import sqlalchemy as sa
from alembic import op

from uploader.storage import tallies
from uploader.storage.tables import Long

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.create_table(
        "tallies",
        sa.Column("id", Long, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("channel_id", Long, nullable=False),
        sa.Column("change", Long, nullable=False),
    )
    # the triggers first: PostgreSQL lets no job move from then on until what is there was counted
    for statement in (*tallies.triggers(op.get_bind().dialect.name), *tallies.FILL):
        op.execute(statement)
    # jobs used to be deleted before their volumes: what was left of them when an engine was killed in between
    op.execute("DELETE FROM volumes WHERE job_id NOT IN (SELECT id FROM jobs)")
