"""What our own upload sessions write, opened and read by a second implementation: Kurigram's classes.

It is the reverse of tests/sandbox/second_opinion.py, which reads what the sandbox says.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha1, sha256
from io import BytesIO
from typing import Any

import pytest

pytest.importorskip("pyrogram", reason="Kurigram is not installed: pip install -e '.[interop]'")

from pyrogram.crypto import aes, mtproto
from pyrogram.raw import functions, types
from pyrogram.raw.all import layer
from pyrogram.raw.core import Long, Message

from sandbox import DataCentre, Fault, World
from sandbox.mtproto.envelope import AuthKey, Opened
from tests.transfer.courier import couriers, fingerprint
from tests.transfer.server import QUICK
from tests.transfer.source import Source
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES

pytestmark = pytest.mark.interop

DEADLINE_S = 30.0


def read(key: bytes, envelope: bytes) -> tuple[bytes, Message]:
    """Open an envelope of a client: its session and its message. AssertionError where anything is wrong."""
    assert sha1(key).digest()[-8:] == envelope[:8]
    msg_key = envelope[8:24]
    plain = aes.ige256_decrypt(envelope[24:], *mtproto.kdf(key, msg_key, True))
    assert msg_key == sha256(key[88:120] + plain).digest()[8:24]
    stream = BytesIO(plain)
    Long.read(stream)  # the salt, which is the data centre's to judge
    session_id, message = stream.read(8), Message.read(stream)
    padding = stream.read()
    assert 12 <= len(padding) <= 1024
    # every byte was read, and would be written again as it was
    assert plain[16 : len(plain) - len(padding)] == message.write()
    return session_id, message


@dataclass
class Overheard:
    """The messages of every session on a data centre that saves parts, as Kurigram reads them."""

    messages: dict[bytes, list[Message]] = field(default_factory=dict)
    objections: list[str] = field(default_factory=list)
    pinged: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, key: bytes, envelope: bytes) -> None:
        """Take one envelope; what Telethon's sessions write is not ours to read."""
        session_id = _session_id(key, envelope)
        if session_id not in self.messages and not _is_ours(key, envelope):
            return
        try:
            _, message = read(key, envelope)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in reading is what is looked for
            self.objections.append(repr(error))
            return
        self.messages.setdefault(session_id, []).append(message)
        if isinstance(message.body, functions.Ping):
            self.pinged.set()

    @property
    def bodies(self) -> Iterator[Any]:
        """What was said, out of what wraps it."""
        for message in (message for session in self.messages.values() for message in session):
            body = message.body
            while hasattr(body, "query"):
                body = body.query
            yield body


def _session_id(key: bytes, envelope: bytes) -> bytes:
    plain = aes.ige256_decrypt(envelope[24:56], *mtproto.kdf(key, envelope[8:24], True))
    session_id: bytes = plain[8:16]
    return session_id


def _is_ours(key: bytes, envelope: bytes) -> bool:
    """Whether a session begins as ours do: invokeWithLayer(invokeWithoutUpdates(initConnection(…)))."""
    plain = aes.ige256_decrypt(envelope[24 : 24 + 48], *mtproto.kdf(key, envelope[8:24], True))
    wrappers = int.from_bytes(plain[32:36], "little"), int.from_bytes(plain[40:44], "little")
    return (functions.InvokeWithLayer.ID, functions.InvokeWithoutUpdates.ID) == wrappers


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overheard]:
    """Stands at the door of the data centre."""
    ear, opened = Overheard(), AuthKey.open

    def open_and_tell(key: AuthKey, packet: memoryview) -> Opened:
        ear.hear(key.key, bytes(packet))
        return opened(key, packet)

    monkeypatch.setattr(AuthKey, "open", open_and_tell)
    yield ear
    assert [] == ear.objections


@pytest.mark.parametrize(
    ("size", "known", "call"),
    [
        (3 * PART_BYTES - 5, True, functions.upload.SaveFilePart),
        (SMALL_FILE_BYTES + PART_BYTES + 17, True, functions.upload.SaveBigFilePart),
        (2 * PART_BYTES + 1, False, functions.upload.SaveBigFilePart),
    ],
    ids=["small", "big", "streamed"],
)
async def test_session_when_it_uploads_writes_what_the_other_schema_reads(
    world: World, dc: DataCentre, overheard: Overheard, size: int, known: bool, call: Any
) -> None:
    """Greeting, parts, acknowledgements, questions for answers that were held back, and pings: every byte."""
    content = os.urandom(size)
    world.faults.append(Fault("upload.save", count=2, hold=True))
    async with couriers(dc, replace(QUICK, ping_s=0.2)) as courier:
        uploaded = await courier.carry(Source(content, known=known))
        async with asyncio.timeout(DEADLINE_S):
            await overheard.pinged.wait()
        assert fingerprint(content) == await courier.deliver(uploaded)
    said = list(overheard.bodies)
    saved = {body.file_part: body for body in said if isinstance(body, call)}
    assert content == b"".join(saved[number].bytes for number in sorted(saved))
    assert {uploaded.file_id} == {body.file_id for body in saved.values()}
    if call is functions.upload.SaveBigFilePart:
        *others, last = (saved[number].file_total_parts for number in sorted(saved))
        assert len(saved) == last
        assert {last if known else -1} == set(others)
    kinds = {type(body) for body in said}
    assert {functions.help.GetConfig, call, functions.Ping, types.MsgsAck, types.MsgResendReq} == kinds


async def test_session_when_it_begins_introduces_itself_and_counts_from_there(
    dc: DataCentre, overheard: Overheard
) -> None:
    """The layer that Kurigram knows, too; ids rise and are divisible by four; content has odd numbers."""
    async with couriers(dc, connections=1) as courier:
        await courier.carry(Source(os.urandom(12 * PART_BYTES)))
    (messages,) = overheard.messages.values()
    hello = messages[0].body
    introduction = hello.query.query
    assert (layer, "test", "en", 1) == (
        hello.layer,
        introduction.device_model,
        introduction.lang_code,
        introduction.api_id,
    )
    ids = [message.msg_id for message in messages]
    assert sorted(set(ids)) == ids
    assert {0} == {number % 4 for number in ids}
    content = 0
    for message in messages:
        wants_answer = not isinstance(message.body, types.MsgsAck | types.MsgResendReq)
        assert 2 * content + wants_answer == message.seq_no
        content += wants_answer
    # the greeting twice, for the first came with no salt
    assert 12 + 2 == content


def test_reader_when_an_envelope_is_not_as_it_should_be_objects() -> None:
    """A key that is another's, a byte that was changed, and padding that is none."""
    key = os.urandom(256)
    ping = functions.Ping(ping_id=7)
    message = Message(ping, 4, 1, len(ping.write()))
    good = mtproto.pack(message, 5, bytes(8), key, sha1(key).digest()[-8:])
    session_id, opened = read(key, good)
    assert (bytes(8), 7, 4, 1) == (session_id, opened.body.ping_id, opened.msg_id, opened.seq_no)
    for wrong in (os.urandom(8) + good[8:], good[:-1] + bytes([good[-1] ^ 1])):
        with pytest.raises(AssertionError):
            read(key, wrong)
    short = Message(ping, 4, 1, len(ping.write()) + 4)
    with pytest.raises(AssertionError):
        read(key, mtproto.pack(short, 5, bytes(8), key, sha1(key).digest()[-8:]))
