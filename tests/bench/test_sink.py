"""What the sink sees of clients: real ones over real sockets, and its parts one by one."""

import contextlib
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import functions

from sandbox.bench import calls, envelope, frames
from sandbox.bench.calls import Part
from sandbox.bench.clients import fast, limit, telethon
from sandbox.bench.plan import MIB, Order
from sandbox.bench.probe import Connect, Probe
from sandbox.mtproto.envelope import INNER_HEAD, AuthKey
from sandbox.mtproto.transport import Abridged, Full, Intermediate, Transport
from tests.bench.conftest import Sink

SIZE_BYTES = 11 * MIB + 17
KEY = AuthKey.of(bytes(range(256)))


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A file that is big for Telegram, and whose last part is not whole."""
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(SIZE_BYTES))
    return Order(path=str(path), size_bytes=SIZE_BYTES, like_bytes=256 * MIB, files=2, chat=True)


@pytest.mark.parametrize("connect", [telethon.connect, fast.connect, limit.connect])
async def test_sink_when_a_client_uploads_then_counts_its_files_whole(
    sink: Sink, order: Order, connect: Connect
) -> None:
    """Full and abridged framing, parts of both sizes, and a chat on the side."""
    async with connect(sink.address) as client:
        sample = await Probe(client).carry(order)
    assert [SIZE_BYTES] * 2 == await sink.saved_bytes()
    assert 2 * SIZE_BYTES == sample.size_bytes
    assert sample.seconds > 0
    assert sample.cpu_s > 0
    assert sample.lag is not None
    assert [] == await sink.saved_bytes()


async def test_sink_when_kurigram_uploads_then_counts_its_file_whole(sink: Sink, order: Order) -> None:
    """Its session string, its own sealing, and a media connection found through the configuration."""
    pytest.importorskip("pyrogram")
    from sandbox.bench.clients import kurigram

    async with kurigram.connect(sink.address) as client:
        await Probe(client).carry(order)
    assert [SIZE_BYTES] * 2 == await sink.saved_bytes()


@given(
    file_id=st.integers(-(2**63), 2**63 - 1),
    part=st.integers(0, 7999),
    data=st.binary(min_size=1, max_size=600),
    big=st.booleans(),
    wrapped=st.booleans(),
)
def test_call_when_wrapped_by_telethon_then_tells_its_part(
    file_id: int, part: int, data: bytes, big: bool, wrapped: bool
) -> None:
    """Our reading of the schema is Telethon's."""
    request = (
        functions.upload.SaveBigFilePartRequest(file_id, part, 4000, data)
        if big
        else functions.upload.SaveFilePartRequest(file_id, part, data)
    )
    if wrapped:
        request = functions.InvokeWithoutUpdatesRequest(request)
        request = functions.InitConnectionRequest(1, "model", "1.0", "é" * 99, "en", "", "en", request)
        request = functions.InvokeWithLayerRequest(200, request)
    body = memoryview(bytes(request))
    assert Part(file_id, part, len(data)) == calls.read_part(body, calls.unwrapped(body))


@given(st.binary(max_size=100))
def test_call_when_it_is_noise_then_is_unreadable_or_of_no_part(noise: bytes) -> None:
    """Anything may come in; only the named errors come out."""
    body = memoryview(noise)
    with contextlib.suppress(*calls.UNREADABLE):
        calls.read_part(body, calls.unwrapped(body))


@pytest.mark.parametrize("transport", [Full(), Abridged(), Intermediate()])
@given(words=st.integers(1, 200_000))
def test_packet_when_told_by_its_head_then_is_where_the_transport_put_it(
    transport: Transport, words: int
) -> None:
    """The sink's arithmetic is that of the data centre's own transports."""
    payload = bytes(4 * words)
    wrapped = transport.wrap(payload)
    found = frames.packet(transport, wrapped[: frames.LEAST_BYTES])
    assert (len(wrapped), payload) == (found.total_bytes, wrapped[found.start : found.stop])


@given(st.binary(min_size=4, max_size=8))
def test_packet_when_its_length_is_impossible_then_raises_value_error(noise: bytes) -> None:
    """Never a packet of no bytes, or of more than there may be."""
    for transport in (Full(), Abridged(), Intermediate()):
        try:
            found = frames.packet(transport, noise)
        except ValueError:
            continue
        assert 0 <= found.start < found.stop <= found.total_bytes


@given(st.integers(1, 200), st.binary(min_size=16, max_size=16))
def test_sealed_when_opened_by_the_data_centre_then_is_what_was_sealed(blocks: int, text: bytes) -> None:
    """The limit's sealing is MTProto's, byte for byte, and can be told by its head."""
    body = text * blocks
    head = INNER_HEAD.pack(1, 2, 3, 5, len(body))
    plain = bytearray(head + body + os.urandom(32))
    packet = bytes(envelope.Sealer(KEY, len(plain)).seal(memoryview(plain), b"\x7fabc"))
    assert b"\x7fabc" == packet[:4]
    opened = KEY.open(memoryview(packet)[4:])
    assert (1, 2, 3, 5, body) == (
        opened.salt,
        opened.session_id,
        opened.message_id,
        opened.seq_no,
        bytes(opened.body),
    )
    peeked = envelope.peeked(KEY, packet[4 : 4 + 24 + 64])
    assert (3, body[:16]) == (peeked.message_id, bytes(peeked.body[:16]))


def test_peeked_when_the_head_is_too_short_then_raises() -> None:
    """The sink cuts such a client off."""
    with pytest.raises(struct.error):
        envelope.peeked(KEY, bytes(30))
