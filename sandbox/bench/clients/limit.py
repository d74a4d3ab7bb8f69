"""What this machine can do: seal and socket alone, in threads, with no engine around them."""

import asyncio
import os
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from sandbox.bench.calls import INVOKE_WITHOUT_UPDATES, SAVE_BIG_FILE_PART
from sandbox.bench.envelope import Sealer
from sandbox.bench.plan import Address, Order
from sandbox.mtproto.envelope import HEAD_BYTES, INNER_HEAD, AuthKey

#: As much in flight as a data centre may be trusted to take: 16 connections with 4 parts each, 32 MiB.
_CONNECTIONS: Final = 16
_WINDOW: Final = 4
_THREADS: Final = min(4, os.cpu_count() or 1)

_PART_BYTES: Final = 512 * 1024
_CALL: Final = struct.Struct("<IIqiiI")  # without updates, saveBigFilePart: file id, part, parts; length
_LONG_STRING: Final = 0xFE
_DATA_AT: Final = INNER_HEAD.size + _CALL.size
_PADDING_BYTES: Final = 12
_BLOCK: Final = 16
_ABRIDGED: Final = b"\xef"


class _Line:
    """A blocking connection with parts in flight."""

    def __init__(self, sock: socket.socket, key: AuthKey) -> None:
        self._sock = sock
        self._room = memoryview(bytearray(_DATA_AT + _PART_BYTES + _PADDING_BYTES + _BLOCK))
        self._sealer = Sealer(key, len(self._room))
        self._session_id = secrets.randbits(63)
        self._sent = 0
        self._in_flight = 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(_ABRIDGED)

    def send(self, file: int, file_id: int, part: int, count: int) -> None:
        """Read, seal and send one part of an open file, once there is room for it in the window."""
        if self._in_flight == _WINDOW:
            self._hear()
        room = self._room
        size = os.preadv(file, [room[_DATA_AT : _DATA_AT + _PART_BYTES]], part * _PART_BYTES)
        call = (INVOKE_WITHOUT_UPDATES, SAVE_BIG_FILE_PART, file_id, part, count, size << 8 | _LONG_STRING)
        _CALL.pack_into(room, INNER_HEAD.size, *call)
        body_bytes = _CALL.size + size + -size % 4
        message_id = time.time_ns() * 2**32 // 10**9 & ~3
        INNER_HEAD.pack_into(room, 0, 0, self._session_id, message_id, 2 * self._sent + 1, body_bytes)
        plain_bytes = INNER_HEAD.size + body_bytes + _PADDING_BYTES
        plain = room[: plain_bytes + -plain_bytes % _BLOCK]
        words = (HEAD_BYTES + len(plain)) // 4
        self._sock.sendall(self._sealer.seal(plain, b"\x7f" + words.to_bytes(3, "little")))
        self._sent += 1
        self._in_flight += 1

    def finish(self) -> None:
        """Wait for all answers. Raises EOFError when the connection ends before."""
        while self._in_flight:
            self._hear()

    def _hear(self) -> None:
        head = self._sock.recv(1)
        if not head or len(self._sock.recv(head[0] * 4, socket.MSG_WAITALL)) < head[0] * 4:
            raise EOFError
        self._in_flight -= 1


class Limit:
    """Open lines, shared out among threads."""

    def __init__(self, lines: Sequence[_Line], threads: ThreadPoolExecutor) -> None:
        self._lines = lines
        self._threads = threads
        self._free = asyncio.Lock()  # a line is one thread's at a time

    async def upload(self, order: Order) -> None:
        """Every thread carries its share of the parts; one file after the other."""
        loop = asyncio.get_running_loop()
        file_id = secrets.randbits(63)
        async with self._free:
            shares = [
                loop.run_in_executor(self._threads, self._carry, order, file_id, turn)
                for turn in range(_THREADS)
            ]
            await asyncio.gather(*shares)

    def _carry(self, order: Order, file_id: int, turn: int) -> None:
        """One part after the other, over this thread's lines in turn."""
        count = -(-order.size_bytes // _PART_BYTES)
        lines = self._lines[turn::_THREADS]
        with Path(order.path).open("rb") as file:
            for number, part in enumerate(range(turn, count, _THREADS)):
                lines[number % len(lines)].send(file.fileno(), file_id, part, count)
        for line in lines:
            line.finish()

    async def chat(self) -> None:
        """Nobody is there to chat with."""


@asynccontextmanager
async def connect(address: Address) -> AsyncIterator[Limit]:
    """Open all connections there, on that auth key."""
    key = AuthKey.of(bytes.fromhex(address.auth_key_hex))
    with ExitStack() as stack:
        at = (address.host, address.port)
        lines = [_Line(stack.enter_context(socket.create_connection(at)), key) for _ in range(_CONNECTIONS)]
        yield Limit(lines, stack.enter_context(ThreadPoolExecutor(_THREADS)))
