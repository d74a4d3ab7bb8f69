"""Cookies that admins gave, sealed: the database does not hold what is in them."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from uploader import limits
from uploader.storage.database import Database
from uploader.storage.tables import Row, cookies


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedCookies:
    """One admin's cookies for one site."""

    id: int
    site: str
    held: int  # cookies
    sealed: bytes = field(repr=False)
    added_at: float
    used_at: float | None  # when the site last took them
    rejections: int  # since then
    quarantined: bool


def from_row(row: Row) -> SealedCookies:
    """Return the cookies of a whole row of `cookies`."""
    return SealedCookies(
        id=row.id,
        site=row.site,
        held=row.held,
        sealed=bytes(row.sealed),
        added_at=row.added_at,
        used_at=row.used_at,
        rejections=row.rejections,
        quarantined=row.quarantined,
    )


class Cookies:
    """The cookies of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, site: str, held: int, sealed: bytes) -> int:
        """Keep cookies; returns their number."""
        statement = (
            self._database.insert(cookies)
            .values(
                site=site,
                held=held,
                sealed=sealed,
                added_at=self._database.now(),
                rejections=0,
                quarantined=False,
                told=False,
            )
            .returning(cookies.c.id)
        )
        return int((await self._database.once(statement))[0].id)

    async def all(self) -> list[SealedCookies]:
        """Return all of them, site by site, in each the healthiest first."""
        statement = (
            sa.select(cookies)
            .order_by(
                cookies.c.site,
                cookies.c.quarantined,
                cookies.c.rejections,
                sa.func.coalesce(cookies.c.used_at, 0),
                cookies.c.id,
            )
            .limit(limits.COOKIE_JARS)
        )
        return [from_row(row) for row in await self._database.select(statement)]

    async def remove(self, number: int) -> bool:
        """Forget cookies; return whether there were any."""
        statement = sa.delete(cookies).where(cookies.c.id == number).returning(cookies.c.id)
        return bool(await self._database.once(statement))

    async def restore(self, number: int) -> bool:
        """Use cookies again as if they were new; return whether there are any."""
        values = {"rejections": 0, "rejected_for": None, "quarantined": False, "told": False}
        statement = sa.update(cookies).where(cookies.c.id == number).values(values).returning(cookies.c.id)
        return bool(await self._database.once(statement))

    async def worked(self, number: int) -> None:
        """The site took them: what it said before is forgotten."""
        values = {"rejections": 0, "rejected_for": None, "used_at": self._database.now()}
        await self._database.once(sa.update(cookies).where(cookies.c.id == number).values(values))

    async def rejected(self, number: int, link_key: str) -> None:
        """The site did not take them for a link; the same link counts once in a row."""
        rejections = cookies.c.rejections + 1
        await self._database.once(
            sa.update(cookies)
            .where(
                cookies.c.id == number,
                sa.func.coalesce(cookies.c.rejected_for, "") != link_key,
                cookies.c.quarantined.is_(False),
            )
            .values(
                rejections=rejections,
                rejected_for=link_key,
                quarantined=rejections >= limits.COOKIE_REJECTIONS,
            )
        )

    async def untold(self) -> list[SealedCookies]:
        """Return those in quarantine of which no admin was told yet."""
        statement = (
            sa.select(cookies)
            .where(cookies.c.quarantined.is_(True), cookies.c.told.is_(False))
            .order_by(cookies.c.id)
            .limit(limits.COOKIE_JARS)
        )
        return [from_row(row) for row in await self._database.select(statement)]

    async def told(self, number: int) -> None:
        """Note that an admin knows of the quarantine of these."""
        which = sa.and_(cookies.c.id == number, cookies.c.quarantined.is_(True))
        await self._database.once(sa.update(cookies).where(which).values(told=True))
