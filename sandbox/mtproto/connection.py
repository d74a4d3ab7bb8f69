"""One TCP connection: bytes to packets and back. It decides nothing; its host does."""

import asyncio
import struct
from typing import Final, Protocol, cast

from sandbox.mtproto import transport
from sandbox.mtproto.obfuscation import OPENING_BYTES, Veil
from sandbox.mtproto.pace import Gate, Line, Outbox
from sandbox.mtproto.transport import BadFrame, Need

#: Room for a client that is only talking; a larger packet gets room of its own.
_BUFFER_BYTES: Final = 4096
#: Large buffers have sizes divisible by this, so that they fit the next packet too; so many wait for it.
_ROOM_BYTES: Final = 64 * 1024
_SPARE_ROOMS: Final = 8
#: More than this unsent, and nothing more is read from the client until it has taken its answers.
_UNSENT_BYTES: Final = 4 * 1024 * 1024


class Rooms:
    """Buffers for large packets, shared by all connections: one that is idle holds none."""

    def __init__(self) -> None:
        self._spare: list[bytearray] = []

    def take(self, size: int) -> bytearray:
        """A buffer of at least this size; what is in it does not matter."""
        if self._spare and len(self._spare[-1]) >= size:
            return self._spare.pop()
        return bytearray(-(-size // _ROOM_BYTES) * _ROOM_BYTES)

    def give(self, room: bytearray) -> None:
        """A buffer that is not needed now."""
        if len(self._spare) < _SPARE_ROOMS:
            self._spare.append(room)


class Host(Protocol):
    """The data centre, as its connections see it."""

    @property
    def line(self) -> Line:
        """How bad the line is."""

    @property
    def rooms(self) -> Rooms:
        """Where large packets wait until they are whole."""

    def opened(self, connection: "Connection") -> None:
        """A client has connected."""

    def packet(self, connection: "Connection", packet: memoryview) -> None:
        """A client sent a packet. The view is valid during the call only."""

    def closed(self, connection: "Connection") -> None:
        """The connection is gone."""


class Connection(asyncio.BufferedProtocol):
    """A client's connection. What arrives passes its own gate, and one that it may share with others."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._socket: asyncio.Transport | None = None
        self._framing: transport.Transport | None = None
        self._veil: Veil | None = None
        self._small = self._buffer = bytearray(_BUFFER_BYTES)
        self._filled = 0
        self._unread = False
        self._slowed = False
        self._paused = False
        self._ending = False
        self._gate = Gate(lambda: host.line.upload_bytes_s)
        self._outbox = Outbox(host.line, self._write, self._regulate)
        self._deadline: asyncio.TimerHandle | None = None
        #: the gate of all connections of an account
        self.shared_gate: Gate | None = None

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
        """Read on only while the client takes its answers and the line carries more."""
        if self._ending and not self._outbox.waiting_bytes:
            self.close()
            return
        paused = self._unread or self._slowed or self._outbox.waiting_bytes > _UNSENT_BYTES
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
        free = memoryview(self._buffer)[self._filled :]
        slices = [gate.slice_bytes() for gate in (self._gate, self.shared_gate) if gate is not None]
        return free[: min([size for size in slices if size is not None], default=len(free))]

    def buffer_updated(self, nbytes: int) -> None:
        if self._veil is not None:
            self._veil.lift(memoryview(self._buffer)[self._filled : self._filled + nbytes])
        self._filled += nbytes
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = max(gate.through_at(nbytes, now) for gate in (self._gate, self.shared_gate) if gate is not None)
        if due > now:
            self._slowed = True
            self._regulate()
            loop.call_at(due, self._carried)
        else:
            self._consume()

    def _carried(self) -> None:
        self._slowed = False
        self._regulate()

    def _consume(self) -> None:
        """Hand every whole packet to the host, and keep the rest at the front of the buffer."""
        view, at, need = memoryview(self._buffer)[: self._filled], 0, 0
        try:
            while self._alive and not self._paused:
                if self._framing is None:
                    at = self._detect(view)
                    if self._framing is None:
                        need = OPENING_BYTES
                        break
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

    def _detect(self, view: memoryview) -> int:
        """Find out the transport, if these are enough bytes. Gives where its first packet begins.

        Raises BadFrame.
        """
        try:
            found = transport.detect(view)
        except BadFrame:
            # what is none of them may be one of them, obfuscated
            if len(view) < OPENING_BYTES:
                return 0
            self._veil = Veil(bytes(view[:OPENING_BYTES]))
            self._veil.lift(view[OPENING_BYTES:])
            found = self._veil.transport, OPENING_BYTES
        if found is None:
            return 0
        self._framing = found[0]()
        return found[1]

    @property
    def _alive(self) -> bool:
        return self._socket is not None and not self._ending and not self._socket.is_closing()

    def _keep(self, rest: memoryview, need: int) -> None:
        """Keep what is left, and make room for `need` bytes.

        The event loop may still hold the old buffer, so that is never resized in place.
        """
        old, filled = self._buffer, len(rest)
        size = max(need, filled + 1)
        if filled == 0 or size <= _BUFFER_BYTES:
            self._buffer = self._small
        elif size > len(old):
            self._buffer = self._host.rooms.take(size)
        if self._buffer is not old or filled < self._filled:
            self._buffer[:filled] = rest if self._buffer is not old else bytes(rest)
        self._filled = filled
        if self._buffer is not old and old is not self._small:
            self._host.rooms.give(old)

    def send(self, packet: bytes) -> None:
        """Send one packet, as late as the line is slow."""
        self._outbox.push(packet)

    def send_error(self, code: int) -> None:
        """Send a transport error, -404 say, and close."""
        self.send(struct.pack("<i", code))
        self.close()

    def _write(self, packet: bytes) -> None:
        if self._socket is None or self._framing is None:
            return
        framed = self._framing.wrap(packet)
        self._socket.write(framed if self._veil is None else self._veil.cover(framed))

    def close(self) -> None:
        """Close once what was written is sent."""
        self._ending = True
        if self._socket is not None and not self._outbox.waiting_bytes:
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
