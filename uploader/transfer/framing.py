"""The transports: how envelopes are told apart in the stream of a socket.

https://core.telegram.org/mtproto/mtproto-transports
"""

import os
from collections.abc import Iterator
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from uploader.errors import Reason, TransferTemporary

_LONG: Final = 0x7F
_INTERMEDIATE: Final = b"\xee" * 4

#: How no obfuscated connection may begin: the other transports, HTTP, TLS.
#: https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
_OTHERS: Final = (
    b"\xef",
    b"HEAD",
    b"POST",
    b"GET ",
    b"OPTI",
    b"\x16\x03\x01\x02",
    _INTERMEDIATE,
    b"\xdd" * 4,
)


class Framing(Protocol):
    """One connection's transport, both ways."""

    greeting: bytes  # sent once, before the first envelope

    def prefix(self, envelope_bytes: int) -> bytes:
        """What goes in front of an envelope of this size (a multiple of 4); at most 4 bytes."""

    def outgoing(self, data: memoryview) -> memoryview | bytes:
        """The next bytes of the stream, prefixes included, as the socket gets them. `data` stays as it is."""

    def incoming(self, data: bytes) -> Iterator[bytes]:
        """The envelopes that are whole with `data`; raises TransferTemporary for one that is too large."""


class _Deframer:
    """Cuts the incoming stream into envelopes; `largest` bounds one of them in bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stream = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        self._stream += data
        while (head := self._head(self._stream)) is not None:
            start, size = head
            if size > self._largest:
                raise TransferTemporary(Reason.UPLOAD_FAILED, f"an answer of {size} bytes")
            if len(self._stream) < start + size:
                return
            envelope = bytes(self._stream[start : start + size])
            del self._stream[: start + size]
            yield envelope

    def _head(self, stream: bytearray) -> tuple[int, int] | None:
        """Where the first envelope starts, and its size; None while that is not known."""
        raise NotImplementedError


class Abridged(_Deframer):
    """A byte of length in front of each envelope, or four: the least that there is."""

    greeting = b"\xef"

    def prefix(self, envelope_bytes: int) -> bytes:
        words = envelope_bytes // 4
        return bytes([words]) if words < _LONG else bytes([_LONG]) + words.to_bytes(3, "little")

    def outgoing(self, data: memoryview) -> memoryview:
        return data

    def incoming(self, data: bytes) -> Iterator[bytes]:
        return self.cut(data)

    def _head(self, stream: bytearray) -> tuple[int, int] | None:
        if stream and stream[0] != _LONG:
            return 1, stream[0] * 4
        return (4, int.from_bytes(stream[1:4], "little") * 4) if len(stream) >= 4 else None


class Obfuscated(_Deframer):
    """Intermediate (four bytes of length) under AES-CTR, for networks that look for MTProto.

    https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
    """

    def __init__(self, largest: int) -> None:
        super().__init__(largest)
        opening = _opening()
        there, back = opening[8:56], opening[8:56][::-1]
        self._there = Cipher(algorithms.AES(there[:32]), modes.CTR(there[32:])).encryptor()
        self._back = Cipher(algorithms.AES(back[:32]), modes.CTR(back[32:])).decryptor()
        self.greeting = opening[:56] + self._there.update(opening)[56:]

    def prefix(self, envelope_bytes: int) -> bytes:
        return envelope_bytes.to_bytes(4, "little")

    def outgoing(self, data: memoryview) -> bytes:
        return self._there.update(data)

    def incoming(self, data: bytes) -> Iterator[bytes]:
        return self.cut(self._back.update(data))

    def _head(self, stream: bytearray) -> tuple[int, int] | None:
        return (4, int.from_bytes(stream[:4], "little")) if len(stream) >= 4 else None


def _opening() -> bytes:
    """64 random bytes that hold the keys of both directions and name the transport within."""
    while True:
        opening = os.urandom(56) + _INTERMEDIATE + os.urandom(4)
        if not opening.startswith(_OTHERS) and opening[4:8] != bytes(4):
            return opening
