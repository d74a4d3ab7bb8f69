"""A data centre that takes uploads as cheaply as Python can, so that the clients are what is measured.

Of a large packet it decrypts the first bytes, lets the kernel throw away the rest, and answers "saved" when
the last byte was there. Answers can be held back, and connections be held to a rate: see `plan.Regime`.

A program of its own: `python -m sandbox.bench.sink` reads {"auth_key", "delay_s", "cap_bytes_s"} as a line of
JSON, says {"port"}, and answers each further line with {"saved_bytes"}; it ends with its standard input.
"""

import contextlib
import json
import queue
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from sandbox.bench import frames
from sandbox.bench.desk import Desk
from sandbox.mtproto import transport
from sandbox.mtproto.envelope import BadEnvelope
from sandbox.mtproto.messages import BadMessage
from sandbox.mtproto.transport import BadFrame, Transport

HOST: Final = "127.0.0.1"
#: What is decrypted of a large packet: wrappers, introduction and the call's own fields are within it.
_HEAD_BYTES: Final = 512
#: Packets up to this size are read as a whole.
_SMALL_BYTES: Final = 8192
#: The first bytes of a connection, by which its transport is known; no first packet is shorter.
_TAG_BYTES: Final = 8
#: A capped connection is read from when it may take this much, and saves up twice as much.
_QUANTUM_BYTES: Final = 64 * 1024
#: The receive buffer of a capped connection: what is sent beyond the cap waits with the sender.
_CAPPED_BUFFER_BYTES: Final = 256 * 1024

#: Where bytes go that nobody looks at; with MSG_TRUNC (Linux) the kernel does not even copy them.
_NOWHERE: Final = memoryview(bytearray(transport.MAX_PACKET_BYTES))
_THROWN_AWAY: Final = socket.MSG_WAITALL | (socket.MSG_TRUNC if sys.platform == "linux" else 0)

#: What a connection may end with: it broke, or spoke as no measured client does.
_ENDS: Final = (OSError, EOFError, ValueError, struct.error, BadEnvelope, BadFrame, BadMessage)


class Postman:
    """Sends every packet `delay_s` after it was handed in; one thread for all connections."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._bag: queue.SimpleQueue[tuple[float, socket.socket, bytes]] = queue.SimpleQueue()
        if delay_s:
            threading.Thread(target=self._walk, daemon=True).start()

    def send(self, sock: socket.socket, packet: bytes) -> None:
        """Send a packet when its time has come. Raises OSError if that is now and the connection is gone."""
        if self._delay_s:
            self._bag.put((time.monotonic() + self._delay_s, sock, packet))
        else:
            sock.sendall(packet)

    def _walk(self) -> None:
        while True:
            due, sock, packet = self._bag.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(OSError):  # its client is gone
                sock.sendall(packet)


class Tap:
    """The bytes of one connection, at most `cap_bytes_s` of them in a second; 0 is no cap."""

    def __init__(self, sock: socket.socket, cap_bytes_s: float) -> None:
        self._sock = sock
        self._cap_bytes_s = cap_bytes_s
        self._tokens = 2.0 * _QUANTUM_BYTES
        self._at = time.monotonic()

    def read(self, size_bytes: int) -> bytes:
        """The next bytes. Raises EOFError when the client has ended the connection, OSError when it broke."""
        pieces = [self._sock.recv(quantum, socket.MSG_WAITALL) for quantum in self._quanta(size_bytes)]
        data = b"".join(pieces)
        if len(data) < size_bytes:
            raise EOFError
        return data

    def throw_away(self, size_bytes: int) -> None:
        """Take the next bytes without looking at them. Raises as `read`."""
        for quantum in self._quanta(size_bytes):
            if self._sock.recv_into(_NOWHERE, quantum, _THROWN_AWAY) < quantum:
                raise EOFError

    def _quanta(self, size_bytes: int) -> Iterator[int]:
        """What may be taken at once, each when it may be: a token bucket.

        What comes late may be made up for, but no more than one quantum of it.
        """
        if not self._cap_bytes_s:
            yield size_bytes
            return
        for at in range(0, size_bytes, _QUANTUM_BYTES):
            quantum = min(size_bytes - at, _QUANTUM_BYTES)
            now = time.monotonic()
            self._tokens = min(2.0 * _QUANTUM_BYTES, self._tokens + (now - self._at) * self._cap_bytes_s)
            self._at = now
            time.sleep(max(0.0, (quantum - self._tokens) / self._cap_bytes_s))
            self._tokens -= quantum
            yield quantum


def serve_one(sock: socket.socket, desk: Desk, postman: Postman, cap_bytes_s: float) -> None:
    """Serve one connection until it ends; a thread's work."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock, contextlib.suppress(*_ENDS):
        tap = Tap(sock, cap_bytes_s)
        head = tap.read(_TAG_BYTES)
        found = transport.detect(memoryview(head))
        if found is None:
            return
        framing, head = found[0](), head[found[1] :]
        while True:
            for answer in _one_packet(tap, framing, head, desk):
                postman.send(sock, framing.wrap(answer))
            head = b""


def _one_packet(tap: Tap, framing: Transport, head: bytes, desk: Desk) -> list[bytes]:
    """Take in the packet that begins with `head`; its answers."""
    if len(head) < frames.LEAST_BYTES:
        head += tap.read(frames.LEAST_BYTES - len(head))
    packet = frames.packet(framing, head)
    if packet.total_bytes > _SMALL_BYTES:
        head += tap.read(_HEAD_BYTES - len(head))
        save = desk.peek(head[packet.start :])
        if save is not None:
            tap.throw_away(packet.total_bytes - _HEAD_BYTES)
            return [desk.acknowledge(save)]
    head += tap.read(packet.total_bytes - len(head))
    return desk.answers(head[packet.start : packet.stop])


def main() -> None:
    """Serve until standard input ends."""
    orders: dict[str, Any] = json.loads(sys.stdin.readline())
    cap_bytes_s = float(orders["cap_bytes_s"])
    with socket.create_server((HOST, 0), backlog=256) as listener:
        if cap_bytes_s:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CAPPED_BUFFER_BYTES)
        port = listener.getsockname()[1]
        desk = Desk(bytes.fromhex(orders["auth_key"]), HOST, port)
        postman = Postman(float(orders["delay_s"]))
        threading.Thread(target=_accept, args=(listener, desk, postman, cap_bytes_s), daemon=True).start()
        _say({"port": port})
        for _line in sys.stdin:
            _say({"saved_bytes": desk.saved_bytes()})


def _accept(listener: socket.socket, desk: Desk, postman: Postman, cap_bytes_s: float) -> None:
    while True:
        sock = listener.accept()[0]
        threading.Thread(target=serve_one, args=(sock, desk, postman, cap_bytes_s), daemon=True).start()


def _say(fact: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
