"""The abridged transport."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.errors import TransferTemporary
from uploader.transfer.abridged import Deframer, prefix

ENVELOPES = st.lists(st.one_of(st.integers(1, 40), st.sampled_from([126, 127, 128, 300])), max_size=8)


@given(words=ENVELOPES, cuts=st.lists(st.integers(1, 200), min_size=1))
def test_deframer_when_the_stream_is_cut_anywhere_then_gives_the_same_envelopes(
    words: list[int], cuts: list[int]
) -> None:
    """However TCP cuts the stream, the envelopes come out whole and in order."""
    envelopes = [bytes([number]) * 4 * count for number, count in enumerate(words)]
    stream = b"".join(prefix(len(envelope)) + envelope for envelope in envelopes)
    deframer, actual, at = Deframer(10_000), [], 0
    while at < len(stream):
        cut = cuts[at % len(cuts)]
        actual += list(deframer.feed(stream[at : at + cut]))
        at += cut
    assert envelopes == actual


def test_deframer_when_an_answer_is_too_large_then_refuses_before_it_is_there() -> None:
    """The length alone is enough to refuse: nothing is gathered in memory."""
    with pytest.raises(TransferTemporary):
        list(Deframer(400).feed(prefix(404)))
