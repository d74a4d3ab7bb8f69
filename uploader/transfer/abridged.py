"""The abridged transport: a length in front of each envelope, and nothing else.

https://core.telegram.org/mtproto/mtproto-transports#abridged
"""

from collections.abc import Iterator
from typing import Final

from uploader.errors import Reason, TransferTemporary

#: Sent once, before the first envelope.
GREETING: Final = b"\xef"

_LONG: Final = 0x7F


def prefix(envelope_bytes: int) -> bytes:
    """What goes in front of an envelope of this size (a multiple of 4)."""
    words = envelope_bytes // 4
    return bytes([words]) if words < _LONG else bytes([_LONG]) + words.to_bytes(3, "little")


class Deframer:
    """Cuts the incoming stream into envelopes; `largest` bounds one of them in bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stream = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The envelopes that are whole with `data`; raises TransferTemporary for one over the bound."""
        self._stream += data
        while (head := self._head()) is not None:
            start, size = head
            if size > self._largest:
                raise TransferTemporary(Reason.UPLOAD_FAILED, f"an answer of {size} bytes")
            if len(self._stream) < start + size:
                return
            envelope = bytes(self._stream[start : start + size])
            del self._stream[: start + size]
            yield envelope

    def _head(self) -> tuple[int, int] | None:
        """Where the next envelope starts, and its size; None while that is not known."""
        if self._stream and self._stream[0] != _LONG:
            return 1, self._stream[0] * 4
        if len(self._stream) < 4:
            return None
        return 4, int.from_bytes(self._stream[1:4], "little") * 4
