"""Files that were delivered, for others who send the same link."""

import sqlalchemy as sa

from uploader import limits
from uploader.model import Document, KeptFile
from uploader.storage.database import Database
from uploader.storage.tables import Row, files


def from_row(row: Row) -> KeptFile:
    """Return the file of a whole row of `files`, with `is_fresh` beside it."""
    return KeptFile(
        key=row.key,
        document=Document(id=row.document_id, access_hash=row.access_hash, file_reference=row.file_reference),
        message_id=row.message_id,
        name=row.name,
        size_bytes=row.size_bytes,
        validator=row.validator,
        title=row.title,
        performer=row.performer,
        duration_s=row.duration_s,
        width=row.width,
        height=row.height,
        is_fresh=bool(row.is_fresh),
    )


class Files:
    """The kept files of one database. A key names an account, too: another could not send its documents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, file: KeptFile, fresh_s: float) -> None:
        """Keep a file that was just delivered, in place of an earlier one; it is fresh for `fresh_s`.

        Without a validator nobody can tell whether the source still has the same: then while it is fresh.
        """
        now = self._database.now()
        kept_s = limits.FILE_KEPT_S if file.validator is not None else fresh_s
        values = {
            "document_id": file.document.id,
            "access_hash": file.document.access_hash,
            "file_reference": file.document.file_reference,
            "message_id": file.message_id,
            "name": file.name,
            "size_bytes": file.size_bytes,
            "validator": file.validator,
            "title": file.title,
            "performer": file.performer,
            "duration_s": file.duration_s,
            "width": file.width,
            "height": file.height,
            "fresh_until": now + fresh_s,
            "expires_at": now + kept_s,
        }
        statement = self._database.insert(files).values(key=file.key, **values)
        await self._database.once(statement.on_conflict_do_update(index_elements=["key"], set_=values))

    async def get(self, key: str) -> KeptFile | None:
        """Return the file of this key; None if there is none, or it was kept for too long."""
        now = self._database.now()
        statement = sa.select(files, (files.c.fresh_until > now).label("is_fresh")).where(
            files.c.key == key, files.c.expires_at > now
        )
        rows = await self._database.select(statement)
        return from_row(rows[0]) if rows else None

    async def confirm(self, file: KeptFile, fresh_s: float) -> None:
        """The source still has the same: it need not be asked for `fresh_s`."""
        fresh = {"fresh_until": self._database.now() + fresh_s}
        await self._database.once(sa.update(files).where(self._is(file)).values(fresh))

    async def refer(self, file: KeptFile, document: Document) -> None:
        """Keep the new reference of a file."""
        values = {"file_reference": document.file_reference}
        await self._database.once(sa.update(files).where(self._is(file)).values(values))

    async def drop(self, file: KeptFile) -> None:
        """Forget a file that Telegram, or the source, no longer has; not one that came in its place."""
        await self._database.once(sa.delete(files).where(self._is(file)))

    async def prune(self) -> None:
        """Forget what was kept for too long, and the oldest of too many."""
        oldest_kept = (
            sa.select(files.c.expires_at)
            .order_by(files.c.expires_at.desc())
            .offset(limits.FILES_KEPT)
            .limit(1)
            .scalar_subquery()
        )
        too_old = files.c.expires_at <= self._database.now()
        await self._database.once(sa.delete(files).where(too_old | (files.c.expires_at <= oldest_kept)))

    def _is(self, file: KeptFile) -> sa.ColumnElement[bool]:
        return sa.and_(files.c.key == file.key, files.c.document_id == file.document.id)
