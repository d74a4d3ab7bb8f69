"""Messages that were acted on: Telegram tells of them again after a crash."""

from dataclasses import dataclass

import sqlalchemy as sa

from uploader.storage import moves, settings
from uploader.storage.database import Database
from uploader.storage.tables import heard, jobs, people
from uploader.wishes import ASK


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who sends a message, as far as it matters for what becomes of it."""

    was_heard: bool  # the message was noted, or has made a job
    waiting: int  # jobs of theirs, without those in batches
    preset: str  # see `People.preset`
    maintenance: bool  # see `Settings.maintenance`


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

    async def look(self, account_id: int, user_id: int, message_id: int) -> Caller:
        """Return what there is to know before a message of this person to an account is acted on: at one
        moment, for each question of its own would make them wait."""
        noted, made = (
            sa.exists().where(table.c.chat_id == user_id, table.c.message_id == message_id)
            for table in (heard, jobs)
        )
        preset = sa.select(people.c.preset).where(
            people.c.account_id == account_id, people.c.user_id == user_id
        )
        rows = await self._database.select(
            sa.select(
                (noted | made).label("was_heard"),
                moves.waiting_of(user_id, in_batches=False).label("waiting"),
                preset.scalar_subquery().label("preset"),
                settings.kept(settings.MAINTENANCE).scalar_subquery().label("maintenance"),
            )
        )
        return Caller(
            was_heard=bool(rows[0].was_heard),
            waiting=rows[0].waiting,
            preset=rows[0].preset or ASK,
            maintenance=settings.read(rows[0].maintenance) is True,
        )
