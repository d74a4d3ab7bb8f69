"""Remember messages that were acted on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.create_table(
        "heard",
        sa.Column("chat_id", Long, nullable=False),
        sa.Column("message_id", Long, nullable=False),
        sa.Column("heard_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("chat_id", "message_id", name="pk_heard"),
    )
    op.create_index("ix_heard_heard_at", "heard", ["heard_at"])
