"""Sponsors: the channels that people join before they are served, and what each of them got."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from uploader.model import Sponsor, SponsorCount
from uploader.storage import tallies
from uploader.storage.database import Database
from uploader.storage.lately import Lately
from uploader.storage.tables import Row, sponsor_asks, sponsors


def from_row(row: Row) -> Sponsor:
    """Return the sponsor of a whole row of `sponsors`."""
    return Sponsor(
        channel_id=row.channel_id,
        access_hash=row.access_hash,
        username=row.username,
        title=row.title,
        broken=row.broken,
    )


class Sponsors:
    """The sponsors of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._all = Lately(self._read)

    async def add(self, sponsor: Sponsor, added_by: int) -> bool:
        """Lock the channel; False if it was locked before (its name and title are renewed then)."""
        now = {
            "access_hash": sponsor.access_hash,
            "username": sponsor.username,
            "title": sponsor.title,
            "broken": None,
        }
        is_new = (
            self._database.insert(sponsors)
            .values(channel_id=sponsor.channel_id, added_by=added_by, added_at=self._database.now(), **now)
            .on_conflict_do_nothing(index_elements=["channel_id"])
            .returning(sponsors.c.channel_id)
        )
        with self._all.changing():
            async with self._database.write() as connection:
                if (await connection.execute(is_new)).one_or_none() is not None:
                    return True
                await connection.execute(
                    sa.update(sponsors).where(sponsors.c.channel_id == sponsor.channel_id).values(now)
                )
                return False

    async def remove(self, name: str) -> Sponsor | None:
        """Unlock the channel of this username (any case) or id and return it; None if it is not locked."""
        is_it = sa.func.lower(sponsors.c.username) == name.lower()
        if name.isdecimal():
            is_it = sponsors.c.channel_id == int(name)
        with self._all.changing():
            rows = await self._database.once(sa.delete(sponsors).where(is_it).returning(*sponsors.c))
        return from_row(rows[0]) if rows else None

    async def rename(self, sponsor: Sponsor) -> None:
        """Keep the username and the title that the channel has now."""
        named = {"username": sponsor.username, "title": sponsor.title}
        change = sa.update(sponsors).where(sponsors.c.channel_id == sponsor.channel_id).values(named)
        with self._all.changing():
            await self._database.once(change)

    async def mark(self, channel_id: int, broken: str | None) -> None:
        """Keep why the lock of a channel is open; None: it is not."""
        change = sa.update(sponsors).where(sponsors.c.channel_id == channel_id).values(broken=broken)
        with self._all.changing():
            await self._database.once(change)

    async def untold(self) -> list[Sponsor]:
        """Return the channels whose lock opened, or works anew, and admins do not know that."""
        differs = sponsors.c.broken.is_(None) != sponsors.c.told.is_(None)
        statement = sa.select(sponsors).where(differs).order_by(sponsors.c.added_at, sponsors.c.channel_id)
        return [from_row(row) for row in await self._database.select(statement)]

    async def told(self, sponsor: Sponsor) -> None:
        """Note that admins know how it is with the lock of this channel."""
        await self._database.once(
            sa.update(sponsors).where(sponsors.c.channel_id == sponsor.channel_id).values(told=sponsor.broken)
        )

    async def all(self) -> list[Sponsor]:
        """Return the locked channels in the order in which they were added.

        What this process changed is seen at once; what another one did, within `limits.LATELY_S`.
        """
        return [*await self._all.get()]

    async def _read(self) -> list[Sponsor]:
        statement = sa.select(sponsors).order_by(sponsors.c.added_at, sponsors.c.channel_id)
        return [from_row(row) for row in await self._database.select(statement)]

    async def asked(self, user_id: int, missing: Iterable[Sponsor]) -> None:
        """Keep that the person is asked to join these channels; the first time counts."""
        now = self._database.now()
        rows = [
            {"channel_id": sponsor.channel_id, "user_id": user_id, "asked_at": now} for sponsor in missing
        ]
        if not rows:
            return
        await self._database.once(
            self._database.insert(sponsor_asks)
            .values(rows)
            .on_conflict_do_nothing(index_elements=["channel_id", "user_id"])
        )

    async def joined(self, channel_id: int, user_id: int, at: float | None = None) -> None:
        """Keep that the person was a member `at` that second (None: now), if they were asked before it.

        Only the first time counts. Who was a member before they were asked did not join for it.
        """
        asked = sponsor_asks.c.asked_at < (self._database.now() if at is None else at) + 1
        await self._database.once(
            sa.update(sponsor_asks)
            .where(
                sponsor_asks.c.channel_id == channel_id,
                sponsor_asks.c.user_id == user_id,
                sponsor_asks.c.joined_at.is_(None),
                asked,
            )
            .values(joined_at=self._database.now())
        )

    async def counts(self) -> list[SponsorCount]:
        """See `counted`."""
        async with self._database.read() as connection:
            return await counted(connection)


async def counted(connection: AsyncConnection) -> list[SponsorCount]:
    """Return what each locked channel got, in the order in which they were added."""
    sums = await tallies.sums(connection)
    statement = sa.select(sponsors).order_by(sponsors.c.added_at, sponsors.c.channel_id)
    return [
        SponsorCount(
            sponsor=from_row(row),
            asked=sums["asked", row.channel_id],
            joined=sums["joined", row.channel_id],
        )
        for row in await connection.execute(statement)
    ]
