"""How many connections a file gets, in worlds where it is known what each brings."""

import pytest

from uploader.sources.growth import LOOKS, MOST, REST_LOOKS, Growth

LOOK_S = 1.0
MB = 10**6
HUGE = 10**12


class World:
    """A site that gives each connection 5 MB/s and all together `total`, and a clock."""

    def __init__(self, total: float, *, reader: float = HUGE, work: float = 0.1) -> None:
        self.now = self.worked = 0.0
        self.total = total
        self.reader = reader  # how much is taken in a second
        self.work = work  # which part of the time is spent computing

    def growth(self, known: int | None = None) -> Growth:
        return Growth(LOOK_S, known, clock=lambda: self.now, work=lambda: self.worked)

    def live(self, growth: Growth, seconds: float, *, left_bytes: int = HUGE, room: int = MOST) -> list[int]:
        """The numbers of connections that were found to be good meanwhile."""
        found = []
        for _ in range(round(seconds * 100)):
            offered = min(growth.lanes * 5 * MB, self.total)
            self.now += 0.01
            self.worked += 0.01 * self.work
            growth.came(round(min(offered, self.reader) / 100))
            growth.waited(0.01 * max(0.0, 1 - offered / self.reader))
            good = growth.judge(left_bytes, room) if growth.is_due() else None
            found += [] if good is None else [good]
        return found


def test_judge_of_a_site_that_caps_each_connection_doubles_them_up_to_the_most() -> None:
    """One, two, four, eight: in as many trials, and no more after that."""
    world = World(HUGE)
    growth = world.growth()
    assert [2, 4, 8] == world.live(growth, 60)
    assert MOST == growth.lanes


@pytest.mark.parametrize(("total", "lanes"), [(5, 1), (6, 1), (10, 2), (12, 2), (20, 4), (21, 4), (40, 8)])
def test_judge_of_a_site_with_a_total_keeps_what_pays(total: int, lanes: int) -> None:
    """What brings less than a third of what it might is taken back."""
    world = World(total * MB)
    growth = world.growth()
    world.live(growth, 8 * LOOK_S)
    assert lanes == growth.lanes


def test_judge_after_a_trial_that_did_not_pay_rests_twice_as_long_each_time() -> None:
    """The site is not bothered again and again, nor given up for good."""
    world = World(5 * MB)
    growth = world.growth()
    trial = LOOKS + 1
    assert [1] == world.live(growth, (trial + REST_LOOKS) * LOOK_S)
    assert [1] == world.live(growth, (trial + REST_LOOKS) * LOOK_S)
    world.total = HUGE
    assert [] == world.live(growth, (REST_LOOKS - trial) * LOOK_S)
    world.live(growth, 2 * trial * LOOK_S)
    assert MOST == growth.lanes


def test_judge_while_the_reader_is_what_is_slow_adds_nothing() -> None:
    """Who does not wait for bytes gains nothing by more of them."""
    world = World(HUGE, reader=6 * MB)
    growth = world.growth()
    world.live(growth, 60)
    assert 1 == growth.lanes


def test_judge_when_the_reader_becomes_slow_within_a_trial_learns_nothing_of_it() -> None:
    """A pause of Telegram's is no fault of the site's."""
    world = World(HUGE)
    growth = world.growth()
    world.live(growth, 1.2 * LOOK_S)
    assert 2 == growth.lanes
    world.reader = 1 * MB
    assert [] == world.live(growth, 3 * LOOK_S)
    assert 2 == growth.lanes


def test_judge_on_a_machine_at_full_load_adds_nothing() -> None:
    """More connections only cost what is lacking."""
    world = World(HUGE, work=0.95)
    growth = world.growth()
    world.live(growth, 60)
    assert 1 == growth.lanes


def test_judge_of_a_connection_that_brings_plenty_adds_nothing() -> None:
    """Telegram takes less, and small pieces would bring less."""
    world = World(HUGE)
    growth = world.growth()
    for _ in range(600):
        world.now += 0.1
        growth.came(5 * MB, 0.1)
        assert growth.judge(HUGE, MOST) is None if growth.is_due() else True
    assert 1 == growth.lanes


def test_judge_near_the_end_adds_nothing() -> None:
    """What is nearly there is not worth another connection."""
    world = World(HUGE)
    growth = world.growth()
    world.live(growth, 60, left_bytes=round(5 * MB * LOOK_S))
    assert 1 == growth.lanes


def test_judge_with_little_room_at_the_host_goes_as_far_as_that() -> None:
    """Others want their share."""
    world = World(HUGE)
    growth = world.growth()
    world.live(growth, 60, room=3)
    assert 3 == growth.lanes


def test_alone_is_for_good() -> None:
    """A site that refused a second connection is not asked for one again for this file."""
    world = World(HUGE)
    growth = world.growth()
    world.live(growth, 3.2 * LOOK_S)
    growth.alone()
    assert [] == world.live(growth, 1000)
    assert 1 == growth.lanes


@pytest.mark.parametrize(("known", "lanes"), [(1, 1), (4, 8), (8, 8)])
def test_growth_begins_with_what_is_known_of_the_host(known: int, lanes: int) -> None:
    """One is not put into question at once; several are a beginning."""
    world = World(HUGE)
    growth = world.growth(known)
    assert known == growth.lanes
    world.live(growth, 8 * LOOK_S)
    assert lanes == growth.lanes
