"""Keep what each sponsors' card shows, and which sponsors' locks are open."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("jobs", sa.Column("dues_shown", sa.Text))
    # their people see a card, though nobody noted what is on it: it is drawn anew at the next look
    op.execute("UPDATE jobs SET dues_shown = '' WHERE state = 'waiting_sponsors'")
    for name in ("broken", "told"):
        op.add_column("sponsors", sa.Column(name, sa.Text))
    where = sa.text("state IN ('waiting_sponsors')")
    op.drop_index("ix_jobs_waiting", "jobs")
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["created_at", "id", "dues_shown"],
        sqlite_where=where,
        postgresql_where=where,
    )
