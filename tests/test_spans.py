"""Which part of a film people want, in the ways in which they write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.links import find_all
from uploader.spans import LONGEST_S, Span, after, parse, written


@pytest.mark.parametrize(
    ("text", "start_s", "stop_s"),
    [
        ("1:20-2:35", 80.0, 155.0),
        (" 1:20 – 2:35 ", 80.0, 155.0),
        ("۱:۲۰ تا ۲:۳۵", 80.0, 155.0),
        ("\u200f۱:۲۰-۲:۳۵\u200f", 80.0, 155.0),
        ("٠:٠٥ to 0:06٫5", 5.0, 6.5),
        ("80-155", 80.0, 155.0),
        ("1:02:03.5-", 3723.5, None),
        ("-90:00", 0.0, 5400.0),
        ("0-0.001", 0.0, 0.001),
    ],
)
def test_span_when_it_is_written_in_any_way_is_understood(
    text: str, start_s: float, stop_s: float | None
) -> None:
    """Dashes of all lengths, a word for them, digits of three alphabets, marks that nobody sees."""
    assert Span(start_s=start_s, stop_s=stop_s) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "0-", "hello", "1:20", "1:20-2:35 please", "2:35-1:20", "1:20-1:20"),
        *("1:60-2:00", "1:99:00-", "1:2:3:4-", "-1-2", "1e3-2e3", "1:20-2:35-3:00", "nan-inf"),
        *("9999999-", "999:59:59-", "1:20\n-2:35\n3", "²-³"),
    ],
)
def test_text_when_it_is_no_span_is_none(text: str) -> None:
    """What is backwards, empty, the whole film or longer than any film is not cut."""
    assert parse(text) is None


MILLISECONDS = st.integers(0, round(LONGEST_S) * 1000)


@given(MILLISECONDS, st.none() | MILLISECONDS)
def test_span_when_written_and_read_again_is_the_same(start: int, stop: int | None) -> None:
    """What a card shows can be sent back to it."""
    span = Span(start_s=start / 1000, stop_s=None if stop is None else stop / 1000)
    is_one = start < (LONGEST_S * 1000 if stop is None else stop) and (start, stop) != (0, None)
    assert (span if is_one else None) == parse(written(span))


@given(st.text("0123456789:.-–۱۲ to\n", max_size=20) | st.text(max_size=20))
def test_span_when_the_text_is_random_is_within_its_bounds(text: str) -> None:
    """Whatever people send: no span that is empty, the whole, or endless."""
    span = parse(text)
    if span is not None:
        assert 0 <= span.start_s < (LONGEST_S if span.stop_s is None else span.stop_s) <= LONGEST_S
        assert (0, None) != (span.start_s, span.stop_s)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("look: https://a.example/f 1:20-2:35", Span(start_s=80.0, stop_s=155.0)),
        ("a.example/f 1:20-\nthanks", Span(start_s=80.0, stop_s=None)),
        (
            "https://a.example/f2 0:01-0:02\n\u2066https://a.example/f\u2069 ۱:۲۰-",
            Span(start_s=80.0, stop_s=None),
        ),
        ("https://a.example/f 1:20- https://b.example/g 0:01-", Span(start_s=80.0, stop_s=None)),
        ("https://a.example/f 1:20- b.example/g", Span(start_s=80.0, stop_s=None)),
        ("https://a.example/f2 1:20-", None),
        ("https://a.example/f", None),
        ("https://a.example/f 1:20-2:35 or so", None),
        ("https://a.example/f https://b.example/g 1:20-", None),
        ("1:20-2:35 https://a.example/f", None),
        ("nothing 1:20-2:35", None),
    ],
)
def test_span_when_it_stands_behind_a_link_is_found(text: str, expected: Span | None) -> None:
    """Alone on the rest of the link's line, or up to the next link; of this link, and no longer one."""
    ends = {mention.raw: mention.end for mention in reversed(list(find_all(text)))}
    end = ends.get("https://a.example/f")
    assert expected == (None if end is None else after(text, end))
