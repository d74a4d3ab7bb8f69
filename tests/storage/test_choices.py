"""Questions to people: found by the message that holds them, and shown again if nobody saw them."""

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from tests.storage.test_moves import OFFER, WISH
from uploader import limits
from uploader.model import Dues, Job, JobState, Link
from uploader.storage import tables
from uploader.storage.choices import Choices
from uploader.storage.database import Database
from uploader.storage.jobs import Jobs


async def asked(jobs: Jobs, arrivals: Arrivals, message_id: int) -> Job:
    """A job of person 1 whose question is in that message."""
    job = await arrivals.job()
    held = await jobs.claim("w")
    assert held is not None
    await jobs.ask(held, OFFER)
    await jobs.set_status_message(job.id, message_id)
    return job


async def test_asked_when_the_message_is_named_then_its_job_else_the_last(
    database: Database, jobs: Jobs, arrivals: Arrivals
) -> None:
    """An answer finds its question, if it was this person who was asked, and waits still."""
    choices = Choices(database)
    first, last = [await asked(jobs, arrivals, message_id) for message_id in (5, 6)]
    answered = [
        await choices.asked(*which) for which in ((1, 5), (1, 6), (1, None), (1, 7), (2, 5), (2, None))
    ]
    assert [job and job.id for job in answered] == [first.id, last.id, last.id, None, None, None]
    await jobs.cancel_one(last.id, 1)
    left = await choices.asked(1)
    assert left is not None
    assert left.id == first.id


async def test_unseen_when_a_question_was_not_shown_in_time_then_until_it_is(
    database: Database, jobs: Jobs, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that dies between asking and showing leaves nobody without the question."""
    monkeypatch.setattr(limits, "CARDS_AT_ONCE", 2)
    choices = Choices(database)
    late = [await asked(jobs, arrivals, message_id) for message_id in (5, 6, 7)]
    assert await choices.unseen() == []
    async with database.write() as connection:
        back = tables.jobs.c.updated_at - limits.CARD_S
        await connection.execute(sa.update(tables.jobs).values(updated_at=back))
    await asked(jobs, arrivals, 8)
    assert [job.id for job in await choices.unseen()] == [job.id for job in late[:2]]
    await choices.shown(late[0].id)
    assert [job.id for job in await choices.unseen()] == [job.id for job in late[1:]]


async def test_ask_when_the_job_was_cancelled_meanwhile_then_it_is(jobs: Jobs, arrivals: Arrivals) -> None:
    """Whoever has just said no is asked nothing."""
    job = await arrivals.job()
    held = await jobs.claim("w")
    assert held is not None
    await jobs.cancel_one(job.id, 1)
    await jobs.ask(held, OFFER)
    current = await jobs.get(job.id)
    assert current is not None
    assert current.state is JobState.CANCELLED


async def test_ask_when_others_wait_for_the_same_file_then_they_are_asked_next(
    database: Database, jobs: Jobs
) -> None:
    """A question holds no key: whoever sent the same link has their turn, and those who chose share again."""
    for user_id in (1, 2):
        await jobs.add(
            user_id=user_id, chat_id=user_id, message_id=1, language="fa", state=JobState.QUEUED,
            link=Link(url="https://a.example/f", host="a.example"), link_key="asking",
        )  # fmt: skip
    first = await jobs.claim("w")
    assert first is not None
    assert await jobs.claim("w") is None
    await jobs.ask(first, OFFER)
    second = await jobs.claim("w")
    assert second is not None
    await jobs.ask(second, OFFER)
    for job in (first, second):
        assert await Choices(database).choose(job.id, job.user_id, WISH, "chosen", Dues())
    fetching = await jobs.claim("w")
    assert fetching is not None
    assert (fetching.id, fetching.fetching) == (first.id, "chosen")
    assert await jobs.claim("w") is None
