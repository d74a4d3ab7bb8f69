"""Sites that fail are let rest, and nobody else is."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.sites import HASTY, Answer, collected, reply, reset, site, sources
from uploader import limits
from uploader.errors import NotYet, Reason, SiteFails, SourceError, SourceTemporary
from uploader.failure import Rest, judge
from uploader.links import parse
from uploader.sources import Resting
from uploader.sources.breakers import Breakers


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


def ask(
    breakers: Breakers, name: str, error: BaseException | None = None, link: str = ""
) -> BaseException | None:
    """Ask a site for a link, which ends with `error`; returns what the asking ended with."""
    try:
        with breakers.asking(name, link):
            if error is not None:
                raise error
    except BaseException as raised:  # noqa: BLE001 - a probe may end with anything
        return raised
    return None


def fails() -> SiteFails:
    """What a site that is down ends with."""
    return SiteFails(Reason.SITE_BUSY, "x")


def opened(clock: Clock) -> Breakers:
    """Breakers of which `a` has just opened."""
    breakers = Breakers(clock)
    for _ in range(limits.SITE_FAILURES):
        assert isinstance(ask(breakers, "a", fails()), SiteFails)
    return breakers


def test_site_when_it_failed_five_times_rests_for_a_minute_and_no_other_does(clock: Clock) -> None:
    """The job is told when it is its turn again, and loses no attempt."""
    breakers = opened(clock)
    clock.now += 10
    refused = ask(breakers, "a")
    assert isinstance(refused, NotYet)
    assert Rest(wait_s=50.0, reason=Reason.SITE_RESTS) == judge(refused, failures=4)
    assert None is ask(breakers, "b")
    assert [Resting(site="a", wait_s=50.0)] == breakers.resting()


def test_site_after_its_rest_when_one_probe_works_is_asked_by_all(clock: Clock) -> None:
    """While it is tried, others wait a little."""
    breakers = opened(clock)
    clock.now += limits.SITE_REST_S
    assert [Resting(site="a", wait_s=0.0)] == breakers.resting()
    with breakers.asking("a"):
        second = ask(breakers, "a")
    assert isinstance(second, NotYet)
    assert limits.SITE_PROBE_REST_S == second.wait_s
    assert [] == breakers.resting()
    assert None is ask(breakers, "a")


def test_family_when_ten_people_send_the_link_at_which_it_stumbles_goes_on(clock: Clock) -> None:
    """One link says nothing of the others, however often it is sent; several do."""
    breakers = Breakers(clock)
    for _ in range(10 * limits.SITE_FAILURES):
        ask(breakers, "youtube", fails(), "https://youtube.com/watch?v=odd")
    assert [] == breakers.resting()
    for number in range(limits.SITE_FAILURES - 1):
        ask(breakers, "youtube", fails(), f"https://youtube.com/watch?v={number}")
    assert ["youtube"] == [resting.site for resting in breakers.resting()]


def test_site_when_it_takes_us_for_a_robot_rests_as_long_as_that_lasts(clock: Clock) -> None:
    """The links may come minutes apart, and a rest is no longer than an hour whatever the site wishes."""
    for wait_s, rest_s in ((900.0, 900.0), (10**6, limits.SITE_LONGEST_REST_S)):
        breakers = Breakers(clock)
        for number in range(limits.SITE_FAILURES):
            clock.now += 100
            ask(breakers, "youtube", SiteFails(Reason.ROBOT, "x", wait_s=wait_s), str(number))
        assert [Resting(site="youtube", wait_s=rest_s, reason=Reason.ROBOT)] == breakers.resting()


@pytest.mark.parametrize("answer", [Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.NEEDS_LOGIN])
def test_site_after_its_rest_when_the_probe_is_refused_works_again(answer: Reason, clock: Clock) -> None:
    """Who answers that there is no such file is not down."""
    breakers = opened(clock)
    clock.now += limits.SITE_REST_S
    ask(breakers, "a", SourceError(answer))
    assert [] == breakers.resting()


def test_site_after_its_rest_when_the_probe_fails_rests_again(clock: Clock) -> None:
    """One failure is enough then."""
    breakers = opened(clock)
    clock.now += limits.SITE_REST_S
    ask(breakers, "a", fails())
    assert [Resting(site="a", wait_s=limits.SITE_REST_S)] == breakers.resting()
    assert isinstance(ask(breakers, "a"), NotYet)


@pytest.mark.parametrize(
    "end", [asyncio.CancelledError(), SourceTemporary(Reason.INTERNAL), ZeroDivisionError()]
)
def test_probe_when_it_ends_without_an_answer_leaves_its_turn_to_the_next(
    end: BaseException, clock: Clock
) -> None:
    """A cancelled job has found out nothing."""
    breakers = opened(clock)
    clock.now += limits.SITE_REST_S
    assert end is ask(breakers, "a", end)
    assert [Resting(site="a", wait_s=0.0)] == breakers.resting()
    assert None is ask(breakers, "a")


def test_site_when_failures_are_far_apart_or_between_successes_goes_on(clock: Clock) -> None:
    """Only failures in a row, within the window, count."""
    breakers = Breakers(clock)
    for _ in range(20):
        ask(breakers, "slow", fails())
        clock.now += limits.SITE_WINDOW_S / (limits.SITE_FAILURES - 1)
    for _ in range(20):
        for _ in range(limits.SITE_FAILURES - 1):
            ask(breakers, "lame", fails())
        assert None is ask(breakers, "lame")
    assert [] == breakers.resting()


@pytest.mark.parametrize("error", [SourceTemporary(Reason.NO_ROOM), SourceError(Reason.NOT_FOUND), OSError()])
def test_failures_that_are_not_the_sites_own_let_nobody_rest(error: Exception, clock: Clock) -> None:
    """Our disk, a bad link, a bug."""
    breakers = Breakers(clock)
    for _ in range(20):
        ask(breakers, "a", error)
    assert [] == breakers.resting()


def test_failure_of_a_site_that_another_led_to_is_that_sites_own(clock: Clock) -> None:
    """A shortener of links does not rest for those to which its links lead."""
    breakers = Breakers(clock)
    for _ in range(limits.SITE_FAILURES):
        ask(breakers, "short", SiteFails(Reason.UNREACHABLE, site="dead"))
    assert ["dead"] == [each.site for each in breakers.resting()]


def test_sites_when_very_many_fail_are_remembered_up_to_the_bound(clock: Clock) -> None:
    """Whoever invents names fills no memory."""
    breakers = Breakers(clock)
    for number in range(limits.FAILING_SITES + 50):
        for _ in range(limits.SITE_FAILURES):
            breakers.failed(f"site{number}", fails())
    assert limits.FAILING_SITES == len(breakers.resting())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 40)), max_size=60))
def test_breakers_whatever_happens_agree_with_their_rule(steps: list[tuple[str, bool, float]]) -> None:
    """After five failures in a row within a minute: no question for a minute; then one at a time."""
    clock = Clock()
    breakers = Breakers(clock)
    row: dict[str, list[float]] = {"a": [], "b": []}
    until: dict[str, float | None] = {"a": None, "b": None}
    for name, is_failure, pause_s in steps:
        clock.now += pause_s
        closed_until = until[name]
        asked = ask(breakers, name, fails() if is_failure else None)
        assert isinstance(asked, NotYet) == (closed_until is not None and clock.now < closed_until)
        if isinstance(asked, NotYet):
            continue
        row[name] = [*row[name], clock.now] if is_failure else []
        recent = [at for at in row[name] if clock.now - at < limits.SITE_WINDOW_S]
        if not is_failure:
            until[name] = None
        elif closed_until is not None or len(recent) >= limits.SITE_FAILURES:
            until[name], row[name] = clock.now + limits.SITE_REST_S, []


async def outcomes(url: str, count: int) -> list[str]:
    """How openings of one link end, one after the other."""
    told = []
    async with sources(patience=HASTY) as opener:
        for _ in range(count):
            try:
                async with opener.open(parse(url)) as remote:
                    await collected(remote)
                told.append("worked")
            except SourceError as error:
                told.append(f"{type(error).__name__} {error.reason}")
    return told


@pytest.mark.parametrize(
    ("answer", "first", "connections"),
    [
        (reply(503), "SiteFails site-busy", 5),
        (reply(500), "SiteFails site-broken", 5),
        (reset, "SiteFails unreachable", 10),  # aiohttp asks again where a connection breaks
    ],
)
async def test_site_that_is_down_is_asked_five_times_and_then_not_at_all(
    answer: Answer, first: str, connections: int
) -> None:
    """Counted at the site itself."""
    async with site(answer) as down, site(reply(200, body=b"x")) as works:
        told = await outcomes(down.url(), 7)
        assert ["worked"] == await outcomes(works.url(), 1)
    assert [first] * 5 + ["NotYet site-rests"] * 2 == told
    assert connections == down.connections


async def test_site_whose_links_are_bad_never_rests() -> None:
    """However many people send links to files that are gone."""
    async with site(reply(404)) as served:
        assert ["SourceError not-found"] * 8 == await outcomes(served.url(), 8)
