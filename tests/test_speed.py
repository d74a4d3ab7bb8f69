"""Speed and time left, from acknowledged bytes alone."""

from hypothesis import given
from hypothesis import strategies as st

from uploader.speed import WINDOW_S, Speed, eta_s


def test_speed_when_bytes_come_evenly_is_their_rate() -> None:
    """10 reports a second of 1000 bytes each are 10,000 bytes a second."""
    speed = Speed()
    for n in range(301):
        speed.report(n / 10, n * 1000)
    assert 10_000 == round(speed.bytes_s(30.0))


def test_speed_when_a_transfer_resumes_does_not_count_what_was_sent_before() -> None:
    """The first report is the base line."""
    speed = Speed()
    speed.report(0.0, 900_000_000)
    speed.report(1.0, 900_001_000)
    assert 1000 == round(speed.bytes_s(1.0))


def test_speed_when_bytes_stop_falls_and_ends_at_zero() -> None:
    """A stall shows within the window, not as the last good speed for ever."""
    speed = Speed()
    for n in range(101):
        speed.report(n / 10, n * 1000)
    speeds = [speed.bytes_s(10.0 + wait) for wait in (0, 2, 4, 6, WINDOW_S)]
    assert speeds == sorted(speeds, reverse=True)
    assert 0.0 == speeds[-1]


def test_speed_when_nothing_or_little_was_seen_is_zero() -> None:
    """One report tells no speed, nor do two within a blink."""
    speed = Speed()
    assert 0.0 == speed.bytes_s(0.0)
    speed.report(0.0, 0)
    speed.report(0.01, 1_000_000)
    assert 0.0 == speed.bytes_s(0.01)


def test_speed_when_a_transfer_starts_anew_forgets_the_old_bytes() -> None:
    """A source that changed begins again at zero: no negative speed."""
    speed = Speed()
    speed.report(0.0, 5_000_000)
    speed.report(1.0, 0)
    speed.report(2.0, 1000)
    assert 1000 == round(speed.bytes_s(2.0))


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 10**9)), max_size=200), st.floats(0, 60))
def test_speed_when_anything_is_reported_lies_between_zero_and_the_fastest_step(
    steps: list[tuple[float, int]], silence: float
) -> None:
    """Never negative, and never more than all bytes over the shortest time that is judged."""
    speed, now, done = Speed(), 0.0, 0
    for wait, more in steps:
        now, done = now + wait, done + more
        speed.report(now, done)
    assert 0 <= speed.bytes_s(now + silence) <= done / 0.5


def test_time_left_when_size_or_speed_is_unknown_is_unknown() -> None:
    """No guess is shown as knowledge."""
    assert eta_s(10, None, 5.0) is None
    assert eta_s(10, 100, 0.0) is None
    assert 18.0 == eta_s(10, 100, 5.0)
    assert 0.0 == eta_s(120, 100, 5.0)
