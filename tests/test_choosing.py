"""What becomes of a question when its person answers, changes their mind, or is somebody else."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from uploader import sameness
from uploader.choosing import Beyond, Choosing
from uploader.model import Job, JobState, Link, Person
from uploader.spans import Span
from uploader.sponsors import SponsorLocks
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.sponsors import Sponsors
from uploader.verdicts import Accepted
from uploader.wishes import Offer, Option, Wish

ACCOUNT = 777
LINK = Link(url="https://films.example/watch", host="films.example")
PERSON = Person(user_id=1, access_hash=2, language="fa", name="Sara")
OFFER = Offer(
    kind="film",
    title="T",
    duration_s=60.0,
    options=(Option(key="v720", height=720), Option(key="mp3"), Option(key="original")),
    subtitles=("fa", "en"),
)


@dataclass
class Scene:
    """A job that was asked, and who may answer."""

    jobs: Jobs
    people: People
    choosing: Choosing
    nudges: list[None] = field(default_factory=list)

    async def ask(self, wish: Wish) -> Job:
        """A job of the person whose question is in message 9."""
        key = sameness.key(LINK, ACCOUNT, wish)
        added = await self.jobs.add(
            user_id=1, chat_id=1, message_id=1, language="fa", link=LINK,
            state=JobState.QUEUED, link_key=key, wish=wish,
        )  # fmt: skip
        held = await self.jobs.claim("w")
        assert added is not None
        assert held is not None
        await self.jobs.ask(held, OFFER)
        await self.jobs.set_status_message(held.id, 9)
        found = await self.jobs.get(held.id)
        assert found is not None
        return found


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One person on a fresh database."""
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}") as database:
        jobs, people, nudges = Jobs(database), People(database, ACCOUNT), list[None]()
        await people.see(PERSON)
        telegram: Any = None  # nothing is locked: nobody is asked about
        locks = SponsorLocks(Sponsors(database), Holds(database), people, telegram, lambda: None)
        choosing = Choosing(
            jobs, Choices(database), people, locks, Rates(database), ACCOUNT, lambda: nudges.append(None)
        )
        yield Scene(jobs, people, choosing, nudges)


async def test_asked_when_it_is_somebody_elses_or_over_then_nothing(scene: Scene) -> None:
    """A question is found by its job, by its message, or as the last one; never by others."""
    job = await scene.ask(Wish())
    assert [(job, OFFER)] * 3 == [
        await scene.choosing.asked(job.id, 1),
        await scene.choosing.answered(1, 9),
        await scene.choosing.answered(1, None),
    ]
    assert [None] * 3 == [
        await scene.choosing.asked(job.id, 2),
        await scene.choosing.answered(2, 9),
        await scene.choosing.answered(1, 8),
    ]
    await scene.jobs.cancel_one(job.id, 1)
    assert None is await scene.choosing.asked(job.id, 1)


async def test_choose_when_it_is_offered_then_queued_under_the_key_of_the_choice(scene: Scene) -> None:
    """What is not offered changes nothing; what is has a key that all have who choose the same."""
    job = await scene.ask(Wish(start_s=5.0))
    assert None is await scene.choosing.choose(job, OFFER, "v1080")
    assert [] == scene.nudges
    accepted = await scene.choosing.choose(job, OFFER, "v720")
    assert isinstance(accepted, Accepted)
    wish = Wish(format="v720", start_s=5.0)
    assert (JobState.QUEUED, wish) == (accepted.job.state, accepted.job.wish)
    assert sameness.key(LINK, ACCOUNT, wish) == accepted.job.link_key != job.link_key
    assert [None] == scene.nudges
    assert None is await scene.choosing.choose(job, OFFER, "v720")


@pytest.mark.parametrize(("chosen", "subtitles"), [("v720", "fa"), ("mp3", ""), ("original", "")])
async def test_choose_when_subtitles_have_no_place_in_it_then_without(
    scene: Scene, chosen: str, subtitles: str
) -> None:
    """A sound shows none, and an original stays as it is."""
    job = await scene.ask(Wish())
    with_them = await scene.choosing.subtitle(job, OFFER, 1)
    assert with_them is not None
    accepted = await scene.choosing.choose(with_them, OFFER, chosen)
    assert isinstance(accepted, Accepted)
    assert Wish(format=chosen, subtitles=subtitles) == accepted.job.wish


async def test_subtitle_when_there_is_none_of_that_number_then_nothing(scene: Scene) -> None:
    """From 1 to as many as there are; 0 takes them away."""
    job = await scene.ask(Wish(subtitles="fa"))
    assert None is await scene.choosing.subtitle(job, OFFER, 3)
    second = await scene.choosing.subtitle(job, OFFER, 2)
    none = await scene.choosing.subtitle(job, OFFER, 0)
    assert ["en", ""] == [each.wish.subtitles for each in (second, none) if each]


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(start_s=10.0, stop_s=20.0), (10.0, 20.0)),
        (Span(start_s=10.0, stop_s=99.0), (10.0, None)),
        (Span(start_s=0.0, stop_s=60.0), (0.0, None)),
        (Span(start_s=60.0, stop_s=None), None),
        (None, (0.0, None)),
    ],
)
async def test_cut_when_the_length_is_known_then_within_it(
    scene: Scene, span: Span | None, expected: tuple[float, float | None] | None
) -> None:
    """What goes beyond the end ends there; what begins behind it is told."""
    job = await scene.ask(Wish(start_s=1.0, stop_s=2.0))
    cut = await scene.choosing.cut(job, OFFER, span)
    if isinstance(cut, Job):
        assert expected == (cut.wish.start_s, cut.wish.stop_s)
    else:
        assert (None, Beyond(duration_s=60.0)) == (expected, cut)
    unknown = replace(OFFER, duration_s=None)
    assert isinstance(await scene.choosing.cut(job, unknown, span), Job)


async def test_always_when_a_job_was_chosen_then_its_format_is_the_persons(scene: Scene) -> None:
    """Only of one's own jobs, and only what was decided."""
    job = await scene.ask(Wish())
    assert None is await scene.choosing.always(job.id, 1)
    await scene.choosing.choose(job, OFFER, "mp3")
    assert None is await scene.choosing.always(job.id, 2)
    assert "" == await scene.people.preset(1)
    assert "mp3" == await scene.choosing.always(job.id, 1)
    assert "mp3" == await scene.people.preset(1)
