"""The data centre's end of upload sessions, for tests: `ServerCore` without I/O, `Responder` on a socket.

Its crypto is Telethon's and cryptg's, and it reads calls with Telethon's TL, so that a mistake of
`uploader.transfer` cannot hide in here.
"""

import asyncio
import hashlib
import os
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import cryptg
from telethon.crypto import AuthKey
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked
from telethon.tl.tlobject import TLObject

from uploader.transfer import Endpoint, Patience

#: Waits short enough for tests; the order between them is that of the real ones.
QUICK = Patience(
    connect_s=20.0,
    answer_s=20.0,
    answer_most_s=20.0,
    stall_s=20.0,
    ping_s=20.0,
    idle_s=60.0,
    tries_lost=4,
    tries_refused=4,
    backoff_first_s=0.01,
    backoff_most_s=0.05,
)

SALT = 0x5A17
_RPC_RESULT = struct.Struct("<Iq")
_TRUE, _FALSE = bytes.fromhex("b5757299"), bytes.fromhex("379779bc")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One message of the client."""

    session_id: int
    salt: int
    msg_id: int
    seqno: int
    body: bytes

    @property
    def call(self) -> Any:
        """The innermost call, without its wrappers."""
        call = BinaryReader(self.body).tgread_object()
        while hasattr(call, "query"):
            call = call.query
        return call


class ServerCore:
    """Opens what a client sealed with `auth_key`, and seals what is said to it."""

    def __init__(self, auth_key: bytes) -> None:
        self._key = auth_key
        self._key_id = struct.pack("<Q", AuthKey(auth_key).key_id)
        self._last_id = 0
        self._content = 0

    def hear(self, envelope: bytes) -> Heard:
        """The message in an envelope; AssertionError for a wrong msg_key, padding or length."""
        assert self._key_id == envelope[:8]
        msg_key = envelope[8:24]
        plain = cryptg.decrypt_ige(envelope[24:], *self._cipher(msg_key, 0))
        assert hashlib.sha256(self._key[88:120] + plain).digest()[8:24] == msg_key
        salt, session_id, msg_id, seqno, length = struct.unpack_from("<qqqii", plain)
        assert 12 <= len(plain) - 32 - length <= 1024
        return Heard(
            session_id=session_id, salt=salt, msg_id=msg_id, seqno=seqno, body=plain[32 : 32 + length]
        )

    def new_id(self) -> int:
        """A message id of an answer."""
        self._last_id = max(self._last_id + 4, int(time.time() * 2**32) & ~3 | 1)
        return self._last_id

    def say(self, session_id: int, *bodies: bytes, content: bool = True, msg_id: int | None = None) -> bytes:
        """An envelope with one message, or with a container of several."""
        if len(bodies) == 1:
            return self._seal(session_id, msg_id or self.new_id(), self._seqno(content), bodies[0])
        inner = b""
        for body in bodies:
            inner += struct.pack("<qii", self.new_id(), self._seqno(content), len(body)) + body
        container = struct.pack("<II", 0x73F1F8DC, len(bodies)) + inner
        return self._seal(session_id, self.new_id(), self._seqno(False), container)

    def _seqno(self, content: bool) -> int:
        seqno = 2 * self._content + content
        self._content += content
        return seqno

    def _seal(self, session_id: int, msg_id: int, seqno: int, body: bytes) -> bytes:
        return self.seal_plain(struct.pack("<qqqii", SALT, session_id, msg_id, seqno, len(body)) + body)

    def seal_plain(self, plain: bytes) -> bytes:
        """An envelope around any bytes, padded."""
        plain += os.urandom(12 + -(len(plain) + 12) % 16)
        msg_key = hashlib.sha256(self._key[96:128] + plain).digest()[8:24]
        sealed: bytes = cryptg.encrypt_ige(plain, *self._cipher(msg_key, 8))
        return self._key_id + msg_key + sealed

    def _cipher(self, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
        a = hashlib.sha256(msg_key + self._key[x : x + 36]).digest()
        b = hashlib.sha256(self._key[x + 40 : x + 76] + msg_key).digest()
        return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def result(msg_id: int, outcome: bool | TLObject, *, packed: bool = False) -> bytes:
    """An rpc_result; `packed`: its object gzipped."""
    body = (_TRUE if outcome else _FALSE) if isinstance(outcome, bool) else bytes(outcome)
    return _RPC_RESULT.pack(0xF35C6D01, msg_id) + (bytes(GzipPacked(body)) if packed else body)


def error(code: int, name: str) -> TLObject:
    """An rpc_error."""
    return types.RpcError(code, name)


DROP = "drop"  # cut the connection instead of answering
SWALLOW = "swallow"  # take the part and never answer
DOUBLE = "double"  # answer twice

#: What a script says to a part: its answer, or one of the words above.
Said: TypeAlias = Any  # bool | rpc_error (Telethon's classes are untyped) | str


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One part as it came in."""

    file_id: int
    part: int
    total: int | None  # None: saveFilePart
    data: bytes
    connection: int  # number of the connection, from 1
    nth: int  # how often this part has come, from 1


Script = Callable[[Arrival], Awaitable[Said]]


async def save_all(_arrival: Arrival) -> Said:
    """The script of a data centre without whims."""
    return True


@dataclass
class Responder:
    """A data centre that knows one auth key and takes parts; `script` answers each of them."""

    auth_key: bytes
    script: Script = save_all
    accept: Callable[[int], Said] = lambda _connection: True  # the answer to the hello of connection n
    silent_pings: bool = False  # pings are not answered
    port: int = 0
    saved: dict[int, dict[int, bytes]] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    heard: list[Any] = field(default_factory=list)  # every call that is no part
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)  # something was heard or closed

    def acked(self) -> int:
        """How many of our messages the client has acknowledged."""
        return sum(len(call.msg_ids) for call in self.heard if isinstance(call, types.MsgsAck))

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until the predicate holds; looks after everything that is heard."""
        async with self.changed:
            await self.changed.wait_for(predicate)

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until it ends."""
        self.connections += 1
        self.open_connections += 1
        number, core = self.connections, ServerCore(self.auth_key)
        try:
            assert await reader.readexactly(1) == b"\xef"
            async with asyncio.TaskGroup() as tasks:
                while True:
                    heard = core.hear(await read_envelope(reader))
                    tasks.create_task(self._react(core, heard, number, writer))
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()
            await self._notify()

    async def _react(self, core: ServerCore, heard: Heard, number: int, writer: asyncio.StreamWriter) -> None:
        if heard.salt != SALT:
            refusal = types.BadServerSalt(heard.msg_id, heard.seqno, 48, SALT)
            write_envelope(writer, core.say(heard.session_id, bytes(refusal), content=False))
            return
        call = heard.call
        if isinstance(call, functions.upload.SaveFilePartRequest | functions.upload.SaveBigFilePartRequest):
            said = await self._part(call, number)
        else:
            self.heard.append(call)
            said = self.accept(number) if isinstance(call, functions.help.GetConfigRequest) else True
        await self._notify()
        if isinstance(call, functions.PingRequest):
            if self.silent_pings:
                return
            write_envelope(writer, core.say(heard.session_id, bytes(types.Pong(heard.msg_id, call.ping_id))))
        elif said == DROP:
            transport: Any = writer.transport
            transport.abort()
        elif said != SWALLOW and not isinstance(call, types.MsgsAck):
            _answer(core, heard, said, writer)

    async def _part(self, call: Any, number: int) -> Said:
        nth = 1 + sum(a.file_id == call.file_id and a.part == call.file_part for a in self.arrivals)
        arrival = Arrival(
            file_id=call.file_id,
            part=call.file_part,
            total=getattr(call, "file_total_parts", None),
            data=call.bytes,
            connection=number,
            nth=nth,
        )
        self.arrivals.append(arrival)
        await self._notify()
        said = await self.script(arrival)
        if said is True or said in (SWALLOW, DOUBLE):
            self.saved.setdefault(arrival.file_id, {})[arrival.part] = arrival.data
        return said

    def content(self, file_id: int) -> bytes:
        """The bytes of a file, of which every part must be there."""
        parts = self.saved[file_id]
        assert list(range(len(parts))) == sorted(parts)
        return b"".join(parts[part] for part in sorted(parts))


def _answer(core: ServerCore, heard: Heard, said: Said, writer: asyncio.StreamWriter) -> None:
    outcome = True if isinstance(said, str) else said
    envelope = core.say(heard.session_id, result(heard.msg_id, outcome))
    write_envelope(writer, envelope)
    if said == DOUBLE:
        write_envelope(writer, envelope)


def write_envelope(writer: asyncio.StreamWriter, envelope: bytes) -> None:
    """Send an envelope by the abridged transport."""
    words = len(envelope) // 4
    writer.write((bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + envelope)


async def read_envelope(reader: asyncio.StreamReader) -> bytes:
    """The next envelope of the abridged transport."""
    words = (await reader.readexactly(1))[0]
    if words == 0x7F:
        words = int.from_bytes(await reader.readexactly(3), "little")
    return await reader.readexactly(words * 4)


@asynccontextmanager
async def responding(auth_key: bytes, script: Script = save_all, port: int = 0) -> AsyncIterator[Responder]:
    """A Responder that listens on loopback, on a free port or a given one."""
    responder = Responder(auth_key, script)
    server = await asyncio.start_server(responder.serve, "127.0.0.1", port, limit=2**21)
    async with server:
        responder.port = server.sockets[0].getsockname()[1]
        yield responder


def endpoint_at(port: int, auth_key: bytes) -> Endpoint:
    """An endpoint on loopback."""
    return Endpoint(
        host="127.0.0.1",
        port=port,
        auth_key=auth_key,
        api_id=1,
        device_model="test",
        system_version="1",
        app_version="1",
    )
