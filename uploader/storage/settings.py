"""Settings that are changed while the engine runs, and outlive it."""

import json

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.storage.database import Database
from uploader.storage.tables import settings

MAINTENANCE = "maintenance"


class Settings:
    """The settings of one database: JSON values by their key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def maintenance(self) -> bool:
        """Return whether the bot takes no new links for now."""
        return await self.get(MAINTENANCE) is True

    async def set_maintenance(self, on: bool) -> None:
        """Take new links again, or none for now."""
        await self.set(MAINTENANCE, on)

    async def get(self, key: str) -> object:
        """Return the value as `json` reads it; None if it was never set."""
        rows = await self._database.select(kept(key))
        return read(rows[0].value) if rows else None

    async def set(self, key: str, value: object) -> None:
        """Keep a value that `json` can write; raises TypeError if it cannot."""
        text = json.dumps(value)
        statement = self._database.insert(settings).values(key=key, value=text)
        await self._database.once(
            statement.on_conflict_do_update(index_elements=["key"], set_={"value": text})
        )


async def value(connection: AsyncConnection, key: str) -> object:
    """See `Settings.get`."""
    return read(await connection.scalar(kept(key)))


def kept(key: str) -> sa.Select[tuple[str]]:
    """Return what selects the value as text; nothing if it was never set."""
    return sa.select(settings.c.value).where(settings.c.key == key)


def read(text: str | None) -> object:
    """Return the value that was kept as this text."""
    return None if text is None else json.loads(text)
