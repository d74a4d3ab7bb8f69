"""Telegram's time over a clock that only goes forward."""

from hypothesis import given
from hypothesis import strategies as st

from uploader.clock import Clock

SECONDS = st.floats(-1e6, 1e6)


@given(jump_s=SECONDS, passed_s=st.floats(0, 1e6))
def test_time_when_the_machines_clock_is_set_goes_on_evenly(jump_s: float, passed_s: float) -> None:
    """What passes by the steady clock passes; the jump is told, and nothing else."""
    wall, steady = [1_000_000.0], [50.0]
    clock = Clock(wall=lambda: wall[0], steady=lambda: steady[0])
    before = clock.now()
    wall[0] += passed_s + jump_s
    steady[0] += passed_s
    assert abs(clock.now() - before - passed_s) < 1e-3
    assert abs(clock.machine_ahead_s - jump_s) < 1e-3


@given(told=st.lists(SECONDS, min_size=1))
def test_time_when_messages_come_late_is_that_of_the_least_late(told: list[float]) -> None:
    """No message comes before it was sent; one that was held up says nothing of now."""
    clock = Clock(wall=lambda: 0.0, steady=lambda: 0.0)
    clock.set(told[0])
    for now_s in told[1:]:
        clock.advance(now_s)
    assert max(told) == clock.now()
