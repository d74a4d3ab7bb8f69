"""Alembic's entry: `uploader.storage.migrate` hands over an open connection in its transaction."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from uploader.storage.tables import metadata


def _plain_type(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write our own column types into a migration as the SQL types below them."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, sa.TypeDecorator) else False


_connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=_connection,
    target_metadata=metadata,
    render_item=_plain_type,
    render_as_batch=_connection.dialect.name == "sqlite",  # SQLite's ALTER TABLE can do little
)
with context.begin_transaction():
    context.run_migrations()
