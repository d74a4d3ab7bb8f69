"""Bytes and seconds as people read them."""

import pytest

from tui import units

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (None, "?"),
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (MIB - 1, "1 MiB"),
        (12.34 * MIB, "12.3 MiB"),
        (99.96 * MIB, "100 MiB"),
        (256 * MIB, "256 MiB"),
        (2000 * MIB, "1.95 GiB"),
        (3000 * GIB, "2.93 TiB"),
    ],
)
def test_size_when_shown_has_three_digits(size_bytes: float | None, expected: str) -> None:
    """Units of 1024, as Telegram's limit is counted."""
    assert expected == units.size(size_bytes)


@pytest.mark.parametrize(
    ("seconds", "long", "brief"),
    [
        (-5, "0 s", "0 s"),
        (0.9, "0 s", "0 s"),
        (59.9, "59 s", "59 s"),
        (60, "1 min 00 s", "1 min"),
        (3599, "59 min 59 s", "59 min"),
        (3600, "1 h 00 min", "1 h"),
        (11_520, "3 h 12 min", "3 h"),
        (86_400 * 4 + 7200, "4 d 2 h", "4 d"),
    ],
)
def test_duration_when_shown_has_its_largest_units(seconds: float, long: str, brief: str) -> None:
    """Two units where there is room, one in columns."""
    assert (long, brief) == (units.duration(seconds), units.brief(seconds))


@pytest.mark.parametrize(
    ("done", "total", "expected"),
    [(0, 10, "0 %"), (999, 1000, "99 %"), (1000, 1000, "100 %"), (0, 0, "100 %"), (5, None, "")],
)
def test_percent_when_not_all_is_done_is_never_full(done: float, total: float | None, expected: str) -> None:
    """100 % means done, not almost."""
    assert expected == units.percent(done, total)


def test_speed_when_nothing_moves_is_not_shown() -> None:
    """A zero would look like a measurement."""
    assert ("", "2 MiB/s") == (units.speed(0.0), units.speed(2 * MIB))
