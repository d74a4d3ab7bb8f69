"""Packets of a client, sealed ahead: for a client whose own cost shall not be measured."""

import os
import struct
import time
from hashlib import sha256
from typing import Final

import cryptg

from sandbox.mtproto.envelope import INNER_HEAD, AuthKey

PART_BYTES: Final = 512 * 1024
_SAVE_BIG_FILE_PART: Final = 0xDE7B673D
#: A trusting data centre reads less than this of a part's packet, so only this is sealed for it.
_GLANCED_BYTES: Final = 1024


class Writer:
    """Numbers and seals the calls of one session, framed for the intermediate transport."""

    def __init__(self, secret: bytes, salt: int) -> None:
        self._key = AuthKey.of(secret)
        self._salt = salt
        self._session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._message_id = 0
        self._count = 0

    def call(self, body: bytes) -> bytes:
        """The packet of one call."""
        plain = self._plain(body)
        msg_key = sha256(self._key.key[88:120] + plain).digest()[8:24]
        return self._packet(msg_key, cryptg.encrypt_ige(plain, *self._cipher(msg_key)))

    def part(self, file_id: int, number: int, total: int, content: bytes) -> bytes:
        """The packet of one part of a file."""
        return self.call(_part(file_id, number, total, content))

    def glanced_part(self, file_id: int, number: int, total: int, content: bytes) -> bytes:
        """The same, of which only the beginning is sealed: nothing else of it will be read."""
        plain = self._plain(_part(file_id, number, total, content))
        msg_key = os.urandom(16)
        head = cryptg.encrypt_ige(plain[:_GLANCED_BYTES], *self._cipher(msg_key))
        return self._packet(msg_key, head + plain[_GLANCED_BYTES:])

    def _plain(self, body: bytes) -> bytes:
        self._message_id = max(self._message_id + 4, int(time.time() * 2**32) & ~3)
        self._count += 1
        seq_no = self._count * 2 - 1
        head = INNER_HEAD.pack(self._salt, self._session_id, self._message_id, seq_no, len(body))
        return b"".join((head, body, bytes(-(len(head) + len(body) + 12) % 16 + 12)))

    def _cipher(self, msg_key: bytes) -> tuple[bytes, bytes]:
        key = self._key.key
        a = sha256(msg_key + key[:36]).digest()
        b = sha256(key[40:76] + msg_key).digest()
        return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]

    def _packet(self, msg_key: bytes, sealed: bytes) -> bytes:
        size_bytes = 8 + len(msg_key) + len(sealed)
        return b"".join((struct.pack("<iQ", size_bytes, self._key.id), msg_key, sealed))


def _part(file_id: int, number: int, total: int, content: bytes) -> bytes:
    head = struct.pack("<Iqii", _SAVE_BIG_FILE_PART, file_id, number, total)
    return b"".join((head, b"\xfe", len(content).to_bytes(3, "little"), content))
