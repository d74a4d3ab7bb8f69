"""Memory of messages on their way out: one room holds a message through all that is done to it."""

import threading
from typing import Final

from uploader.transfer.parts import PART_BYTES
from uploader.transfer.seal import FRONT_BYTES

#: Bytes in front of a plain message: a transport's length (at most 4), and what the envelope needs.
_FRONT: Final = 4 + FRONT_BYTES

#: Bytes in front of a body: salt, session id, msg id, seqno, length. They belong to the plain message.
#: https://core.telegram.org/mtproto/description#encrypted-message-encrypted-data
HEADER_BYTES: Final = 32

#: Bytes in front of a file's own bytes, at most: invokeWithoutUpdates, saveBigFilePart, length.
CALL_BYTES: Final = 4 + 20 + 4

#: Bytes behind a body: at most 3 to fill up its last word, and at most 27 of random padding.
_TAIL: Final = 32

#: Where the body of a small message begins, and where the bytes of a part do.
BODY_AT: Final = _FRONT + HEADER_BYTES
DATA_AT: Final = BODY_AT + CALL_BYTES

#: The longest message that is ever sealed, in bytes.
MESSAGE_BYTES: Final = HEADER_BYTES + CALL_BYTES + PART_BYTES + _TAIL


class Room:
    """A body of `body_bytes` at BODY_AT, with space around it for header, padding, envelope and length.

    `sealed`: from where to where the plain message lay that is now an envelope; None: it is plain. Whoever
    changes that holds the `lock`, for a lost connection may still be sealing what another begins to send.
    """

    __slots__ = ("lock", "sealed", "view")

    def __init__(self, body_bytes: int) -> None:
        self.view = memoryview(bytearray(BODY_AT + body_bytes + _TAIL))
        self.lock = threading.Lock()
        self.sealed: tuple[int, int] | None = None


class PartRoom(Room):
    """Room for one part of a file, laid out so that the call grows around the file's bytes: `data`."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        super().__init__(CALL_BYTES + PART_BYTES)
        self.data = self.view[DATA_AT : DATA_AT + PART_BYTES]
