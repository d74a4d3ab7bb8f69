"""Pieces that are fetched side by side, in any order of events."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.sources.window import Piece, Window

CONTENT = random.Random(7).randbytes(1000)
PIECE_BYTES = 64

#: What happens, to which of the running pieces, and to how many bytes.
EVENTS = st.lists(
    st.tuples(st.sampled_from(["ask", "put", "put", "rest", "take", "skip", "lead"]), st.integers(1, 20)),
    max_size=200,
)


def is_ready(window: Window) -> bool:
    """Whether the next bytes came already."""
    return any(bool(piece.chunks) and piece.start <= window.at for piece in list(window)[:1])


def play(
    window: Window, content: bytes, events: list[tuple[str, int]], most: int
) -> tuple[bytes, list[Piece]]:
    """Have the events happen, as far as they can; what was handed on, and the pieces that still run."""
    running: list[Piece] = []
    taken = b""
    for event, number in events:
        piece = running[number % len(running)] if running else None
        if event == "ask" and (asked := window.ask(most)):
            assert asked not in running
            running.append(asked)
        elif event == "put" and piece is not None and not piece.is_whole:
            window.put(piece, content[piece.got : min(piece.got + number * 5, piece.stop)])
        elif event == "rest" and piece is not None:
            running.remove(piece)
            window.rest(piece)
        elif event == "take":
            taken += window.take()
        elif event == "lead":
            window.lead()
        elif event == "skip" and not is_ready(window):
            gap = content[window.at : min(window.gap(), window.at + number * 5)]
            window.skip(len(gap))
            taken += gap
        assert len(window) <= most
        assert sum(len(chunk) for each in window for chunk in each.chunks) <= most * PIECE_BYTES
    return taken, running


def finish(window: Window, content: bytes, running: list[Piece], most: int) -> bytes:
    """Fetch all the rest, one piece after the other."""
    taken = b""
    for each in running:
        window.rest(each)
    while window.at < window.stop:
        if not is_ready(window):
            gap = content[window.at : window.gap()]
            window.skip(len(gap))
            taken += gap
        if piece := window.ask(most):
            window.put(piece, content[piece.got : piece.stop])
            window.rest(piece)
        taken += window.take()
    return taken


@given(EVENTS, st.integers(0, 999), st.integers(0, 1000), st.integers(1, 9))
def test_window_when_anything_happens_hands_on_the_bytes_and_holds_no_more_than_allowed(
    events: list[tuple[str, int]], start: int, size_bytes: int, most: int
) -> None:
    """Whatever is asked for, comes in bits, is given up and asked for again: the file is the file."""
    stop = min(start + size_bytes, len(CONTENT))
    window = Window(start, stop, PIECE_BYTES)
    taken, running = play(window, CONTENT, events, most)
    assert CONTENT[start : window.at] == taken
    taken += finish(window, CONTENT, running, most)
    assert CONTENT[start:stop] == taken
    assert 0 == len(window)


def test_ask_when_a_piece_broke_off_gives_its_rest_first() -> None:
    """What the reader waits for longest is fetched first, and nothing of it twice."""
    window = Window(0, 1000, PIECE_BYTES)
    first, second = window.ask(4), window.ask(4)
    assert first is not None
    assert second is not None
    window.put(first, CONTENT[:10])
    window.rest(first)
    again = window.ask(4)
    assert again is first
    assert (10, 64, 2) == (first.got, first.stop, first.asked)


def test_ask_when_all_is_under_way_gives_nothing() -> None:
    """No piece is fetched twice at once, and none beyond the end."""
    window = Window(0, 100, PIECE_BYTES)
    pieces = [window.ask(4) for _ in range(3)]
    assert [(0, 64), (64, 100)] == [(piece.start, piece.stop) for piece in pieces if piece]


@pytest.mark.parametrize("size_bytes", [65, 1000])
def test_put_of_more_than_was_asked_for_is_an_error(size_bytes: int) -> None:
    """Bytes of a neighbour would come twice."""
    window = Window(0, 1000, PIECE_BYTES)
    piece = window.ask(1)
    assert piece is not None
    with pytest.raises(ValueError, match="not asked for"):
        window.put(piece, CONTENT[:size_bytes])


def test_put_to_a_piece_that_nobody_fetches_is_an_error() -> None:
    """A lane that was given up has no say any more."""
    window = Window(0, 1000, PIECE_BYTES)
    piece = window.ask(1)
    assert piece is not None
    window.rest(piece)
    with pytest.raises(ValueError, match="not asked for"):
        window.put(piece, CONTENT[:1])
