"""How politely hosts are asked: by the rules, and as a site sees it."""

import asyncio
import random
from dataclasses import replace

import pytest

from tests.sources.crowds import Crowd
from tests.sources.sites import HASTY, in_turn, opened, ranged, reply, site, sources
from tests.sources.test_lanes import EAGER
from uploader.errors import NotYet, Reason, SiteFails, SourceTemporary
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources.hosts import Hosts

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = random.Random(11).randbytes(16 * MIB)
SMALL = CONTENT[:200_000]


async def test_enter_when_all_connections_are_taken_waits_for_its_turn() -> None:
    """First come, first served; other hosts are not waited for."""
    hosts, order = Hosts(2), []
    await hosts.enter("a", "first")
    await hosts.enter("a", "second")
    await hosts.enter("b", "first")

    async def enter(owner: str) -> None:
        await hosts.enter("a", owner)
        order.append(owner)

    async with asyncio.TaskGroup() as tasks:
        for owner in ("third", "fourth"):
            tasks.create_task(enter(owner))
            await asyncio.sleep(0)
        assert [] == order
        hosts.leave("a", "first")
        await asyncio.sleep(0.01)
        assert ["third"] == order
        hosts.leave("a", "second")
    assert ["third", "fourth"] == order


async def test_enter_when_no_connection_becomes_free_ends_at_its_deadline() -> None:
    """Nobody hangs: it is not yet the turn of this job, and that counts for nothing."""
    hosts = Hosts(1, wait_s=0.05)
    await hosts.enter("a", "first")
    with pytest.raises(NotYet) as caught:
        await hosts.enter("a", "second")
    assert (Reason.SITE_BUSY, 0.05) == (caught.value.reason, caught.value.wait_s)
    hosts.leave("a", "first")
    await hosts.enter("a", "third")


async def test_enter_that_is_cancelled_takes_nothing() -> None:
    """Who went away neither holds a connection nor counts as somebody who waits."""
    hosts = Hosts(4)
    for _ in range(4):
        await hosts.enter("a", "first")
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(hosts.enter("a", "second"))
        await asyncio.sleep(0)
        assert 2 == hosts.share("a", "first")
        waiting.cancel()
    assert 4 == hosts.share("a", "first")
    hosts.leave("a", "first")
    await hosts.enter("a", "third")


async def test_share_is_what_is_left_and_no_more_than_others_may_have() -> None:
    """Several connections are given up as soon as others want some, one is always one's own."""
    hosts = Hosts(8)
    assert 8 == hosts.share("a", "first")
    await hosts.enter("a", "first")
    assert 8 == hosts.share("a", "first")
    for _ in range(6):
        await hosts.enter("a", "second")
    assert 2 == hosts.share("a", "first")
    assert 4 == hosts.share("a", "second")
    await hosts.enter("a", "third")
    assert 1 == hosts.share("a", "first")


async def test_enter_after_a_host_asked_for_a_long_pause_is_not_yet() -> None:
    """The host is not asked meanwhile, for no job; then it is."""
    now = 100.0
    hosts = Hosts(8, wait_s=30, pause_s=0.01, clock=lambda: now)
    hosts.said_busy("a", 60.0)
    with pytest.raises(NotYet) as caught:
        await hosts.enter("a", "first")
    assert (Reason.SITE_BUSY, 60.0) == (caught.value.reason, caught.value.wait_s)
    await hosts.enter("b", "first")
    now += 60.0
    await hosts.enter("a", "first")


async def test_enter_of_many_after_a_host_was_busy_lets_them_go_one_by_one() -> None:
    """With a pause between them; who would wait too long comes back later."""
    hosts = Hosts(100, wait_s=0.2, pause_s=0.05, clock=lambda: 100.0)
    hosts.said_busy("a", 0.0)
    told = await asyncio.gather(*(hosts.enter("a", n) for n in range(6)), return_exceptions=True)
    assert [None, None, None, None] == told[:4]
    assert [NotYet, NotYet] == [type(each) for each in told[4:]]


async def test_jobs_of_one_host_never_use_more_connections_than_allowed() -> None:
    """Twenty files at once, each of which would take eight: the site serves three at any time."""
    crowd = Crowd(CONTENT[: 9 * MIB], enough=3)
    limited = sources(patience=EAGER, hosts=Hosts(3))

    async def fetch(url: str) -> None:
        got = bytearray()
        async with limited.open(parse(url)) as remote:
            async for chunk in remote.read(0, None):
                got += chunk
        assert crowd.content == got

    async with site(crowd, keeps=True) as served, limited, asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(fetch(served.url(f"/{number}")))
    assert 3 == crowd.peak


async def test_open_when_the_host_has_no_connection_left_is_not_yet() -> None:
    """A job that would wait for hours is put back into the queue, with a reason."""
    crowd = Crowd(SMALL, enough=100)
    limited = sources(hosts=Hosts(1, wait_s=0.2))
    async with site(crowd, keeps=True) as served, limited, limited.open(parse(served.url())) as remote:
        reading = aiter(remote.read(0, None))
        await anext(reading)
        with pytest.raises(NotYet) as caught:
            async with limited.open(parse(served.url("/other"))):
                pass
        assert b"".join([chunk async for chunk in reading])
    assert Reason.SITE_BUSY is caught.value.reason
    assert 1 == crowd.peak


@pytest.mark.parametrize(
    "lines",
    [
        ["Retry-After: 120"],
        ["Retry-After: Sun, 01 Jun 2025 10:02:00 GMT", "Date: Sun, 01 Jun 2025 10:00:00 GMT"],
    ],
    ids=["seconds", "date"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_open_of_a_busy_host_obeys_its_wait_for_all_jobs(status: int, lines: list[str]) -> None:
    """Whoever comes meanwhile is told when, and the site hears nothing of it."""
    async with site(reply(status, *lines)) as served, sources() as opener:
        with pytest.raises(SiteFails) as caught:
            async with opener.open(parse(served.url())):
                pass
        with pytest.raises(NotYet) as later:
            async with opener.open(parse(served.url("/other"))):
                pass
    assert 120.0 == caught.value.wait_s
    assert 110 < later.value.wait_s <= 120
    assert 1 == len(served.asked)


async def test_read_of_a_host_that_becomes_busy_for_long_waits_in_the_queue() -> None:
    """The rest of the file is not asked for again and again: the job rests, and resumes then."""
    broken = ranged(SMALL, 'ETag: "v1"', breaks_at=1000)
    answer = in_turn(ranged(SMALL, 'ETag: "v1"'), broken, reply(503, "Retry-After: 300"))
    persistent = replace(HASTY, resumes=1000)
    async with site(answer) as served, opened(served.url(), persistent) as remote, asyncio.timeout(10):
        with pytest.raises(SourceTemporary) as caught:
            async for _ in remote.read(0, None):
                pass
    assert isinstance(caught.value, NotYet)
    assert 290 < caught.value.wait_s <= 300
    assert 3 == len(served.asked)
