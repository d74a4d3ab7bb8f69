"""Telegram's part rules at every boundary."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.errors import Reason, SourceError
from uploader.model import Checkpoint
from uploader.transfer import parts
from uploader.transfer.parts import CAP_BYTES, PART_BYTES, SMALL_FILE_BYTES, Run

MIB = 1024 * 1024

#: size, parts, bytes of the last part, small?
BOUNDARIES = [
    (1, 1, 1, True),
    (PART_BYTES - 1, 1, PART_BYTES - 1, True),
    (PART_BYTES, 1, PART_BYTES, True),
    (PART_BYTES + 1, 2, 1, True),
    (10_000_000, 20, 10_000_000 - 19 * PART_BYTES, True),
    (10 * MIB - 1, 20, PART_BYTES - 1, True),
    (10 * MIB, 20, PART_BYTES, True),
    (10 * MIB + 1, 21, 1, False),
    (2**31, 4096, PART_BYTES, False),
    (CAP_BYTES - 1, 4000, PART_BYTES - 1, False),
    (CAP_BYTES, 4000, PART_BYTES, False),
    (CAP_BYTES + 1, 4001, 1, False),
]


@pytest.mark.parametrize(("size", "count", "last", "small"), BOUNDARIES)
def test_part_arithmetic_when_size_is_at_a_boundary_then_counts_are_exact(
    size: int, count: int, last: int, small: bool
) -> None:
    """Count, last part and the call used are right around every limit."""
    expected = (count, last, small)
    actual = (parts.part_count(size), parts.part_size(size, count - 1), parts.is_small(size))
    assert expected == actual


def test_cap_when_asked_then_is_2000_mib() -> None:
    """The cap is 4000 parts of 512 KiB, not 2 GiB."""
    assert (2_097_152_000, 524_288, 4000) == (CAP_BYTES, PART_BYTES, parts.PART_LIMIT)


@pytest.mark.parametrize("size", [1, PART_BYTES, SMALL_FILE_BYTES, CAP_BYTES - 1, CAP_BYTES])
def test_check_size_when_it_fits_then_passes(size: int) -> None:
    """Everything from one byte to the cap is taken."""
    parts.check_size(size)


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (-1, Reason.EMPTY),
        (0, Reason.EMPTY),
        (CAP_BYTES + 1, Reason.TOO_LARGE),
        (2**63, Reason.TOO_LARGE),
    ],
)
def test_check_size_when_it_does_not_fit_then_says_why(size: int, reason: Reason) -> None:
    """Nothing and one byte too many are refused with their reason."""
    with pytest.raises(SourceError) as caught:
        parts.check_size(size)
    assert reason == caught.value.reason


@given(count=st.integers(1, 300), acked=st.sets(st.integers(0, 299)))
def test_missing_runs_when_some_parts_are_marked_then_cover_exactly_the_others(
    count: int, acked: set[int]
) -> None:
    """The runs are in order, do not touch, and together are the parts that are not marked."""
    bitmap = parts.blank(count)
    for part in acked & set(range(count)):
        parts.mark(bitmap, part)
    runs = list(parts.missing_runs(bitmap, count))
    covered = [part for run in runs for part in range(run.start, run.stop)]
    assert [part for part in range(count) if part not in acked] == covered
    assert all(before.stop < after.start for before, after in itertools.pairwise(runs))


@given(size=st.integers(1, 40 * PART_BYTES), acked=st.sets(st.integers(0, 39)))
def test_marked_bytes_when_some_parts_are_marked_then_adds_their_sizes(size: int, acked: set[int]) -> None:
    """Marked and missing bytes make up the file."""
    count = parts.part_count(size)
    bitmap = parts.blank(count)
    for part in acked & set(range(count)):
        parts.mark(bitmap, part)
    missing = sum(
        parts.part_size(size, part)
        for run in parts.missing_runs(bitmap, count)
        for part in range(run.start, run.stop)
    )
    assert size == parts.marked_bytes(bitmap, size) + missing


def test_bitmap_when_parts_are_marked_then_has_the_layout_of_the_checkpoint() -> None:
    """Part n is bit n % 8 of byte n // 8, as `Checkpoint.acked` says."""
    bitmap = parts.blank(17)
    for part in (0, 9, 16):
        parts.mark(bitmap, part)
    assert bytes([0b1, 0b10, 0b1]) == bytes(bitmap)
    assert [Run(start=1, stop=9), Run(start=10, stop=16)] == list(parts.missing_runs(bitmap, 17))


SIZE = SMALL_FILE_BYTES + 1
MADE = Checkpoint(file_id=1, size_bytes=SIZE, validator='"v1"', acked=bytes(3), account="me")


@pytest.mark.parametrize(
    ("checkpoint", "size", "validator", "expected"),
    [
        (MADE, SIZE, '"v1"', True),
        (None, SIZE, '"v1"', False),
        (MADE, SIZE, '"v2"', False),
        (MADE, SIZE, None, False),
        (MADE, SIZE + 1, '"v1"', False),
        (replace(MADE, acked=b""), SIZE, '"v1"', False),
        (replace(MADE, account="another"), SIZE, '"v1"', False),
        (replace(MADE, account=""), SIZE, '"v1"', False),
        (replace(MADE, size_bytes=SIZE - 1), SIZE - 1, '"v1"', False),
    ],
)
def test_fits_when_the_source_is_looked_at_again_then_only_the_same_big_file_does(
    checkpoint: Checkpoint | None, size: int, validator: str | None, expected: bool
) -> None:
    """A checkpoint is used for the same size, validator and account, and never for a small file."""
    assert expected == parts.fits(checkpoint, size, validator, "me")
