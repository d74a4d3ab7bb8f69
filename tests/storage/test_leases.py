"""Named leases: one holder at a time, and how long nobody held them."""

import asyncio

from uploader import limits
from uploader.storage.database import Database
from uploader.storage.leases import Leases


async def test_take_when_another_holds_it_then_none_until_it_ends(database: Database) -> None:
    """Whoever renews keeps it; whoever gives it back, or dies, loses it."""
    ours, theirs = Leases(database, "a"), Leases(database, "b")
    assert await ours.take("r") == 0
    assert await theirs.take("r") is None
    assert await ours.take("r") == 0
    assert await theirs.take("other") == 0
    assert await ours.alive() == ["other", "r"]
    await theirs.give_back("r")
    assert await theirs.take("r") is None
    await ours.give_back("r")
    idle_s = await theirs.take("r")
    assert idle_s is not None
    assert 0 <= idle_s < limits.HEARTBEAT_S
    assert await ours.take("r") is None


async def test_take_when_the_holder_died_then_the_next_learns_for_how_long(database: Database) -> None:
    """It counts from before the last renewal, not from when the lease ended: so long updates were missed."""
    assert await Leases(database, "dead", lease_s=0.2).take("r") == 0
    await asyncio.sleep(0.3)  # the lease ends by the database's clock
    idle_s = await Leases(database, "next").take("r")
    assert idle_s is not None
    assert limits.HEARTBEAT_S + 0.25 <= idle_s < 60
    assert await Leases(database, "next").take("r") == 0


async def test_take_when_many_ask_at_once_then_one_gets_it(database: Database) -> None:
    """One statement decides."""
    asked = [Leases(database, str(number)).take("r") for number in range(8)]
    taken = await asyncio.gather(*asked)
    assert [idle_s for idle_s in taken if idle_s is not None] == [0]


async def test_prune_when_nobody_held_it_for_a_day_then_it_is_forgotten(database: Database) -> None:
    """Engines come and go; their names do not pile up."""
    await Leases(database, "old", lease_s=-100_000).take("engine-old")
    await Leases(database, "new").take("engine-new")
    await Leases(database, "new").prune()
    assert await Leases(database, "old").take("engine-new") is None
    assert await Leases(database, "x").take("engine-old") == 0
