"""Sponsor locks, and counts that are rows and so cannot drift."""

import asyncio
from dataclasses import replace

import pytest

from uploader.model import Sponsor, SponsorCount
from uploader.storage.database import Database
from uploader.storage.sponsors import Sponsors

NEWS = Sponsor(channel_id=2**40, access_hash=-(2**63), username="DailyNews", title="اخبار روز")
SHOP = Sponsor(channel_id=7, access_hash=1, username="shop", title="Shop")


@pytest.fixture
def sponsors(database: Database) -> Sponsors:
    """The sponsors of a fresh database."""
    return Sponsors(database)


async def test_add_then_listed_in_order_and_once(sponsors: Sponsors) -> None:
    """A channel is locked once; adding it again renews its name, and not its place."""
    renamed = replace(NEWS, username="news", title="News", access_hash=3)
    new = [await sponsors.add(sponsor, added_by=1) for sponsor in (NEWS, SHOP, renamed)]
    assert new == [True, True, False]
    assert await sponsors.all() == [renamed, SHOP]


async def test_remove_then_gone_whatever_the_case(sponsors: Sponsors) -> None:
    """Telegram's usernames have no case; an unknown one removes nothing."""
    await sponsors.add(NEWS, added_by=1)
    removed = [await sponsors.remove(username) for username in ("shop", "dailyNEWS", "DailyNews")]
    assert removed == [None, NEWS, None]
    assert await sponsors.all() == []


async def test_counts_then_people_asked_and_those_of_them_who_joined(sponsors: Sponsors) -> None:
    """Each person counts once, and only who was asked before joining counts as joined."""
    for sponsor in (NEWS, SHOP):
        await sponsors.add(sponsor, added_by=1)
    await sponsors.asked(1, [NEWS, SHOP])
    await sponsors.asked(1, [NEWS])
    await sponsors.asked(2, [NEWS])
    await sponsors.asked(3, [])
    for user_id in (1, 1, 3):
        await sponsors.joined(NEWS.channel_id, user_id)
    assert await sponsors.counts() == [
        SponsorCount(sponsor=NEWS, asked=2, joined=1),
        SponsorCount(sponsor=SHOP, asked=1, joined=0),
    ]


async def test_counts_when_all_come_at_once_then_none_is_lost(sponsors: Sponsors) -> None:
    """Crowds do not make counts drift."""
    await sponsors.add(NEWS, added_by=1)
    await asyncio.gather(*(sponsors.asked(user_id % 5, [NEWS, SHOP]) for user_id in range(20)))
    await asyncio.gather(*(sponsors.joined(NEWS.channel_id, user_id % 5) for user_id in range(20)))
    assert await sponsors.counts() == [SponsorCount(sponsor=NEWS, asked=5, joined=5)]


async def test_counts_when_lock_was_removed_and_added_again_then_history_is_kept(sponsors: Sponsors) -> None:
    """What a sponsor got stays known."""
    await sponsors.add(NEWS, added_by=1)
    await sponsors.asked(1, [NEWS])
    await sponsors.remove(NEWS.username)
    without = await sponsors.counts()
    await sponsors.add(NEWS, added_by=1)
    assert without == []
    assert await sponsors.counts() == [SponsorCount(sponsor=NEWS, asked=1, joined=0)]
