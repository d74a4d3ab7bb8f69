"""What people write to say which entries of a list they want."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.ranges import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3-10, 15", [3, 4, 5, 6, 7, 8, 9, 10]),
        ("1", [1]),
        ("۲-۴", [2, 3, 4]),
        ("۲ تا ۴ ، ۱", [2, 3, 4, 1]),
        ("2 to 3", [2, 3]),
        ("\u200f2–3\u200f", [2, 3]),
        ("10-", [10, 11, 12]),
        ("-2", [1, 2]),
        ("3,3 1", [3, 1]),
        ("4-2", []),
        ("99", []),
        ("0", []),
        ("", None),
        ("-", None),
        ("all", None),
        ("1-2-3", None),
        ("1.5", None),
        ("1 2 x", None),
        ("1234567", None),
        ("1," * 300, None),
    ],
)
def test_parse_gives_the_numbers_or_nothing(text: str, expected: list[int] | None) -> None:
    """Numbers of the list, each once, as they were named; None for anything else."""
    assert expected == parse(text, 12)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=50, unique=True))
def test_parse_of_written_numbers_gives_them_back(numbers: list[int]) -> None:
    """Whatever the order."""
    assert numbers == parse(", ".join(map(str, numbers)), 500)


@given(st.text(max_size=600), st.integers(0, 500))
def test_parse_of_any_text_stays_within_the_list(text: str, count: int) -> None:
    """No text names more than there is, and none takes long."""
    numbers = parse(text, count)
    assert numbers is None or set(numbers) <= set(range(1, count + 1))
