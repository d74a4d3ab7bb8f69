"""One chat that has to wait holds up no other."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.storage.arrivals import Arrivals
from tests.storage.test_moves import OFFER
from uploader import limits
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.errors import FloodWait
from uploader.model import Dues, Job, Person
from uploader.sponsors import Look
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.storage.people import People
from uploader.supervision import Helpers
from uploader.texts import Texts

HELD_UP, POLITE = 1, 2


class Voice:
    """A gateway that has one chat wait."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def say(self, person: Person, *_: object, **__: object) -> int:
        """Say something."""
        if person.user_id == HELD_UP:
            raise FloodWait(500)
        self.told.append(person.user_id)
        return 5


async def test_question_when_the_chat_of_an_older_one_has_to_wait_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions that could not be shown are shown again, the oldest first."""
    monkeypatch.setattr(limits, "CARD_S", 0.0)
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        jobs, people = Jobs(database), People(database, 7)
        arrivals, voice = Arrivals(jobs), Voice()
        for user_id in (HELD_UP, POLITE):
            await people.see(Person(user_id=user_id, access_hash=1, language="en", name="A"))
            await arrivals.job(user_id)
            job = await jobs.claim("w")
            assert job is not None
            await jobs.ask(job, OFFER)
        gateway: Any = voice
        texts = Texts("en", 2**31)
        await StatusMessages(gateway, jobs, people, Choices(database), Owed(database), texts).ask_again()
        assert [POLITE] == voice.told
        assert [HELD_UP] == [job.user_id for job in await Choices(database).unseen()]


async def test_looks_when_the_chat_of_one_has_to_wait_are_shown_to_others(tmp_path: Path) -> None:
    """Who left and came again, with many cards, would else have all wait that Telegram did not tell of."""
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        arrivals = Arrivals(Jobs(database))
        looks = [Look(dues=Dues(), admitted=(await arrivals.job(user_id),)) for user_id in (HELD_UP, POLITE)]
    shown = asyncio.Event()

    class Locks:
        async def looks(self) -> list[Look]:
            return looks

    class Status:
        async def show(self, job: Job, _place: object) -> None:
            if job.user_id == HELD_UP:
                await asyncio.Event().wait()
            shown.set()

    class Rates:
        async def place(self, _job: Job) -> None:
            return None

    others: Any = object()
    locks: Any = Locks()
    status: Any = Status()
    rates: Any = Rates()
    cards = SponsorCards(others, locks, others, others, others, others, rates, status, others)
    async with Helpers() as helpers, asyncio.timeout(30):
        await cards.look_around(helpers)
        await shown.wait()
