"""The gate on a real database, before a Telegram that says what the test lets it say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from uploader.model import Person, Sponsor
from uploader.sponsors import SponsorLocks
from uploader.storage.database import Database
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.sponsors import Sponsors

ACCOUNT = 777
NEWS, SHOP = (
    Sponsor(channel_id=number, access_hash=1, username=name, title=name.title())
    for number, name in ((5, "news"), (7, "shop"))
)
SARA = Person(user_id=1, access_hash=2, language="en", name="Sara")


@dataclass
class Telegram:
    """Who is inside, as (channel, person); or what is said instead."""

    inside: set[tuple[int, int]] = field(default_factory=set)
    failure: Exception | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)
    #: awaited after the answer is fixed, and before it arrives
    on_its_way: Callable[[], Any] = field(default=lambda: asyncio.sleep(0))

    async def is_member(self, sponsor: Sponsor, person: Person) -> bool:
        """As `Gateway.is_member`."""
        key = sponsor.channel_id, person.user_id
        self.asked.append(key)
        answer, failure = key in self.inside, self.failure
        await self.on_its_way()
        if failure is not None:
            raise failure
        return answer


@dataclass
class Gate:
    """The gate of one engine and what it works with."""

    database: Database
    telegram: Telegram
    now: list[float] = field(default_factory=lambda: [0.0])

    def __post_init__(self) -> None:
        self.sponsors, self.holds = Sponsors(self.database), Holds(self.database)
        self.jobs, self.people = Jobs(self.database), People(self.database, ACCOUNT)
        self.locks = self.engine()

    def engine(self) -> SponsorLocks:
        """The gate of another engine, or of this one after a restart: it remembers nothing."""
        telegram: Any = self.telegram
        return SponsorLocks(
            self.sponsors, self.holds, self.people, telegram, lambda: None, lambda: self.now[0]
        )

    async def counts(self) -> list[tuple[int, int]]:
        """Asked and joined of each sponsor."""
        return [(count.asked, count.joined) for count in await self.sponsors.counts()]


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    """A gate with one lock, and a person."""
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        gate = Gate(database, Telegram())
        await gate.sponsors.add(NEWS, added_by=9)
        await gate.people.see(SARA)
        yield gate
