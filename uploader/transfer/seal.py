"""The MTProto 2.0 envelope of one message, made in place: a plain message becomes its envelope, and back.

https://core.telegram.org/mtproto/description
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

import cryptg

try:
    from Crypto.Util.strxor import strxor
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:  # a platform without these wheels: the same bytes at half the speed
    FAST = False
else:
    FAST = True

KEY_BYTES: Final = 256
_KEY_ID_BYTES: Final = 8
_MSG_KEY_BYTES: Final = 16
BLOCK_BYTES: Final = 16

#: Bytes of an envelope before its ciphertext.
ENVELOPE_BYTES: Final = _KEY_ID_BYTES + _MSG_KEY_BYTES

#: Bytes that `seal` uses in front of a message: the ciphertext lies one block before the plain bytes.
FRONT_BYTES: Final = ENVELOPE_BYTES + BLOCK_BYTES

#: Bytes that a scratch has to have beyond the longest message, because OpenSSL asks for them.
SCRATCH_MORE_BYTES: Final = BLOCK_BYTES

# Offset into the auth key by direction: what the client sends, and what the server sends.
_FROM_CLIENT: Final = 0
_FROM_SERVER: Final = 8


class Unreadable(ValueError):
    """The bytes are no envelope sealed by the data centre with this key."""


@dataclass(frozen=True, slots=True)
class AuthKey:
    """An account's authorization key. Raises ValueError unless it has 256 bytes."""

    data: bytes = field(repr=False)
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        if len(self.data) != KEY_BYTES:
            raise ValueError(f"an auth key has {KEY_BYTES} bytes, not {len(self.data)}")
        object.__setattr__(self, "key_id", hashlib.sha1(self.data, usedforsecurity=False).digest()[-8:])


def seal(key: AuthKey, room: memoryview, start: int, stop: int, scratch: memoryview) -> memoryview:
    """Turn the plain message room[start:stop] into its envelope, in place; the plain bytes are gone.

    The message is a multiple of 16 bytes and 48 or more, with FRONT_BYTES before it. Everything long
    (SHA-256, AES, XOR) runs without the GIL. `reopen` is the way back.
    """
    plain = room[start:stop]
    msg_key = _msg_key(key, plain, _FROM_CLIENT)
    aes_key, aes_iv = _cipher(key, msg_key, _FROM_CLIENT)
    encrypt = ige_by_openssl if FAST else ige_by_cryptg
    encrypt(room, start, stop, aes_key, aes_iv, scratch)
    front = start - FRONT_BYTES
    room[front : front + ENVELOPE_BYTES] = key.key_id + msg_key
    return room[front : stop - BLOCK_BYTES]


def reopen(key: AuthKey, room: memoryview, start: int, stop: int) -> None:
    """Undo `seal`: room[start:stop] is the plain message again. Rare, so by cryptg, which holds the GIL."""
    msg_key = bytes(room[start - BLOCK_BYTES - _MSG_KEY_BYTES : start - BLOCK_BYTES])
    sealed = bytes(room[start - BLOCK_BYTES : stop - BLOCK_BYTES])
    room[start:stop] = cryptg.decrypt_ige(sealed, *_cipher(key, msg_key, _FROM_CLIENT))


def unseal(key: AuthKey, envelope: bytes) -> bytes:
    """The plain message, padding included, of an envelope from the data centre; raises Unreadable."""
    sealed = envelope[ENVELOPE_BYTES:]
    if envelope[:_KEY_ID_BYTES] != key.key_id or not sealed or len(sealed) % BLOCK_BYTES:
        raise Unreadable("not an envelope of this auth key")
    msg_key = envelope[_KEY_ID_BYTES:ENVELOPE_BYTES]
    plain: bytes = cryptg.decrypt_ige(sealed, *_cipher(key, msg_key, _FROM_SERVER))
    # https://core.telegram.org/mtproto/security_guidelines#mtproto-encrypted-messages
    if not hmac.compare_digest(msg_key, _msg_key(key, plain, _FROM_SERVER)):
        raise Unreadable("an envelope whose msg_key does not match its message")
    return plain


def _msg_key(key: AuthKey, plain: memoryview | bytes, x: int) -> bytes:
    digest = hashlib.sha256(key.data[88 + x : 120 + x])
    digest.update(plain)
    return digest.digest()[8:24]


def _cipher(key: AuthKey, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    """AES key and IV of a message: https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector"""
    a = hashlib.sha256(msg_key + key.data[x : x + 36]).digest()
    b = hashlib.sha256(key.data[40 + x : 76 + x] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


def ige_by_openssl(
    room: memoryview, start: int, stop: int, key: bytes, iv: bytes, scratch: memoryview
) -> None:
    """AES-IGE of room[start:stop] into room[start-16:stop-16], as AES-CBC between two XORs.

    OpenSSL has no fast IGE, and cryptg holds the GIL. IGE is c[i] = E(p[i] ^ c[i-1]) ^ p[i-1]. With
    q[i] = p[i] ^ p[i-2] and c'[i] = c[i] ^ p[i-1] this is c'[i] = E(q[i] ^ c'[i-1]), which is CBC. Before
    the first block stand p[0] = the IV's second half, c'[0] = its first half, p[-1] = zeros. The last XOR
    reads p[i-1] where it writes c[i]: that is why the ciphertext lies one block before the plain bytes.
    """
    size = stop - start
    iv_1, iv_2 = iv[:BLOCK_BYTES], iv[BLOCK_BYTES:]
    q = scratch[:size]
    q[:BLOCK_BYTES] = room[start : start + BLOCK_BYTES]
    strxor(room[start + BLOCK_BYTES : start + 2 * BLOCK_BYTES], iv_2, output=q[BLOCK_BYTES : 2 * BLOCK_BYTES])
    strxor(
        room[start + 2 * BLOCK_BYTES : stop],
        room[start : stop - 2 * BLOCK_BYTES],
        output=q[2 * BLOCK_BYTES :],
    )
    Cipher(algorithms.AES(key), modes.CBC(iv_1)).encryptor().update_into(q, scratch)
    strxor(q[:BLOCK_BYTES], iv_2, output=room[start - BLOCK_BYTES : start])
    before = room[start : stop - BLOCK_BYTES]
    strxor(q[BLOCK_BYTES:], before, output=before)


def ige_by_cryptg(
    room: memoryview, start: int, stop: int, key: bytes, iv: bytes, scratch: memoryview
) -> None:
    """The same bytes by cryptg, at about half the speed and holding the GIL."""
    room[start - BLOCK_BYTES : stop - BLOCK_BYTES] = cryptg.encrypt_ige(bytes(room[start:stop]), key, iv)
