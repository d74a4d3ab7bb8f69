"""Send files above the cap in volumes, if their person wants that."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("people", sa.Column("over_cap", sa.Text))
    op.create_table(
        "volumes",
        sa.Column("job_id", Long, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size_bytes", Long, nullable=False),
        sa.Column("validator", sa.Text),
        sa.Column("sha256", sa.Text),
        sa.Column("plays", sa.Boolean, nullable=False),
        sa.Column("random_id", Long, nullable=False),
        sa.Column("is_sent", sa.Boolean, nullable=False),
        sa.Column("message_id", Long),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_volumes"),
    )
