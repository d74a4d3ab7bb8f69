"""One TCP connection: bytes to packets and back. It decides nothing; its host does."""

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, cast

from sandbox.mtproto import transport
from sandbox.mtproto.transport import BadFrame, Need

#: Room for a client that is only talking; it grows to the packet that needs more.
_BUFFER_BYTES: Final = 4096
#: More than this unsent, and nothing more is read from the client until it has taken its answers.
_UNSENT_BYTES: Final = 4 * 1024 * 1024


class Host(Protocol):
    """The data centre, as its connections see it."""

    def opened(self, connection: "Connection") -> None:
        """A client has connected."""

    def packet(self, connection: "Connection", packet: memoryview) -> None:
        """A client sent a packet. The view is valid during the call only."""

    def closed(self, connection: "Connection") -> None:
        """The connection is gone."""

    def latency_s(self) -> float:
        """How long every packet to a client is held back."""


class _Outbox:
    """Packets on their way out, in order, each held back by the latency of its time."""

    def __init__(
        self, write: Callable[[bytes], None], latency_s: Callable[[], float], eased: Callable[[], None]
    ) -> None:
        self._write = write
        self._latency_s = latency_s
        self._eased = eased
        self._waiting: deque[tuple[float, bytes]] = deque()
        self.waiting_bytes = 0

    def push(self, packet: bytes) -> None:
        wait_s = self._latency_s()
        if not wait_s and not self._waiting:
            self._write(packet)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + wait_s
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        else:
            loop.call_at(due, self._flush)
        self._waiting.append((due, packet))
        self.waiting_bytes += len(packet)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            _, packet = self._waiting.popleft()
            self.waiting_bytes -= len(packet)
            self._write(packet)
        if self._waiting:
            loop.call_at(self._waiting[0][0], self._flush)
        self._eased()


class Connection(asyncio.BufferedProtocol):
    """A client's connection. `held` is the host's: the sessions that were heard of here."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._socket: asyncio.Transport | None = None
        self._framing: transport.Transport | None = None
        self._buffer = bytearray(_BUFFER_BYTES)
        self._filled = 0
        self._unread = False
        self._paused = False
        self._outbox = _Outbox(self._write, host.latency_s, self._regulate)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, socket: asyncio.BaseTransport) -> None:
        # TCP servers are given a read-write transport
        self._socket = cast(asyncio.Transport, socket)
        self._socket.set_write_buffer_limits(high=_UNSENT_BYTES)
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._host.closed(self)

    def pause_writing(self) -> None:
        self._unread = True
        self._regulate()

    def resume_writing(self) -> None:
        self._unread = False
        self._regulate()

    def _regulate(self) -> None:
        """Read on only while the client takes its answers."""
        paused = self._unread or self._outbox.waiting_bytes > _UNSENT_BYTES
        if self._socket is None or paused == self._paused:
            return
        self._paused = paused
        if paused:
            self._socket.pause_reading()
        else:
            self._socket.resume_reading()
            # not now: this may be called from within it
            asyncio.get_running_loop().call_soon(self._consume)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        self._consume()

    def _consume(self) -> None:
        """Hand every whole packet to the host, and keep the rest at the front of the buffer."""
        view, at, need = memoryview(self._buffer)[: self._filled], 0, 0
        try:
            while self._alive and not self._paused:
                if self._framing is None:
                    found = transport.detect(view)
                    if found is None:
                        break
                    self._framing, at = found[0](), found[1]
                cut = self._framing.cut(view[at:])
                if isinstance(cut, Need):
                    need = cut.total
                    break
                packet = view[at + cut.start : at + cut.end]
                at += cut.next
                self._host.packet(self, packet)
                self._regulate()
        except BadFrame:
            self.abort()
        self._keep(view[at:], need)

    @property
    def _alive(self) -> bool:
        return self._socket is not None and not self._socket.is_closing()

    def _keep(self, rest: memoryview, need: int) -> None:
        """Keep what is left, and make room for `need` bytes.

        The event loop may still hold the old buffer, so that is never resized in place.
        """
        size = max(need, len(rest) + 1, _BUFFER_BYTES)
        if size > len(self._buffer):
            roomy = bytearray(size)
            roomy[: len(rest)] = rest
            self._buffer = roomy
        elif len(rest) < self._filled:
            self._buffer[: len(rest)] = bytes(rest)
        self._filled = len(rest)

    def send(self, packet: bytes) -> None:
        """Send one packet, after the latency of the host."""
        self._outbox.push(packet)

    def send_error(self, code: int) -> None:
        """Send a transport error, -404 say, and close."""
        self.send(struct.pack("<i", code))
        self.close()

    def _write(self, packet: bytes) -> None:
        if self._socket is not None and self._framing is not None:
            self._socket.write(self._framing.wrap(packet))

    def close(self) -> None:
        """Close once what was written is sent."""
        if self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        """Cut the connection at once, as a broken network does."""
        if self._socket is not None:
            self._socket.abort()

    def close_after(self, delay_s: float) -> None:
        """Close unless this is asked for again within `delay_s`: ping_delay_disconnect."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(delay_s, self.close)
