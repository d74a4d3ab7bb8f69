"""How many connections there should be: the plan, against a small model of a data centre and its line."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.transfer.growth import Plan, after_look, after_trouble
from uploader.transfer.pace import Look

MB = 1_000_000


@dataclass
class Centre:
    """A data centre as a pool sees it: what so many connections carry, and how many it bears."""

    carries: Callable[[int], float]  # bytes per second
    bears: int = 100
    answer_s: Callable[[int], float] = lambda _connections: 0.1
    wanting: bool = True
    plan: Plan = field(default_factory=lambda: Plan(connections=8, most=16))
    at_s: float = 0.0
    kicks: int = 0
    seen: list[int] = field(default_factory=list)

    def steps(self, count: int, step_s: float = 0.5) -> "Centre":
        """Let time pass."""
        for _ in range(count):
            self.at_s += step_s
            if self.plan.connections > self.bears:
                self.kicks += 1
                self.plan = after_trouble(self.plan, self.at_s)
            else:
                look = Look(
                    at_s=self.at_s,
                    rate_bytes_s=self.carries(self.plan.connections),
                    answer_s=self.answer_s(self.plan.connections),
                    wanting=self.wanting,
                )
                self.plan = after_look(self.plan, look)
            self.seen.append(self.plan.connections)
        return self


def test_plan_when_each_connection_is_capped_then_grows_to_the_most() -> None:
    """Ten MB/s for each connection: all that are allowed are used, within two seconds."""
    centre = Centre(lambda connections: connections * 10 * MB).steps(4)
    assert [12, 16, 16, 16] == centre.seen


def test_plan_when_the_line_is_full_then_goes_back_and_tries_ever_more_rarely() -> None:
    """More connections than help are given up; an hour sees a dozen trials or two, not thousands."""
    centre = Centre(lambda _connections: 100 * MB).steps(7200)
    trials = sum(before < now for before, now in zip(centre.seen, centre.seen[1:], strict=False))
    assert 8 == centre.plan.connections
    assert centre.seen.count(8) > 0.98 * 7200
    assert 10 <= trials <= 30


def test_plan_when_the_source_is_slow_then_stays_as_it_is() -> None:
    """Nobody waits for a slot: more connections would carry nothing."""
    assert {8} == set(Centre(lambda connections: connections * MB, wanting=False).steps(100).seen)


@pytest.mark.parametrize("bears", [1, 2, 4, 7, 12])
def test_plan_when_more_connections_are_not_borne_then_lives_below_and_seldom_knocks(bears: int) -> None:
    """A data centre that closes what is too much sees a few such connections an hour, not one a second."""
    centre = Centre(lambda connections: connections * 10 * MB, bears=bears).steps(7200)
    assert sum(connections <= bears for connections in centre.seen) > 0.95 * 7200
    assert centre.kicks <= 40


def test_plan_when_the_line_is_slow_then_shrinks_until_answers_come_in_time() -> None:
    """At 1 MB/s eight windows of 2 MiB are 16 s of queue: fewer connections carry as much."""
    window = 4 * 524_288
    centre = Centre(lambda _connections: MB, answer_s=lambda connections: connections * window / MB)
    centre.steps(100)
    assert 3 == centre.plan.connections
    assert 8 >= max(centre.seen)


def test_plan_when_trouble_is_over_then_grows_again() -> None:
    """A flood wait halves nothing for good."""
    centre = Centre(lambda connections: connections * 10 * MB)
    for _ in range(3):
        centre.plan = after_trouble(centre.plan, centre.at_s)
    assert 3 == centre.plan.connections
    assert 16 == centre.steps(600).plan.connections


@st.composite
def lives(draw: st.DrawFn) -> list[Look | None]:
    """Steps of any kind; None is trouble."""
    look = st.builds(
        Look,
        at_s=st.just(0.0),
        rate_bytes_s=st.floats(0, 1e9),
        answer_s=st.floats(0, 100),
        wanting=st.booleans(),
    )
    return draw(st.lists(st.one_of(look, st.none()), max_size=60))


@given(life=lives(), first=st.integers(1, 20), more=st.integers(0, 20))
def test_plan_when_anything_happens_then_stays_within_its_bounds(
    life: list[Look | None], first: int, more: int
) -> None:
    """Never none, never more than the operator allows."""
    plan = Plan(connections=first, most=first + more)
    for look in life:
        plan = after_trouble(plan, 0.0) if look is None else after_look(plan, look)
        assert 1 <= plan.connections <= first + more
