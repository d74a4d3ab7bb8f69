"""Let a job wait until its person has chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Lead the database one step on. There is no way back but a backup."""
    op.add_column("jobs", sa.Column("wish", sa.Text))
    op.add_column("jobs", sa.Column("offer", sa.Text))
    op.drop_index("ix_jobs_person", "jobs")
    _index("choosing", ["updated_at", "id"], "'waiting_choice'")
    open_states = "'waiting_sponsors', 'waiting_choice', 'queued', 'running'"
    _index("person", ["user_id", "state"], open_states)


def _index(name: str, columns: list[str], states: str) -> None:
    where = sa.text(f"state IN ({states})")
    op.create_index(f"ix_jobs_{name}", "jobs", columns, sqlite_where=where, postgresql_where=where)
