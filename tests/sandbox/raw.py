"""A client of MTProto by hand: what no well-behaved library sends can be sent with it."""

import asyncio
import os
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha1, sha256
from typing import Any

import cryptg
from telethon.extensions import BinaryReader

from sandbox import Account, DataCentre
from sandbox.mtproto.messages import RPC_RESULT

ANSWER_S = 10.0


def _aes(msg_key: bytes, key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


class Raw:
    """One connection by the intermediate transport, with one session."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: bytes, salt: int
    ) -> None:
        self.key = key
        self.salt = salt
        self.session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._reader = reader
        self._writer = writer
        self.last_received_id = 0
        #: id, sequence number and body of every message that came
        self.received: list[tuple[int, int, bytes]] = []
        self._last_id = 0
        self._content_sent = 0

    def begin_session(self) -> None:
        """A new session, whose numbers begin anew."""
        self.session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._content_sent = 0

    def seq_no(self, *, content: bool = True) -> int:
        """The next sequence number: of a message that wants an answer, or of one that does not."""
        self._content_sent += content
        return self._content_sent * 2 - content

    def message_id(self, offset_s: float = 0.0) -> int:
        """A new message id, of now or of another time."""
        self._last_id = max(self._last_id + 4, int((time.time() + offset_s) * 2**32) // 4 * 4)
        return self._last_id

    def seal(
        self, body: bytes, message_id: int, seq_no: int, *, length: int | None = None, padding: int = 12
    ) -> bytes:
        """One encrypted packet; `length` is what it says of the body, `padding` the least of it, in bytes."""
        length = len(body) if length is None else length
        plain = struct.pack("<qqqii", self.salt, self.session_id, message_id, seq_no, length) + body
        plain += os.urandom(-(len(plain) + padding) % 16 + padding)
        msg_key = sha256(self.key[88:120] + plain).digest()[8:24]
        sealed: bytes = cryptg.encrypt_ige(plain, *_aes(msg_key, self.key, 0))
        return sha1(self.key).digest()[12:20] + msg_key + sealed

    async def send_packet(self, packet: bytes) -> None:
        """Send bytes as one packet of the transport."""
        self._writer.write(struct.pack("<i", len(packet)) + packet)
        await self._writer.drain()

    async def send(self, body: bytes, seq_no: int | None = None, message_id: int | None = None) -> int:
        """Send one message; gives its id."""
        message_id = message_id or self.message_id()
        seq_no = self.seq_no() if seq_no is None else seq_no
        await self.send_packet(self.seal(body, message_id, seq_no))
        return message_id

    async def packet(self) -> bytes:
        """The next packet. Raises IncompleteReadError when the server has closed."""
        async with asyncio.timeout(ANSWER_S):
            (length,) = struct.unpack("<i", await self._reader.readexactly(4))
            return await self._reader.readexactly(length)

    async def receive(self) -> Any:
        """The next message: a TL object, or (message id, object or None) of an rpc_result."""
        packet = await self.packet()
        msg_key = packet[8:24]
        plain = cryptg.decrypt_ige(packet[24:], *_aes(msg_key, self.key, 8))
        assert sha256(self.key[96:128] + plain).digest()[8:24] == msg_key
        _, session_id, message_id, seq_no, length = struct.unpack_from("<qqqii", plain)
        assert (session_id, message_id % 2) == (self.session_id, 1)
        assert 12 <= len(plain) - 32 - length <= 1024
        self.last_received_id = message_id
        body = plain[32 : 32 + length]
        self.received.append((message_id, seq_no, body))
        if int.from_bytes(body[:4], "little") == RPC_RESULT:
            return int.from_bytes(body[4:12], "little"), BinaryReader(body[12:]).tgread_object()
        return BinaryReader(body).tgread_object()

    async def until(self, kind: Any) -> Any:
        """The next message of a kind: a class, or tuple for an rpc_result."""
        while True:
            message = await self.receive()
            if isinstance(message, kind):
                return message

    async def result(self, message_id: int) -> Any:
        """The answer to a call."""
        while True:
            answered, result = await self.until(tuple)
            if answered == message_id:
                return result

    async def closed(self) -> bool:
        """Whether the server closes the connection, whatever it still says."""
        try:
            while True:
                await self.packet()
        except (asyncio.IncompleteReadError, ConnectionError):
            return True


@asynccontextmanager
async def raw(dc: DataCentre, account: Account) -> AsyncIterator[Raw]:
    """A connection on a new key of an account, whose program has introduced itself before."""
    key = dc.logins.mint(account)
    login = dc.logins.of(account)[-1]
    login.layer = 200
    seal = dc.logins.get(login.key.id)
    assert seal is not None
    salt = seal.salts.current(dc.now())
    reader, writer = await asyncio.open_connection(dc.host, dc.port)
    writer.write(b"\xee" * 4)
    try:
        yield Raw(reader, writer, key, salt)
    finally:
        writer.close()
