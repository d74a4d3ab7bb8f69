"""The MTProto 2.0 envelope of one message: plain bytes in, sealed bytes out, and back.

https://core.telegram.org/mtproto/description
"""

import hashlib
import hmac
from dataclasses import dataclass, field

import cryptg

try:
    from Crypto.Util.strxor import strxor
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:  # a platform without these wheels: the same bytes at half the speed
    FAST = False
else:
    FAST = True

KEY_BYTES = 256
_KEY_ID_BYTES = 8
_MSG_KEY_BYTES = 16
_BLOCK = 16

#: Bytes of an envelope before its ciphertext.
ENVELOPE_BYTES = _KEY_ID_BYTES + _MSG_KEY_BYTES

# Offset into the auth key by direction: what the client sends, and what the server sends.
_FROM_CLIENT = 0
_FROM_SERVER = 8


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


class Sealer:
    """Seals the messages of one connection, one at a time, into one frame that is used again.

    `largest` is the size of the longest plain message. Safe to call in a thread: everything long
    (SHA-256, AES, XOR) runs without the GIL.
    """

    def __init__(self, key: AuthKey, largest: int) -> None:
        self._key = key
        room = largest + ENVELOPE_BYTES + 2 * _BLOCK
        self._frame = memoryview(bytearray(room))
        self._scratch = memoryview(bytearray(room))

    def seal(self, plain: memoryview, prefix: bytes = b"") -> memoryview:
        """`prefix` and the envelope of `plain` (a multiple of 16 bytes); valid until the next call."""
        msg_key = _msg_key(self._key, plain, _FROM_CLIENT)
        head = prefix + self._key.key_id + msg_key
        frame = self._frame
        frame[: len(head)] = head
        aes_key, aes_iv = _cipher(self._key, msg_key, _FROM_CLIENT)
        encrypt = ige_by_openssl if FAST else ige_by_cryptg
        encrypt(plain, aes_key, aes_iv, frame[len(head) :], self._scratch)
        return frame[: len(head) + len(plain)]


def unseal(key: AuthKey, envelope: bytes) -> bytes:
    """The plain message, padding included, of an envelope from the data centre; raises Unreadable."""
    sealed = envelope[ENVELOPE_BYTES:]
    if envelope[:_KEY_ID_BYTES] != key.key_id or not sealed or len(sealed) % _BLOCK:
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


def ige_by_openssl(plain: memoryview, key: bytes, iv: bytes, sealed: memoryview, scratch: memoryview) -> None:
    """AES-IGE as AES-CBC between two XORs, because OpenSSL has no fast IGE and cryptg holds the GIL.

    IGE is c[i] = E(p[i] ^ c[i-1]) ^ p[i-1]. With q[i] = p[i] ^ p[i-2] and c'[i] = c[i] ^ p[i-1] this is
    c'[i] = E(q[i] ^ c'[i-1]), which is CBC. Before the first block stand p[0] = the IV's second half,
    c'[0] = its first half, p[-1] = zeros. `plain` is only read (another
    thread may be reading it too) and has 3 blocks or more: header and padding alone are 44 bytes.
    """
    size = len(plain)
    iv_1, iv_2 = iv[:_BLOCK], iv[_BLOCK:]
    q = scratch[:size]
    q[:_BLOCK] = plain[:_BLOCK]
    strxor(plain[_BLOCK : 2 * _BLOCK], iv_2, output=q[_BLOCK : 2 * _BLOCK])
    strxor(plain[2 * _BLOCK :], plain[: -2 * _BLOCK], output=q[2 * _BLOCK :])
    Cipher(algorithms.AES(key), modes.CBC(iv_1)).encryptor().update_into(q, sealed)
    strxor(sealed[:_BLOCK], iv_2, output=sealed[:_BLOCK])
    strxor(sealed[_BLOCK:size], plain[:-_BLOCK], output=sealed[_BLOCK:size])


def ige_by_cryptg(plain: memoryview, key: bytes, iv: bytes, sealed: memoryview, scratch: memoryview) -> None:
    """The same bytes by cryptg, at about half the speed and holding the GIL."""
    sealed[: len(plain)] = cryptg.encrypt_ige(bytes(plain), key, iv)
