"""How many connections and parts there should be: the plan, against models of a data centre and its line."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.network import Network
from uploader.transfer.growth import Plan, after_answer, after_look, after_trouble
from uploader.transfer.pace import Look
from uploader.transfer.parts import PART_BYTES

MB = 1_000_000


def first_plan() -> Plan:
    """As the settings have it."""
    return Plan.first(connections=8, most=16, window=4)


@dataclass
class Centre:
    """A data centre as a pool sees it: what so many connections carry, and how many it bears."""

    carries: Callable[[int], float]  # bytes per second
    bears: int = 100
    answer_s: Callable[[Plan], float] = lambda _plan: 0.1
    wanting: bool = True
    plan: Plan = field(default_factory=first_plan)
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
                    answer_s=self.answer_s(self.plan),
                    least_s=0.1,
                    wanting=self.wanting,
                )
                self.plan = after_look(self.plan, look)
            self.seen.append(self.plan.connections)
        return self


def test_plan_when_each_connection_is_capped_then_grows_to_the_most() -> None:
    """Ten MB/s for each connection: after one look all that are allowed are used."""
    centre = Centre(lambda connections: connections * 10 * MB).steps(4)
    assert [16, 16, 16, 16] == centre.seen


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
    """At 1 MB/s thirty-two parts are 16 s of queue: fewer carry as much."""
    centre = Centre(lambda _connections: MB, answer_s=lambda plan: plan.parts * PART_BYTES / MB)
    centre.steps(100)
    assert centre.plan.parts * PART_BYTES / MB <= 8.0
    assert 8 >= max(centre.seen)


def test_plan_when_trouble_is_over_then_grows_again() -> None:
    """A flood wait halves nothing for good."""
    centre = Centre(lambda connections: connections * 10 * MB)
    for _ in range(3):
        centre.plan = after_trouble(centre.plan, centre.at_s)
    assert 3 == centre.plan.connections
    assert 16 == centre.steps(600).plan.connections


def test_plan_when_there_was_trouble_then_no_further_part_is_sent_for_a_while() -> None:
    """Whoever asked to wait is not answered with more."""
    plan = after_trouble(first_plan(), 100.0)
    assert 12 == plan.parts
    assert plan == after_answer(plan, at_s=104.9, answer_s=0.1, least_s=0.1)
    assert 13 == after_answer(plan, at_s=105.1, answer_s=0.1, least_s=0.1).parts


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("rtt_s", [0.02, 0.05, 0.2])
def test_network_when_it_is_long_then_the_bound_of_parts_is_on_its_way_within_ten_round_trips(
    rtt_s: float, noise: float
) -> None:
    """A line that only latency limits carries what 64 parts for each round trip are."""
    network = Network(rtt_s, noise=noise).run(300 * rtt_s)
    most = 64 * PART_BYTES / rtt_s
    assert 0.9 * most <= network.rate_bytes_s(10 * rtt_s, 20 * rtt_s)
    assert 0.9 * most <= network.rate_bytes_s(20 * rtt_s, 300 * rtt_s)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
def test_network_when_each_connection_is_capped_then_all_are_used_within_two_seconds(noise: float) -> None:
    """Ten MB/s for each of sixteen, 50 ms away; what only queues is not kept in memory."""
    network = Network(0.05, connection_bytes_s=10 * MB, noise=noise).run(60.0)
    assert 0.9 * 160 * MB <= network.rate_bytes_s(2.0, 4.0)
    assert 0.9 * 160 * MB <= network.rate_bytes_s(4.0, 60.0)
    assert 0 == network.changes(4.0)
    assert 48 >= network.seen[-1][2]


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("together", [3, 6, 12])
def test_network_when_a_busy_loop_hears_of_several_answers_at_once_then_it_grows_as_well(
    noise: float, together: int
) -> None:
    """The same line; the pool would stay at its first eight connections, and half the rate, for ever."""
    network = Network(0.05, connection_bytes_s=10 * MB, noise=noise, together=together).run(20.0)
    assert 0.9 * 160 * MB <= network.rate_bytes_s(2.0, 20.0)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
@pytest.mark.parametrize(("rtt_s", "line_mb_s"), [(0.001, 800), (0.05, 12.5), (0.05, 100), (0.2, 12.5)])
def test_network_when_the_line_is_full_then_it_is_left_in_peace(
    rtt_s: float, line_mb_s: float, noise: float
) -> None:
    """Whatever the line carries is carried soon; connections are seldom tried, parts do not heap up."""
    network = Network(rtt_s, line_bytes_s=line_mb_s * MB, noise=noise).run(60.0)
    assert 0.9 * line_mb_s * MB <= network.rate_bytes_s(2.0, 60.0)
    assert network.changes(4.0) <= 10
    assert network.seen[-1][2] <= 48


@st.composite
def lives(draw: st.DrawFn) -> list[Look | float | None]:
    """Steps of any kind; a number is an answer that came after so long, None is trouble."""
    look = st.builds(
        Look,
        at_s=st.just(0.0),
        rate_bytes_s=st.floats(0, 1e9),
        answer_s=st.floats(0, 100),
        least_s=st.floats(0, 10),
        wanting=st.booleans(),
    )
    return draw(st.lists(st.one_of(look, st.floats(0, 10), st.none()), max_size=200))


@given(life=lives(), first=st.integers(1, 20), more=st.integers(0, 20), window=st.integers(1, 16))
def test_plan_when_anything_happens_then_stays_within_its_bounds(
    life: list[Look | float | None], first: int, more: int, window: int
) -> None:
    """Never none, never more connections than the operator allows, or parts than there is memory for."""
    plan = Plan.first(connections=first, most=first + more, window=window)
    for event in life:
        if event is None:
            plan = after_trouble(plan, 0.0)
        elif isinstance(event, Look):
            plan = after_look(plan, event)
        else:
            plan = after_answer(plan, at_s=0.0, answer_s=event, least_s=1.0)
        assert 1 <= plan.connections <= first + more
        assert 1 <= plan.parts <= (first + more) * window
