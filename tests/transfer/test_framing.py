"""The transports."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AESModeCTR

from uploader.errors import TransferTemporary
from uploader.transfer.framing import Abridged, Framing, Obfuscated

ENVELOPES = st.lists(st.one_of(st.integers(1, 40), st.sampled_from([126, 127, 128, 300])), max_size=8)


class Stranger:
    """The other end of an obfuscated connection; its cipher is Telethon's."""

    def __init__(self, greeting: bytes) -> None:
        back = greeting[8:56][::-1]
        self.there = AESModeCTR(greeting[8:40], greeting[40:56])
        self.back = AESModeCTR(back[:32], back[32:])
        self.opening = self.there.decrypt(greeting)


def fed(framing: Framing, stream: bytes, cuts: list[int]) -> list[bytes]:
    """The envelopes of a stream that comes in pieces."""
    envelopes, at = [], 0
    while at < len(stream):
        cut = cuts[at % len(cuts)]
        envelopes += list(framing.incoming(stream[at : at + cut]))
        at += cut
    return envelopes


@given(words=ENVELOPES, cuts=st.lists(st.integers(1, 200), min_size=1))
def test_incoming_when_the_stream_is_cut_anywhere_then_gives_the_same_envelopes(
    words: list[int], cuts: list[int]
) -> None:
    """However TCP cuts the stream, the envelopes come out whole and in order, whatever the transport."""
    envelopes = [bytes([number]) * 4 * count for number, count in enumerate(words)]
    plain, hidden = Abridged(10_000), Obfuscated(10_000)
    assert envelopes == fed(plain, b"".join(plain.prefix(len(e)) + e for e in envelopes), cuts)
    stream = b"".join(hidden.prefix(len(e)) + e for e in envelopes)
    assert envelopes == fed(hidden, Stranger(hidden.greeting).back.encrypt(stream), cuts)


@given(pieces=st.lists(st.binary(min_size=1, max_size=100), max_size=10))
def test_obfuscated_when_sent_in_pieces_then_the_other_end_reads_the_stream(pieces: list[bytes]) -> None:
    """The greeting names the intermediate transport inside; what follows is one stream of the cipher."""
    framing = Obfuscated(10_000)
    stranger = Stranger(framing.greeting)
    assert b"\xee" * 4 == stranger.opening[56:60]
    sent = b"".join(framing.outgoing(memoryview(piece)) for piece in pieces)
    assert b"".join(pieces) == stranger.there.decrypt(sent)


@pytest.mark.parametrize("_round", range(50))
def test_obfuscated_when_it_greets_then_looks_like_no_other_protocol(_round: int) -> None:
    """64 bytes that a watcher takes neither for MTProto, nor for HTTP or TLS, and never the same."""
    greeting = Obfuscated(10_000).greeting
    first, second = struct.unpack_from("<II", greeting)
    assert 64 == len(greeting)
    assert 0xEF != greeting[0]
    assert first not in {0x44414548, 0x54534F50, 0x20544547, 0x4954504F, 0x02010316, 0xEEEEEEEE, 0xDDDDDDDD}
    assert second
    assert b"\xee" * 4 != greeting[56:60]
    assert greeting != Obfuscated(10_000).greeting


def test_incoming_when_an_answer_is_too_large_then_refuses_before_it_is_there() -> None:
    """The length alone is enough to refuse: nothing is gathered in memory."""
    hidden = Obfuscated(400)
    stream = Stranger(hidden.greeting).back.encrypt(hidden.prefix(404))
    for framing, head in ((Abridged(400), Abridged(400).prefix(404)), (hidden, stream)):
        with pytest.raises(TransferTemporary):
            list(framing.incoming(head))
