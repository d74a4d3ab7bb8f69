"""Messages that were acted on: Telegram tells of them again after a crash."""

import sqlalchemy as sa

from uploader.storage.database import Database
from uploader.storage.tables import heard, jobs


class Heard:
    """What one database knows of messages that are not jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first(self, chat_id: int, message_id: int) -> bool:
        """Note a message; return whether it was not noted before. Of many who ask at once one is told so."""
        statement = (
            self._database.insert(heard)
            .values(chat_id=chat_id, message_id=message_id, heard_at=self._database.now())
            .on_conflict_do_nothing(index_elements=["chat_id", "message_id"])
            .returning(heard.c.message_id)
        )
        return bool(await self._database.once(statement))

    async def knows(self, chat_id: int, message_id: int) -> bool:
        """Return whether a message was noted, or has made a job."""
        noted, made = (
            sa.exists().where(table.c.chat_id == chat_id, table.c.message_id == message_id)
            for table in (heard, jobs)
        )
        async with self._database.read() as connection:
            return bool(await connection.scalar(sa.select(noted | made)))
