"""Batches are made whole and once, are claimed as any jobs are, and are told once."""

import asyncio

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.batch import Batch, Item, LeftOut, Unusable
from uploader.errors import Reason
from uploader.model import Dues, Job, JobState, Link, Person
from uploader.storage import tables
from uploader.storage.batches import Batches
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.jobs import Jobs
from uploader.wishes import BEST, Entry, Offer, Wish

SARA = Person(user_id=7, access_hash=1, language="fa", name="Sara")
ITEMS = [
    Item(
        link=Link(url=f"https://example.com/{at}", host="example.com"),
        link_key=f"k{at}",
        wish=Wish(format=BEST),
        name=f"{at}.mp4",
    )
    for at in range(3)
]


@pytest.fixture
def batches(database: Database) -> Batches:
    """The batches of the fresh database."""
    return Batches(database)


async def added(batches: Batches, message_id: int = 5) -> tuple[Batch, list[Job]]:
    """A batch of three, which must be new."""
    made = await batches.add(
        SARA,
        message_id,
        ITEMS,
        dues=Dues(),
        title="Trip",
        unusable=[Unusable(shown="ftp://x", reason=Reason.NOT_HTTP)],
        left_out=LeftOut(count=4, why="day"),
    )
    assert made is not None
    return made


async def test_add_then_all_that_was_said_comes_back(batches: Batches) -> None:
    """The batch with its jobs in order; they take their turns one behind the other."""
    batch, made = await added(batches)
    assert [(each.link, each.name, each.link_key, each.item) for each in made] == [
        (item.link, item.name, item.link_key, at) for at, item in enumerate(ITEMS)
    ]
    assert {(each.user_id, each.message_id, each.language, each.wish.format) for each in made} == {
        (7, 5, "fa", BEST)
    }
    assert ("Trip", LeftOut(count=4, why="day")) == (batch.title, batch.left_out)
    assert (Unusable(shown="ftp://x", reason=Reason.NOT_HTTP),) == batch.unusable
    await batches.set_card(batch.id, 99)
    again = await batches.get(batch.id)
    assert again is not None
    assert (99, None) == (again.status_message_id, again.told_at)
    assert made == await batches.items(batch.id)


async def test_add_when_message_was_seen_before_then_none(
    batches: Batches, jobs: Jobs, arrivals: Arrivals
) -> None:
    """An update told twice, even at the same time, makes one batch; and none beside a job."""
    made = await asyncio.gather(*(batches.add(SARA, 5, ITEMS, dues=Dues()) for _ in range(4)))
    assert 1 == len([each for each in made if each is not None])
    assert 3 == await jobs.waiting_count(SARA.user_id)
    single = await arrivals.job(SARA.user_id)
    assert None is await batches.add(SARA, single.message_id, ITEMS, dues=Dues())
    assert (4, 3, 1) == (
        await jobs.waiting_count(SARA.user_id),
        await jobs.waiting_count(SARA.user_id, in_batches=True),
        await jobs.waiting_count(SARA.user_id, in_batches=False),
    )


async def test_claim_when_another_has_one_job_then_it_goes_before_the_rest_of_a_batch(
    batches: Batches, jobs: Jobs, arrivals: Arrivals
) -> None:
    """A batch gives way as so many jobs of one person do."""
    _, made = await added(batches)
    other = await arrivals.job(8)
    claimed = [await jobs.claim("w") for _ in range(4)]
    assert [made[0].id, other.id, made[1].id] == [job.id for job in claimed if job]


async def test_ended_when_told_then_not_told_again_until_it_is_tried_again(
    batches: Batches, jobs: Jobs
) -> None:
    """The report has one random id; a retry of what failed makes it a new story, under a new card."""
    batch, made = await added(batches)
    assert [] == await batches.ended(9)
    for at in range(3):
        job = await jobs.claim("w")
        assert job is not None
        await (jobs.finish(job, 1) if at else jobs.fail(job, Reason.NOT_FOUND))
    assert [batch.id] == await batches.ended(9)
    assert (11, 11) == (
        await batches.reserve_report(batch.id, 11),
        await batches.reserve_report(batch.id, 12),
    )
    await batches.told(batch.id)
    assert None is await batches.reserve_report(batch.id, 13)
    assert [] == await batches.ended(9)
    assert [] == await batches.again(batch.id, SARA.user_id + 1, 50, 9, Dues())
    moved = await batches.again(batch.id, SARA.user_id, 50, 9, Dues())
    assert [(made[0].id, JobState.QUEUED, None)] == [(job.id, job.state, job.reason) for job in moved]
    current = await batches.get(batch.id)
    assert current is not None
    assert (50, None) == (current.status_message_id, current.told_at)


async def test_cancel_then_only_this_batch_and_only_for_its_person(
    batches: Batches, jobs: Jobs, arrivals: Arrivals
) -> None:
    """What runs is asked to stop; what waits is over; the person's other job goes on."""
    batch, made = await added(batches)
    other = await arrivals.job(SARA.user_id)
    running = await jobs.claim("w")
    assert running is not None
    assert [] == await batches.cancel(batch.id, SARA.user_id + 1)
    cancelled = await batches.cancel(batch.id, SARA.user_id)
    assert {each.id for each in made} == {each.id for each in cancelled}
    assert {JobState.RUNNING, JobState.CANCELLED} == {each.state for each in cancelled}
    assert await jobs.renew(running)
    assert other == await jobs.get(other.id)


async def test_prune_when_the_last_job_of_a_batch_is_deleted_then_so_is_the_batch(
    batches: Batches, jobs: Jobs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before: what is left of it is still shown by its card."""
    monkeypatch.setattr(limits, "PRUNED_AT_ONCE", 2)
    batch, _ = await added(batches)
    other, _ = await added(batches, 6)
    await batches.cancel(batch.id, SARA.user_id)
    async with database.write() as connection:
        back = tables.jobs.c.updated_at - limits.ENDED_KEPT_S
        await connection.execute(sa.update(tables.jobs).values(updated_at=back))
    deadlines = Deadlines(database)
    assert 2 == await deadlines.prune()
    assert batch == await batches.get(batch.id)
    assert 1 == await deadlines.prune()
    assert None is await batches.get(batch.id)
    assert other == await batches.get(other.id)


async def test_pick_when_chosen_then_the_lists_job_is_the_first_item_and_its_message_the_card(
    batches: Batches, jobs: Jobs, arrivals: Arrivals, database: Database
) -> None:
    """Once: a second press, or one that comes after a cancel, finds no question; nothing is half made."""
    listed = await arrivals.job(SARA.user_id)
    claimed = await jobs.claim("w")
    assert claimed is not None
    await jobs.set_status_message(listed.id, 77)
    await jobs.ask(claimed, Offer(kind="list", title="L", entries=(Entry(link="x"),)))
    asked = await jobs.get(listed.id)
    assert asked is not None
    made = [await batches.pick(asked, ITEMS, dues=Dues(), title="L") for _ in range(2)]
    assert made[0] is not None
    assert None is made[1]
    batch, items = made[0]
    assert (77, [0, 1, 2]) == (batch.status_message_id, [each.item for each in items])
    assert (listed.id, None, None, ITEMS[0].link) == (
        items[0].id,
        items[0].offer,
        items[0].status_message_id,
        items[0].link,
    )
    assert {JobState.QUEUED} == {each.state for each in items}
    single = await arrivals.job(SARA.user_id)
    assert None is await batches.pick(single, ITEMS, dues=Dues(), title="L")
    assert 4 == await jobs.waiting_count(SARA.user_id)
    async with database.read() as connection:
        count = sa.select(sa.func.count()).select_from(tables.batches)
        assert 1 == await connection.scalar(count)
