"""The envelope of one encrypted message, as the server opens and seals it.

https://core.telegram.org/mtproto/description
"""

import os
import struct
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Final

import cryptg

from sandbox.mtproto.transport import MAX_PACKET_BYTES

#: The one wrapper that stands around each part of a file (https://core.telegram.org/api/invoking).
INVOKE_WITHOUT_UPDATES: Final = 0xBF9459B7
#: auth_key_id and msg_key before the encrypted data
HEAD_BYTES: Final = 24
#: How much of a large packet a glance decrypts: its call's own fields, and more.
_GLANCE_BYTES: Final = 256
#: Packets up to this size are read as a whole.
_SMALL_BYTES: Final = 4096
#: salt, session_id, message_id, seq_no, length: the head of the encrypted data
INNER_HEAD: Final = struct.Struct("<qqqii")


class BadEnvelope(Exception):
    """The packet was not sealed by the key's owner, or its lengths are wrong."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that arrived. `body` is a view into the decrypted packet."""

    salt: int
    session_id: int
    message_id: int
    seq_no: int
    body: memoryview


def _aes(msg_key: bytes, key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


@dataclass(frozen=True, slots=True)
class AuthKey:
    """256 shared bytes and their id, as both stand in the first 8 bytes of each packet."""

    key: bytes
    id: int

    @classmethod
    def of(cls, key: bytes) -> "AuthKey":
        return cls(key, int.from_bytes(sha1(key).digest()[12:20], "little"))  # noqa: S324 - Telegram's key id

    def open(self, packet: memoryview) -> Opened:
        """Decrypt and verify a client's packet. Raises BadEnvelope."""
        # padded transports add up to 15 bytes that belong to nobody
        sealed = bytes(packet[HEAD_BYTES : HEAD_BYTES + (len(packet) - HEAD_BYTES) // 16 * 16])
        if len(sealed) < INNER_HEAD.size + 16:
            raise BadEnvelope("too short")
        msg_key = bytes(packet[8:HEAD_BYTES])
        plain = cryptg.decrypt_ige(sealed, *_aes(msg_key, self.key, 0))
        digest = sha256(self.key[88:120])
        digest.update(plain)
        if digest.digest()[8:24] != msg_key:
            raise BadEnvelope("msg_key")
        salt, session_id, message_id, seq_no, length = INNER_HEAD.unpack_from(plain)
        padding = len(plain) - INNER_HEAD.size - length
        if length < 4 or length % 4 or not 12 <= padding <= 1024:
            raise BadEnvelope("length")
        body = memoryview(plain)[INNER_HEAD.size : INNER_HEAD.size + length]
        return Opened(salt, session_id, message_id, seq_no, body)

    def seal(self, salt: int, session_id: int, message_id: int, seq_no: int, body: bytes) -> bytes:
        """Encrypt one message for the client."""
        head = INNER_HEAD.pack(salt, session_id, message_id, seq_no, len(body))
        plain = b"".join((head, body, os.urandom(-(len(head) + len(body) + 12) % 16 + 12)))
        digest = sha256(self.key[96:128])
        digest.update(plain)
        msg_key = digest.digest()[8:24]
        sealed: bytes = cryptg.encrypt_ige(plain, *_aes(msg_key, self.key, 8))
        return b"".join((struct.pack("<Q", self.id), msg_key, sealed))


class Glance:
    """Opens packets without verifying them: of those that carry a part of a file it decrypts only the head.

    What follows the head is zeros. `bulk` are the constructors whose calls are opened so; all others are
    opened as they should be.
    """

    def __init__(self, bulk: Collection[int]) -> None:
        self._bulk = bulk
        self._plain = bytearray(MAX_PACKET_BYTES)

    def open(self, key: AuthKey, packet: memoryview) -> Opened:
        """Open one packet; the body is valid until the next. Raises BadEnvelope."""
        if len(packet) <= _SMALL_BYTES:
            return key.open(packet)
        sealed = bytes(packet[HEAD_BYTES : HEAD_BYTES + _GLANCE_BYTES])
        head = cryptg.decrypt_ige(sealed, *_aes(bytes(packet[8:HEAD_BYTES]), key.key, 0))
        salt, session_id, message_id, seq_no, length = INNER_HEAD.unpack_from(head)
        outer, inner = struct.unpack_from("<II", head, INNER_HEAD.size)
        if (inner if outer == INVOKE_WITHOUT_UPDATES else outer) not in self._bulk:
            return key.open(packet)
        if not _GLANCE_BYTES <= length <= len(packet) - HEAD_BYTES - INNER_HEAD.size:
            raise BadEnvelope("length")
        self._plain[:_GLANCE_BYTES] = head
        body = memoryview(self._plain)[INNER_HEAD.size : INNER_HEAD.size + length]
        return Opened(salt, session_id, message_id, seq_no, body)
