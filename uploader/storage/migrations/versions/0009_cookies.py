"""Keep the cookies that admins give, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

Long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.create_table(
        "cookies",
        sa.Column("id", Long, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.Double, nullable=False),
        sa.Column("used_at", sa.Double),
        sa.Column("rejections", sa.Integer, nullable=False),
        sa.Column("rejected_for", sa.Text),
        sa.Column("quarantined", sa.Boolean, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cookies"),
    )
