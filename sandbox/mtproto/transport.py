"""The TCP transports: how packets are cut out of the stream, and wrapped for it.

https://core.telegram.org/mtproto/mtproto-transports
"""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

#: Telegram closes connections that send more than about 1 MiB in one packet.
MAX_PACKET_BYTES: Final = 1024 * 1024 + 4096

#: Transport errors (https://core.telegram.org/mtproto/mtproto-transports#transport-errors)
AUTH_KEY_NOT_FOUND: Final = -404
TRANSPORT_FLOOD: Final = -429


class BadFrame(Exception):
    """The stream is not what its transport promises: the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where in the buffer one packet lies: its payload, and where the next packet begins."""

    start: int
    end: int
    next: int


@dataclass(frozen=True, slots=True)
class Need:
    """The packet is not whole yet; the buffer must hold `total` bytes from the packet's start."""

    total: int


class Transport(Protocol):
    """One connection's framing. Both directions may keep a count, so each connection has its own."""

    def cut(self, buffer: memoryview) -> Frame | Need:
        """Find the packet at the start of the buffer. Raises BadFrame."""

    def wrap(self, payload: bytes) -> bytes:
        """Make one packet of a payload."""


def _checked(length: int) -> int:
    if not 4 <= length <= MAX_PACKET_BYTES:
        raise BadFrame(f"packet of {length} bytes")
    return length


class Full:
    """Length, sequence number, payload, CRC-32."""

    def __init__(self) -> None:
        self._received = 0
        self._sent = 0

    def cut(self, buffer: memoryview) -> Frame | Need:
        if len(buffer) < 8:
            return Need(8)
        length, sequence = struct.unpack_from("<ii", buffer)
        total = _checked(length - 12) + 12
        if sequence != self._received:
            raise BadFrame("sequence number")
        if len(buffer) < total:
            return Need(total)
        (checksum,) = struct.unpack_from("<I", buffer, total - 4)
        if zlib.crc32(buffer[: total - 4]) != checksum:
            raise BadFrame("checksum")
        self._received += 1
        return Frame(8, total - 4, total)

    def wrap(self, payload: bytes) -> bytes:
        head = struct.pack("<ii", len(payload) + 12, self._sent)
        self._sent += 1
        checksum = zlib.crc32(payload, zlib.crc32(head))
        return b"".join((head, payload, struct.pack("<I", checksum)))


class Abridged:
    """One byte of length in words, or 0x7f and three."""

    def cut(self, buffer: memoryview) -> Frame | Need:
        if not buffer:
            return Need(1)
        # the top bit asks for a quick acknowledgement, which a server may leave out
        head, words = 1, buffer[0] & 0x7F
        if words == 0x7F:
            if len(buffer) < 4:
                return Need(4)
            head, words = 4, int.from_bytes(buffer[1:4], "little")
        total = head + _checked(words * 4)
        return Frame(head, total, total) if len(buffer) >= total else Need(total)

    def wrap(self, payload: bytes) -> bytes:
        words = len(payload) // 4
        return (bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")) + payload


class Intermediate:
    """Four bytes of length."""

    def cut(self, buffer: memoryview) -> Frame | Need:
        if len(buffer) < 4:
            return Need(4)
        # the top bit asks for a quick acknowledgement, which a server may leave out
        total = 4 + _checked(int.from_bytes(buffer[:4], "little") & 0x7FFFFFFF)
        return Frame(4, total, total) if len(buffer) >= total else Need(total)

    def wrap(self, payload: bytes) -> bytes:
        return struct.pack("<i", len(payload)) + payload


class Padded(Intermediate):
    """Intermediate with up to 15 random bytes at the end, which the encrypted payload tells from its own."""

    def wrap(self, payload: bytes) -> bytes:
        # no secret: the padding only hides the packet's true length from an onlooker
        padding = random.randbytes(random.randrange(16) if len(payload) > 4 else 0)  # noqa: S311 - no secret
        return super().wrap(payload + padding)


def detect(buffer: memoryview) -> tuple[Callable[[], Transport], int] | None:
    """Tell the transport by the first bytes: its class and the length of its tag; None: too few bytes yet."""
    head = bytes(buffer[:8])
    if head.startswith(b"\xef"):
        return Abridged, 1
    if head.startswith(b"\xee" * 4):
        return Intermediate, 4
    if head.startswith(b"\xdd" * 4):
        return Padded, 4
    if len(head) < 8:
        return None
    if head.endswith(bytes(4)):
        return Full, 0
    raise BadFrame("unknown transport")
