"""Bytes that no client sends: nobody else notices them."""

import asyncio
import contextlib
import os
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import DataCentre, World, tl
from sandbox.mtproto import messages, transport
from sandbox.mtproto.messages import BadMessage, Message
from sandbox.mtproto.transport import Abridged, BadFrame, Frame, Full, Intermediate, Need, Padded
from sandbox.rpc.dispatch import TABLE
from tests.sandbox.clients import connected
from tests.sandbox.raw import raw

CODECS = [Full, Abridged, Intermediate, Padded]


@pytest.mark.parametrize("codec", CODECS)
@given(
    payloads=st.lists(st.integers(1, 700).map(lambda words: os.urandom(words * 4)), min_size=1, max_size=4)
)
def test_packets_when_wrapped_are_cut_out_again(
    codec: type[transport.Transport], payloads: list[bytes]
) -> None:
    """What one side wraps the other cuts out, whole, and asks for more while it is not whole."""
    sender, receiver = codec(), codec()
    stream = b"".join(map(sender.wrap, payloads))
    for payload in payloads:
        cut = receiver.cut(memoryview(stream))
        assert isinstance(cut, Frame)
        assert payload == stream[cut.start : cut.end][: len(payload)]
        assert cut.end - cut.start - len(payload) < 16
        fresh = receiver if codec is not Full else None
        for short in (1, cut.next // 2, cut.next - 1):
            if fresh is not None and short < cut.next:
                need = fresh.cut(memoryview(stream)[:short])
                assert isinstance(need, Need)
                assert short < need.total <= cut.next
        stream = stream[cut.next :]
    assert b"" == stream


@pytest.mark.parametrize("codec", CODECS)
@given(noise=st.binary(max_size=200))
def test_noise_when_cut_is_a_frame_or_a_refusal(codec: type[transport.Transport], noise: bytes) -> None:
    """Nothing else is raised, and nobody is asked to wait for more than a packet may hold."""
    try:
        cut = codec().cut(memoryview(noise))
    except BadFrame:
        return
    if isinstance(cut, Need):
        assert cut.total <= transport.MAX_PACKET_BYTES + 16
    else:
        assert cut.next <= len(noise)


def _heads() -> st.SearchStrategy[bytes]:
    known = [
        messages.CONTAINER,
        tl.GZIP_PACKED,
        0xDE7B673D,
        0xB304A621,
        0x1CB5C415,
        0xDA9B0D0D,
        0xFEF48F62,
    ]
    return st.sampled_from(known).map(lambda number: struct.pack("<I", number))


@settings(max_examples=400)
@given(body=st.builds(bytes.__add__, _heads(), st.binary(max_size=300)))
def test_body_when_random_is_read_or_malformed(body: bytes) -> None:
    """Behind the heads of things that nest."""
    with contextlib.suppress(tl.Malformed):
        tl.read(body)
    with contextlib.suppress(BadMessage):
        assert all(len(message.body) >= 4 for message in messages.unpack(Message(2**62, 0, memoryview(body))))


def test_body_when_nested_without_end_is_malformed() -> None:
    """A wrapper in a wrapper, a hundred thousand deep."""
    with pytest.raises(tl.Malformed):
        tl.read(struct.pack("<Ii", 0xDA9B0D0D, 200) * 100_000)


def test_gzip_when_inside_an_object_is_not_unpacked() -> None:
    """Only a whole message may be packed, where its size is bounded."""
    bomb = struct.pack("<I", tl.GZIP_PACKED) + b"\x0cbomb"
    with pytest.raises(tl.Malformed):
        tl.read(struct.pack("<Ii", 0xDA9B0D0D, 200) + bomb)


def _attack(dice: random.Random) -> bytes:
    """Something for the socket: noise, or noise behind a beginning that is right."""
    noise = dice.randbytes(dice.randrange(1, 600))
    begin = dice.choice(
        [b"", b"\xef", b"\xee" * 4, b"\xdd" * 4, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02"]
    )
    if dice.random() < 0.5:
        plain = struct.pack("<qqi", 0, 4, len(noise) // 4 * 4) + noise[: len(noise) // 4 * 4]
        begin, noise = b"\xee" * 4, struct.pack("<i", len(plain)) + plain
    if dice.random() < 0.2:
        head = struct.pack("<ii", len(noise) + 12, 0) + noise
        begin, noise = b"", head + struct.pack("<I", zlib.crc32(head))
    return begin + noise


async def test_socket_when_fed_noise_affects_nobody_else(
    world: World, dc: DataCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """300 hostile connections, cut off or left waiting; a client beside them works, and nothing is logged."""
    dice = random.Random(7)
    async with connected(dc, world.add_bot()) as bot:
        for _ in range(300):
            _, writer = await asyncio.open_connection(dc.host, dc.port)
            writer.write(_attack(dice))
            writer.close()
        assert (await bot.get_me()).bot
        assert 301 == world.stats.connections
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def test_session_when_fed_noise_answers_errors_and_lives(
    world: World, dc: DataCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """200 bodies of noise behind known constructors, properly sealed; then a call that works."""
    dice = random.Random(11)
    known = sorted(TABLE)
    async with raw(dc, world.add_bot()) as client:
        for _ in range(200):
            body = struct.pack("<I", dice.choice(known)) + dice.randbytes(dice.randrange(0, 40) * 4)
            await client.send(body)
        call = await client.send(struct.pack("<I", 0x1FB33026))  # help.getNearestDc
        assert dc.id == (await client.result(call)).this_dc
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


async def test_connection_when_it_opens_sessions_without_end_is_cut(world: World, dc: DataCentre) -> None:
    """A session costs memory, so one connection has a bounded number."""
    async with raw(dc, world.add_bot()) as client:
        with contextlib.suppress(ConnectionError):
            for number in range(100):
                client.session_id = number
                await client.send(struct.pack("<I", 0x1FB33026))
        assert await client.closed()
