"""The envelope of one encrypted message, as the server opens and seals it.

https://core.telegram.org/mtproto/description
"""

import os
import struct
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Final

import cryptg

#: auth_key_id and msg_key before the encrypted data
HEAD_BYTES: Final = 24
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
