"""A connected socket that the event loop reads, and that it and the sealing threads write."""

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

#: Bytes that go through the socket at once: the event loop is held for well under 0.1 ms by either.
_READ_BYTES: Final = 64 * 1024
_SEND_BYTES: Final = 256 * 1024


class Line:
    """Owns the socket and closes it at the end of its block; raises OSError as sockets do."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()  # the socket's number must not be another's while a thread writes to it
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            self._sock.close()

    async def listen(self, heard: Callable[[bytes], None]) -> None:
        """Give all that comes to `heard`, until the other end closes; raises what `heard` raises."""
        loop = asyncio.get_running_loop()
        end: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._sock, self._read, heard, end)
        try:
            await end
        finally:
            loop.remove_reader(self._sock)

    def _read(self, heard: Callable[[bytes], None], end: "asyncio.Future[None]") -> None:
        if end.done():
            return
        try:
            data = self._sock.recv(_READ_BYTES)
            if data:
                heard(data)
            else:
                end.set_result(None)
        except BlockingIOError:
            return
        except Exception as error:  # noqa: BLE001 - whoever waits for the end gets it
            end.set_exception(error)

    def push(self, data: memoryview) -> memoryview:
        """Send what the socket takes at once, from any thread; returns the rest.

        Whoever has just sealed the bytes has them in its cache, and the event loop has other things to do.
        """
        with self._lock:
            if self._closed:
                return data
            try:
                return data[self._sock.send(data) :]
            except BlockingIOError:
                return data

    async def send_some(self, data: memoryview) -> memoryview:
        """Send the beginning of `data`, once the socket takes it; returns the rest."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data[:_SEND_BYTES])
        return data[_SEND_BYTES:]

    def queued_bytes(self) -> int:
        """Bytes that were sent and are not acknowledged by the other end's TCP; 0 where that is not told."""
        queued = bytearray(4)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._sock, termios.TIOCOUTQ, queued)
        return int(struct.unpack("i", queued)[0])
