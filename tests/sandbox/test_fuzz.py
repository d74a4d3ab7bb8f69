"""Ten thousand hostile inputs, in what every run of the tests can afford: nobody else notices them.

What is sent is the same in each run; a failure can be had again.
"""

import asyncio
import contextlib
import io
import os
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from telethon.tl import functions, types

from sandbox import DataCentre, World, tl
from sandbox.mtproto import messages
from sandbox.mtproto.handshake import Handshake, Refused
from sandbox.mtproto.messages import BadMessage, Message
from sandbox.mtproto.server_key import ServerKey
from sandbox.mtproto.transport import (
    MAX_PACKET_BYTES,
    Abridged,
    BadFrame,
    Full,
    Intermediate,
    Need,
    Padded,
    Transport,
)
from tests.sandbox.clients import connected
from tests.sandbox.mutations import Mutator, Sampler
from tests.sandbox.raw import raw

#: Of each kind: 10,000 in all.
FRAMES, BODIES, HANDSHAKES, CALLS, CONNECTIONS = 3000, 3000, 500, 2800, 700

FRAMINGS: list[type[Transport]] = [Full, Abridged, Intermediate, Padded]
#: Well-formed requests that they are made of.
REQUESTS = 1000
GROWTH_MB = 64

MIB = 1024 * 1024
ANSWERS = 100


@contextmanager
def _little_memory() -> Iterator[None]:
    """Whatever comes, this process does not swell."""
    before = _memory_mb()
    yield
    assert _memory_mb() - before < GROWTH_MB


def _memory_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def test_frames_when_hostile_are_packets_or_refused() -> None:
    """Nothing else is raised, and nobody is asked to wait for more than a packet may hold."""
    mutator = Mutator(1)
    with _little_memory():
        for number in range(FRAMES):
            framing = FRAMINGS[number % len(FRAMINGS)]()
            stream = memoryview(mutator.stream() + mutator.dice.randbytes(8))
            at = mutator.dice.randrange(5)
            with contextlib.suppress(BadFrame):
                cut = framing.cut(stream[at:])
                if isinstance(cut, Need):
                    assert cut.total <= MAX_PACKET_BYTES + 16
                else:
                    assert 0 <= cut.start <= cut.end <= cut.next <= len(stream) - at


def test_bodies_when_hostile_are_read_or_refused() -> None:
    """Requests that are nearly right, in containers and gzip that lie."""
    mutator, good = Mutator(2), Sampler(2, []).requests(REQUESTS)
    with _little_memory():
        for _ in range(BODIES):
            body = mutator.body(good)
            with contextlib.suppress(tl.Malformed):
                tl.read(body)
            with contextlib.suppress(BadMessage):
                outer = Message(2**62, 0, memoryview(mutator.wrapped(body)))
                assert all(len(message.body) >= 4 for message in messages.unpack(outer))


def test_handshake_when_hostile_goes_on_or_is_refused() -> None:
    """Its three requests, nearly right, in any order."""
    key, mutator = ServerKey.load(None), Mutator(3)
    good = [
        bytes(functions.ReqPqMultiRequest(7)),
        bytes(functions.ReqDHParamsRequest(7, 8, b"p", b"q", key.fingerprint, os.urandom(256))),
        bytes(functions.SetClientDHParamsRequest(7, 8, os.urandom(336))),
    ]
    handshake = Handshake(key)
    with _little_memory():
        for _ in range(HANDSHAKES):
            with contextlib.suppress(Refused):
                assert handshake.answer(mutator.body(good))
            assert handshake.key is None


@asynccontextmanager
async def _untroubled(world: World, dc: DataCentre, log: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Somebody who works on beside it, and gets every answer; and nothing is logged as an error."""
    over = asyncio.Event()
    answers: list[Any] = []

    async def work(bot: Any) -> None:
        while not over.is_set():
            answers.append(await bot(functions.updates.GetStateRequest()))
            await asyncio.sleep(0.01)

    async with connected(dc, world.add_bot("innocent_bot")) as bot, asyncio.TaskGroup() as group:
        working = group.create_task(work(bot))
        yield
        assert not working.done()
        over.set()
        assert (await bot.get_me()).bot
    assert all(state.pts for state in answers)
    assert [] == [record.getMessage() for record in log.records if record.levelname == "ERROR"]


async def test_calls_when_hostile_are_answered_and_trouble_nobody(
    world: World, dc: DataCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """Properly sealed by somebody who is logged in; the connection lives, or is cut and made again."""
    mutator, sent = Mutator(4), 0
    account, victim = world.add_user("Mallory"), world.add_bot()
    victim.heard_from.add(account.id)
    channel = world.add_channel("targets", "Targets", [account])
    numbers = [account.id, victim.id, channel.id]
    numbers += [world.accounts.access_hash(account, "user", victim.id)]
    numbers += [world.accounts.access_hash(account, "channel", channel.id)]
    good = Sampler(4, numbers).requests(REQUESTS)
    with _little_memory():
        async with _untroubled(world, dc, caplog):
            while sent < CALLS:
                async with raw(dc, account) as client:
                    for _ in range(min(100, CALLS - sent)):
                        body, sent = mutator.wrapped(mutator.body(good)), sent + 1
                        content = mutator.dice.random() < 0.8
                        with contextlib.suppress(ConnectionError):
                            await client.send(body, client.seq_no(content=content))
                    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                        last = await client.send(struct.pack("<I", 0x1FB33026))  # help.getNearestDc
                        await client.result(last)
    assert world.stats.calls.total() > CALLS // 4


async def test_connections_when_hostile_trouble_nobody(
    world: World, dc: DataCentre, caplog: pytest.LogCaptureFixture
) -> None:
    """Noise in pieces, cut off or left waiting, many at once."""
    mutator = Mutator(5)
    lines: list[asyncio.StreamWriter] = []
    with _little_memory():
        async with _untroubled(world, dc, caplog):
            for number in range(CONNECTIONS):
                _, line = await asyncio.open_connection(dc.host, dc.port)
                stream = mutator.stream()
                half = mutator.dice.randrange(len(stream))
                line.write(stream[:half])
                if number % 3:
                    await asyncio.sleep(0)
                    line.write(stream[half:])
                lines.append(line)
                if len(lines) > 50:
                    lines.pop(0).close()
            for line in lines:
                line.close()
    assert world.stats.connections > CONNECTIONS


async def test_client_when_it_never_reads_is_not_served_on(world: World, dc: DataCentre) -> None:
    """A hundred megabytes of answers are asked for; read at last, all are there."""
    account, ada = world.add_bot(), world.add_user("Ada")
    account.heard_from.add(ada.id)
    async with connected(dc, account) as bot, raw(dc, account) as client:
        peer = types.InputPeerUser(ada.id, world.accounts.access_hash(account, "user", ada.id))
        sent = await bot.send_file(peer, io.BytesIO(bytes(MIB)), force_document=True)
        file = sent.document
        place = types.InputDocumentFileLocation(file.id, file.access_hash, file.file_reference, thumb_size="")
        request = bytes(functions.upload.GetFileRequest(place, 0, MIB))
        with _little_memory():
            calls = {await client.send(request) for _ in range(ANSWERS)}
            await bot.get_me()
            assert world.stats.calls["upload.getFile"] < ANSWERS
        while calls:
            answered, piece = await client.until(tuple)
            assert MIB == len(piece.bytes)
            calls.discard(answered)
