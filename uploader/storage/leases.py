"""Leases that are not of jobs: which engine hears a bot's updates, and which engines run."""

from typing import Any

import sqlalchemy as sa

from uploader import limits
from uploader.storage.database import Database
from uploader.storage.tables import leases


class Leases:
    """Named leases in one database, each held by one engine at a time; `holder` is ours."""

    def __init__(self, database: Database, holder: str, *, lease_s: float = limits.LEASE_S) -> None:
        self._database = database
        self._holder = holder
        self._lease_s = lease_s

    async def take(self, name: str) -> float | None:
        """Take or renew a lease; None if another holds it.

        Returns for how many seconds the work that goes with it may have been left undone: 0 if it was ours.
        """
        now = self._database.now()
        mine = leases.c.holder == self._holder
        values: dict[str, Any] = {"holder": self._holder, "until": now + self._lease_s, "idle_s": 0.0}
        # who dies did not finish what came just before the last renewal; who gives back did
        values["handled_at"] = now - limits.HEARTBEAT_S
        again = values | {"idle_s": sa.case((mine, 0.0), else_=now - leases.c.handled_at)}
        statement = (
            self._database.insert(leases)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=again, where=mine | (leases.c.until <= now))
            .returning(leases.c.idle_s)
        )
        rows = await self._database.once(statement)
        return float(rows[0].idle_s) if rows else None

    async def idle_s(self, name: str) -> float:
        """Return for how long nobody has done the work of a lease, ours or not; 0 if nobody ever did."""
        statement = sa.select(self._database.now() - leases.c.handled_at).where(leases.c.name == name)
        rows = await self._database.select(statement)
        return float(rows[0][0]) if rows else 0.0

    async def give_back(self, name: str) -> None:
        """Let others have a lease of ours at once."""
        now = self._database.now()
        await self._database.once(
            sa.update(leases)
            .where(leases.c.name == name, leases.c.holder == self._holder)
            .values(until=now, handled_at=now)
        )

    async def alive(self) -> list[str]:
        """Return the names of the leases that somebody holds, us included."""
        statement = sa.select(leases.c.name).where(leases.c.until > self._database.now())
        return [row[0] for row in await self._database.select(statement.order_by(leases.c.name))]

    async def prune(self) -> None:
        """Forget leases that nobody has held for a day."""
        long_ago = self._database.now() - limits.DAY_S
        await self._database.once(sa.delete(leases).where(leases.c.until <= long_ago))
