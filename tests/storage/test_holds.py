"""Jobs that wait for sponsors: let in together, and owed a card until one was shown."""

import pytest
import sqlalchemy as sa

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.model import Dues, JobState, Sponsor
from uploader.storage import tables
from uploader.storage.database import Database
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs

WAITING = JobState.WAITING_SPONSORS
NEWS, SHOP = (
    Sponsor(channel_id=number, access_hash=1, username=name, title=name.title())
    for number, name in ((5, "news"), (7, "shop"))
)
MISSING, UNSURE = Dues(missing=(NEWS,)), Dues(missing=(NEWS,), unsure=(SHOP,))


@pytest.fixture
def holds(database: Database) -> Holds:
    """What sponsors hold in a fresh database."""
    return Holds(database)


async def test_admit_when_the_person_owes_nothing_then_queues_what_waited_for_that(
    holds: Holds, jobs: Jobs, arrivals: Arrivals
) -> None:
    """What came after the look at what they owe waits for a look of its own."""
    first, second = [await arrivals.job(1, WAITING) for _ in range(2)]
    other = await arrivals.job(2, WAITING)
    held = await holds.of(1)
    later = await arrivals.job(1, WAITING)
    admitted = await holds.admit(held)
    assert [(first.id, JobState.QUEUED), (second.id, JobState.QUEUED)] == [
        (job.id, job.state) for job in admitted
    ]
    assert [] == await holds.admit(held)
    assert [later] == await holds.of(1)
    assert [other] == await holds.of(2)


async def test_people_when_several_wait_then_longest_waiting_first_and_each_once(
    holds: Holds, arrivals: Arrivals
) -> None:
    """Those who are looked at again come in the order in which they came."""
    for user_id in (5, 3, 5, 4):
        await arrivals.job(user_id, WAITING)
    await arrivals.job(9)
    assert [5, 3] == await holds.people(2)
    assert [5, 3, 4] == await holds.people(9)


async def test_owed_people_when_no_card_was_shown_or_it_says_that_we_do_not_know_then_they_are(
    holds: Holds, arrivals: Arrivals, database: Database
) -> None:
    """A row says what each card shows, so that a restart loses nobody."""
    shown, unsure, fresh, late = [await arrivals.job(user_id, WAITING) for user_id in (1, 2, 3, 4)]
    await holds.shown([shown], MISSING)
    await holds.shown([unsure], UNSURE)
    back = tables.jobs.c.updated_at - limits.CARD_S
    await database.once(sa.update(tables.jobs).where(tables.jobs.c.id == late.id).values(updated_at=back))
    assert ["5@news", "?7 5@news", None] == [
        (await holds.of(job.user_id))[0].dues_shown for job in (shown, unsure, fresh)
    ]
    assert [late.user_id] == await holds.owed_people(9, only_unshown=True)
    assert [unsure.user_id, late.user_id] == await holds.owed_people(9, only_unshown=False)
