"""Sponsors: the channels that people join before they are served, and what each of them got."""

from collections.abc import Iterable

import sqlalchemy as sa

from uploader.model import Sponsor, SponsorCount
from uploader.storage.database import Database
from uploader.storage.tables import Row, sponsor_asks, sponsors


def from_row(row: Row) -> Sponsor:
    """Return the sponsor of a whole row of `sponsors`."""
    return Sponsor(
        channel_id=row.channel_id, access_hash=row.access_hash, username=row.username, title=row.title
    )


class Sponsors:
    """The sponsors of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, sponsor: Sponsor, added_by: int) -> bool:
        """Lock the channel; False if it was locked before (its name and title are renewed then)."""
        now = {
            "access_hash": sponsor.access_hash,
            "username": sponsor.username,
            "title": sponsor.title,
        }
        is_new = (
            self._database.insert(sponsors)
            .values(channel_id=sponsor.channel_id, added_by=added_by, added_at=self._database.now(), **now)
            .on_conflict_do_nothing(index_elements=["channel_id"])
            .returning(sponsors.c.channel_id)
        )
        async with self._database.write() as connection:
            if (await connection.execute(is_new)).one_or_none() is not None:
                return True
            await connection.execute(
                sa.update(sponsors).where(sponsors.c.channel_id == sponsor.channel_id).values(now)
            )
            return False

    async def remove(self, username: str) -> Sponsor | None:
        """Unlock the channel of this username (any case) and return it; None if it is not locked."""
        statement = (
            sa.delete(sponsors)
            .where(sa.func.lower(sponsors.c.username) == username.lower())
            .returning(*sponsors.c)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).first()
        return None if row is None else from_row(row)

    async def all(self) -> list[Sponsor]:
        """Return the locked channels in the order in which they were added."""
        statement = sa.select(sponsors).order_by(sponsors.c.added_at, sponsors.c.channel_id)
        async with self._database.read() as connection:
            return [from_row(row) for row in await connection.execute(statement)]

    async def asked(self, user_id: int, missing: Iterable[Sponsor]) -> None:
        """Keep that the person was shown these locks; the first time counts."""
        now = self._database.now()
        rows = [
            {"channel_id": sponsor.channel_id, "user_id": user_id, "asked_at": now} for sponsor in missing
        ]
        if not rows:
            return
        async with self._database.write() as connection:
            await connection.execute(
                self._database.insert(sponsor_asks)
                .values(rows)
                .on_conflict_do_nothing(index_elements=["channel_id", "user_id"])
            )

    async def joined(self, channel_id: int, user_id: int) -> None:
        """Keep that the person joined, if this lock was shown to them and they had not joined yet."""
        statement = (
            sa.update(sponsor_asks)
            .where(
                sponsor_asks.c.channel_id == channel_id,
                sponsor_asks.c.user_id == user_id,
                sponsor_asks.c.joined_at.is_(None),
            )
            .values(joined_at=self._database.now())
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def counts(self) -> list[SponsorCount]:
        """Return what each locked channel got, in the order in which they were added."""
        statement = (
            sa.select(
                *sponsors.c,
                sa.func.count(sponsor_asks.c.user_id).label("asked"),
                sa.func.count(sponsor_asks.c.joined_at).label("joined"),
            )
            .outerjoin_from(sponsors, sponsor_asks, sponsors.c.channel_id == sponsor_asks.c.channel_id)
            .group_by(sponsors.c.channel_id)
            .order_by(sponsors.c.added_at, sponsors.c.channel_id)
        )
        async with self._database.read() as connection:
            return [
                SponsorCount(sponsor=from_row(row), asked=row.asked, joined=row.joined)
                for row in await connection.execute(statement)
            ]
