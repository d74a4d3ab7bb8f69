"""Measuring: steps, rates and the patience with one part."""

import pytest

from uploader.transfer.pace import STEP_S, Look, Pace
from uploader.transfer.patience import Patience

PATIENCE = Patience(answer_s=15.0, answer_most_s=600.0)


def fed(pace: Pace, *, from_s: float, to_s: float, parts: int, took_s: float = 0.1) -> None:
    """Acknowledge `parts` parts of 1000 bytes, evenly, after the one that begins the stretch."""
    for number in range(parts + 1):
        pace.answered(from_s + number * (to_s - from_s) / parts, 1000, took_s)
        pace.turn(waited=True)


def test_look_when_a_step_is_over_then_tells_its_rate_and_begins_the_next() -> None:
    """The answer that begins a step is not counted, for its bytes were on their way before."""
    pace = Pace(PATIENCE)
    fed(pace, from_s=10.0, to_s=11.0, parts=20)
    look = pace.look(11.0, connections=8)
    assert Look(at_s=11.0, rate_bytes_s=20_000.0, answer_s=0.1, least_s=0.0, wanting=True) == look
    assert pace.look(11.0, connections=8) is None
    fed(pace, from_s=11.0, to_s=12.0, parts=40)
    again = pace.look(12.0, connections=8)
    assert again is not None
    assert 41_000.0 == again.rate_bytes_s


@pytest.mark.parametrize(
    ("seconds", "parts", "connections", "took_s"),
    [(STEP_S / 2, 100, 8, 0.01), (10.0, 15, 8, 0.01), (1.0, 100, 8, 0.7)],
    ids=["too short", "too few parts", "shorter than answers take"],
)
def test_look_when_too_little_was_seen_then_does_not_judge(
    seconds: float, parts: int, connections: int, took_s: float
) -> None:
    """Chance is no rate."""
    pace = Pace(PATIENCE)
    fed(pace, from_s=0.0, to_s=seconds, parts=parts, took_s=took_s)
    assert pace.look(seconds, connections) is None


@pytest.mark.parametrize(("together", "wanting"), [(1, True), (8, True), (15, True), (16, False)])
def test_look_when_parts_are_answered_together_then_one_wait_counts_for_all(
    together: int, wanting: bool
) -> None:
    """Ten times so many answers make room at once: the first turn was waited for, the others came at once.

    More than come together are no want: the source is what is slow.
    """
    pace = Pace(PATIENCE)
    for number in range(10 * together + 1):
        pace.answered(number / (10 * together), 1000, 0.1)
    for number in range(10 * together):
        pace.turn(waited=number % together == 0)
    look = pace.look(1.0, connections=1)
    assert look is not None
    assert wanting == look.wanting


def test_look_when_transfers_got_their_slots_at_once_then_nobody_wants_more() -> None:
    """The source is what is slow: of many turns hardly one was waited for."""
    pace = Pace(PATIENCE)
    fed(pace, from_s=0.0, to_s=1.0, parts=20)
    for _ in range(400):
        pace.turn(waited=False)
    look = pace.look(1.0, connections=8)
    assert look is not None
    assert not look.wanting


def test_settle_when_connections_are_new_then_what_comes_at_first_is_not_measured() -> None:
    """A connection that is still being opened would count against the others."""
    pace = Pace(PATIENCE)
    fed(pace, from_s=0.0, to_s=1.0, parts=20, took_s=0.5)
    pace.settle(1.0)
    fed(pace, from_s=1.0, to_s=2.4, parts=50, took_s=0.5)
    assert pace.look(2.4, connections=8) is None
    fed(pace, from_s=2.5, to_s=3.6, parts=50, took_s=0.5)
    assert pace.look(3.6, connections=8) is not None


@pytest.mark.parametrize(
    ("took_s", "expected_s"), [(None, 600.0), (0.1, 15.0), (5.0, 20.0), (100.0, 400.0), (1000.0, 600.0)]
)
def test_limit_when_answers_take_long_then_grows_with_them(took_s: float | None, expected_s: float) -> None:
    """Four times what parts took of late, within bounds; the most while nothing is known."""
    pace = Pace(PATIENCE)
    if took_s is not None:
        fed(pace, from_s=0.0, to_s=1.0, parts=50, took_s=took_s)
    assert pytest.approx(expected_s) == pace.limit_s
