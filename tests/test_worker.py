"""How often a site is asked what its link offers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from uploader import sameness
from uploader.model import Job, JobState, Link, Person, Progress
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.wishes import ChoiceNeeded, Offer, Option
from uploader.worker import Worker

OFFER = Offer(kind="film", title="T", options=(Option(key="v720"), Option(key="mp3")))


@dataclass
class Site:
    """Carries nothing: every look at a link ends with a question."""

    needed: ChoiceNeeded
    looks: int = 0

    async def carry(self, errand: Any) -> None:
        """Look."""
        self.looks += 1
        raise self.needed


@dataclass
class Watcher:
    """Waits for jobs to leave the worker."""

    left: list[Job] = field(default_factory=list)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self, job: Job) -> None:
        """Nothing to do."""

    def progress(self, progress: Progress) -> None:
        """Nothing to do."""

    async def ended(self, job: Job) -> None:
        """One more."""
        self.left.append(job)
        self.moved.set()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh database."""
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as opened:
        yield opened


@pytest.mark.parametrize(
    ("needed", "path", "looks"),
    [
        (ChoiceNeeded(OFFER), "/watch", 1),
        (ChoiceNeeded(OFFER, is_private=True), "/watch", 5),
        (ChoiceNeeded(OFFER), "/watch?token=abc", 5),
        (ChoiceNeeded(Offer(kind="file", title="T")), "/watch", 5),
    ],
)
async def test_link_when_five_people_are_asked_is_looked_at_once_unless_it_is_for_one_alone(
    needed: ChoiceNeeded, path: str, looks: int, database: Database
) -> None:
    """What a login shows, what a key in the link opens, and people's own files are nobody else's."""
    jobs, people, watcher, site = Jobs(database), People(database, 7), Watcher(), Site(needed)
    link = Link(url=f"https://films.example{path}", host="films.example")
    for user_id in range(1, 6):
        await people.see(Person(user_id=user_id, access_hash=1, language="en", name="A"))
        await jobs.add(
            user_id=user_id, chat_id=user_id, message_id=1, language="en", link=link,
            state=JobState.QUEUED, link_key=sameness.key(link, 7),
        )  # fmt: skip
    delivery: Any = site
    worker = Worker("w", jobs=jobs, people=people, delivery=delivery, watchers=[watcher])
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        group.create_task(worker.run(stop))
        while len(watcher.left) < 5:
            await watcher.moved.wait()
            watcher.moved.clear()
        stop.set()
        worker.nudge()
    assert [(JobState.WAITING_CHOICE, needed.offer)] * 5 == [(job.state, job.offer) for job in watcher.left]
    assert looks == site.looks
