"""How much of a file a client carries."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.bench.plan import FULL, LEAST_BYTES, MIB, QUICK, Stage

STAGES = st.sampled_from([*FULL.stages, *QUICK.stages])


@given(STAGES, st.floats(1, 1e10), st.floats(0.1, 100))
def test_size_when_the_client_is_slow_then_is_a_part_of_the_file(
    stage: Stage, rate_bytes_s: float, time_s: float
) -> None:
    """Never more than the file, never so little that Telegram would call it small, and within the time."""
    size_bytes = stage.size_for(rate_bytes_s, time_s)
    assert LEAST_BYTES <= size_bytes <= stage.size_bytes
    if LEAST_BYTES < size_bytes < stage.size_bytes:
        assert 0 == size_bytes % MIB
        assert stage.files * size_bytes <= rate_bytes_s * time_s


def test_size_when_the_client_is_fast_then_is_the_whole_file() -> None:
    """A gigabyte in a second, in ten seconds."""
    assert 1024 * MIB == Stage(name="x", size_bytes=1024 * MIB).size_for(1.1e9, 10.0)
