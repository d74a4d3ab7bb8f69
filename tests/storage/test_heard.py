"""Messages that were acted on are known, to everybody who asks, until they are too old to come again."""

import asyncio
from pathlib import Path

from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.model import Person
from uploader.storage.database import Database
from uploader.storage.deadlines import Deadlines
from uploader.storage.heard import Caller, Heard
from uploader.storage.jobs import Jobs
from uploader.storage.leases import Leases
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings

ACCOUNT = 777


async def test_first_when_many_ask_at_once_is_told_to_one(database: Database) -> None:
    """Another chat's message of that number is another message."""
    heard = Heard(database)
    assert not (await heard.look(ACCOUNT, 1, 5)).was_heard
    assert 1 == sum(await asyncio.gather(*(heard.first(1, 5) for _ in range(10))))
    assert (await heard.look(ACCOUNT, 1, 5)).was_heard
    assert await heard.first(2, 5)
    assert not (await heard.look(ACCOUNT, 1, 6)).was_heard


async def test_look_when_the_message_made_a_job_says_so(database: Database, arrivals: Arrivals) -> None:
    """A job is all that is noted of its message."""
    job = await arrivals.job()
    assert (await Heard(database).look(ACCOUNT, job.chat_id, job.message_id)).was_heard


async def test_look_then_tells_what_the_nouns_tell(database: Database, arrivals: Arrivals) -> None:
    """What is asked in one look is what each would say: of this person, as this account knows them."""
    people, settings = People(database, ACCOUNT), Settings(database)
    nobody = Caller(was_heard=False, waiting=0, preset="", maintenance=False)
    assert nobody == await Heard(database).look(ACCOUNT, 1, 99)
    for user_id in (1, 1, 2):
        await arrivals.job(user_id)
    await people.see(Person(user_id=1, access_hash=7, language="en", name="Sara"))
    await people.prefer(1, "v720")
    await settings.set_maintenance(True)
    assert Caller(was_heard=False, waiting=2, preset="v720", maintenance=True) == await Heard(database).look(
        ACCOUNT, 1, 99
    )
    assert "" == (await Heard(database).look(ACCOUNT + 1, 1, 99)).preset
    await settings.set_maintenance(False)
    assert not (await Heard(database).look(ACCOUNT, 1, 99)).maintenance


async def test_prune_when_messages_are_old_forgets_them(tmp_path: Path) -> None:
    """But not before they are too old to be answered."""
    now = [1000.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        heard, deadlines = Heard(database), Deadlines(database)
        await heard.first(1, 5)
        now[0] += limits.MISSED_S
        await deadlines.prune()
        assert (await heard.look(ACCOUNT, 1, 5)).was_heard
        now[0] += limits.DAY_S
        await deadlines.prune()
        assert not (await heard.look(ACCOUNT, 1, 5)).was_heard


async def test_absence_when_the_engine_was_away_is_counted_from_its_last_work(tmp_path: Path) -> None:
    """Whose jobs came before it waited all the time, by the number of their jobs; nobody ever away is 0."""
    now = [1000.0]
    async with await Database.open(f"sqlite:///{tmp_path / 'peyk.db'}", clock=lambda: now[0]) as database:
        leases, rates = Leases(database, "one"), Rates(database)
        assert 0.0 == await leases.idle_s("receiver")
        await leases.take("receiver")
        await leases.give_back("receiver")
        arrivals = Arrivals(Jobs(database))
        for user_id in (2, 1, 2):
            await arrivals.job(user_id)
        now[0] += 600.0
        await arrivals.job(3)
        assert 600.0 == await leases.idle_s("receiver")
        assert [(2, 2), (1, 1)] == await rates.kept_waiting(600.0, 10)
        assert [(2, 2)] == await rates.kept_waiting(600.0, 1)
