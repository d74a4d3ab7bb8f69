"""MTProto 2.0 envelopes for measuring: opened by their head only, and sealed as fast as this machine can.

https://core.telegram.org/mtproto/description
"""

from hashlib import sha256
from typing import Final

import cryptg
from Crypto.Util.strxor import strxor
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.mtproto.envelope import HEAD_BYTES, INNER_HEAD, AuthKey, Opened

_BLOCK: Final = 16


def peeked(key: AuthKey, head: bytes) -> Opened:
    """What the first bytes of a client's packet tell; `body` is only as long as `head` allows.

    Nothing is verified: the msg_key covers the whole message. Raises struct.error when `head` is too short.
    """
    sealed = head[HEAD_BYTES : len(head) - (len(head) - HEAD_BYTES) % _BLOCK]
    plain = cryptg.decrypt_ige(sealed, *_cipher(key, head[8:HEAD_BYTES]))
    salt, session_id, message_id, seq_no, _length = INNER_HEAD.unpack_from(plain)
    return Opened(salt, session_id, message_id, seq_no, memoryview(plain)[INNER_HEAD.size :])


class Sealer:
    """Seals one message after the other into one frame: the fastest way known from Python.

    The engine has such a thing too. This one is kept apart on purpose: a measure that changed with what is
    measured would hide that it became slower.
    """

    def __init__(self, key: AuthKey, largest_bytes: int) -> None:
        self._key = key
        self._key_id = key.id.to_bytes(8, "little")
        room = largest_bytes + HEAD_BYTES + 2 * _BLOCK
        self._frame = memoryview(bytearray(room))
        self._scratch = memoryview(bytearray(room))

    def seal(self, plain: memoryview, prefix: bytes) -> memoryview:
        """`prefix` and the envelope of `plain`, three or more whole blocks; valid until the next call.

        AES-IGE is AES-CBC between two XORs: c[i] ^ p[i-1] is the CBC of p[i] ^ p[i-2].
        """
        digest = sha256(self._key.key[88:120])
        digest.update(plain)
        msg_key = digest.digest()[8:24]
        aes_key, iv = _cipher(self._key, msg_key)
        head = prefix + self._key_id + msg_key
        self._frame[: len(head)] = head
        size = len(plain)
        sealed, mixed = self._frame[len(head) :], self._scratch[:size]
        mixed[:_BLOCK] = plain[:_BLOCK]
        strxor(plain[_BLOCK : 2 * _BLOCK], iv[_BLOCK:], output=mixed[_BLOCK : 2 * _BLOCK])
        strxor(plain[2 * _BLOCK :], plain[: -2 * _BLOCK], output=mixed[2 * _BLOCK :])
        Cipher(algorithms.AES(aes_key), modes.CBC(iv[:_BLOCK])).encryptor().update_into(mixed, sealed)
        strxor(sealed[:_BLOCK], iv[_BLOCK:], output=sealed[:_BLOCK])
        strxor(sealed[_BLOCK:size], plain[:-_BLOCK], output=sealed[_BLOCK:size])
        return self._frame[: len(head) + size]


def _cipher(key: AuthKey, msg_key: bytes) -> tuple[bytes, bytes]:
    """AES key and IV of what a client sends."""
    a = sha256(msg_key + key.key[:36]).digest()
    b = sha256(key.key[40:76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
