"""People: who wrote to the bot, and how an account may write to them."""

from dataclasses import replace
from typing import Final

import sqlalchemy as sa
from cachetools import TTLCache

from uploader.model import OverCap, Person
from uploader.storage.database import Database
from uploader.storage.tables import Row, kept, people
from uploader.wishes import ASK

#: People who were kept just so a moment ago need not be kept again.
KNOWN_S: Final = 300.0
KNOWN_PEOPLE: Final = 10_000


def from_row(row: Row) -> Person:
    """Return the person of a whole row of `people`."""
    return Person(user_id=row.user_id, access_hash=row.access_hash, language=row.language, name=row.name)


class People:
    """The people whom one account (the bot's own user id) has seen."""

    def __init__(self, database: Database, account_id: int) -> None:
        self._database = database
        self._account_id = account_id
        self._known: TTLCache[int, Person] = TTLCache(KNOWN_PEOPLE, KNOWN_S)

    async def see(self, person: Person) -> None:
        """Keep the person as they are now."""
        person = replace(person, name=kept(person.name))
        if self._known.get(person.user_id) == person:
            return
        seen = {
            "access_hash": person.access_hash,
            "language": person.language,
            "name": person.name,
            "seen_at": self._database.now(),
        }
        statement = self._database.insert(people).values(
            account_id=self._account_id, user_id=person.user_id, **seen
        )
        await self._database.once(
            statement.on_conflict_do_update(index_elements=["account_id", "user_id"], set_=seen)
        )
        self._known[person.user_id] = person

    async def over_cap(self, user_id: int) -> OverCap:
        """Return what becomes of this person's files that are above the cap."""
        statement = sa.select(people.c.over_cap).where(self._is(user_id))
        rows = await self._database.select(statement)
        return OverCap(rows[0].over_cap or OverCap.SPLIT) if rows else OverCap.SPLIT

    async def choose(self, user_id: int, over_cap: OverCap) -> None:
        """Keep what this person, who was seen before, wants of files above the cap."""
        await self._database.once(sa.update(people).where(self._is(user_id)).values(over_cap=over_cap.value))

    async def preset(self, user_id: int) -> str:
        """Return the format (see `wishes.Wish`) that this person always wants; ASK: none."""
        statement = sa.select(people.c.preset).where(self._is(user_id))
        rows = await self._database.select(statement)
        return (rows[0].preset or ASK) if rows else ASK

    async def prefer(self, user_id: int, preset: str) -> None:
        """Keep the format that this person, who was seen before, wants from now on."""
        await self._database.once(sa.update(people).where(self._is(user_id)).values(preset=preset or None))

    def _is(self, user_id: int) -> sa.ColumnElement[bool]:
        return sa.and_(people.c.account_id == self._account_id, people.c.user_id == user_id)

    async def get(self, user_id: int) -> Person | None:
        """Return the person as last seen by this account; by another engine, up to KNOWN_S ago."""
        if (known := self._known.get(user_id)) is not None:
            return known
        statement = sa.select(people).where(self._is(user_id))
        rows = await self._database.select(statement)
        return from_row(rows[0]) if rows else None
