"""A sealed stream: encrypted with the operator's secret, and of no use once a byte is changed or missing.

After a header with a salt come chunks of CHUNK_BYTES, each sealed by ChaCha20-Poly1305. The nonce is the
number of the chunk and whether it is the last: chunks cannot be swapped, and the end cannot be cut off.
"""

from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from uploader.errors import BackupError

MAGIC: Final = b"PEYK-BACKUP-1\n"
SALT_BYTES: Final = 16
CHUNK_BYTES: Final = 64 * 1024
_TAG_BYTES: Final = 16

#: A tenth of a second and 32 MiB for each guess. https://datatracker.ietf.org/doc/html/rfc7914
_SCRYPT_N: Final = 2**15


class Sealer:
    """Writes a sealed stream into `out`; `close` ends it, and leaves `out` open."""

    def __init__(self, out: BinaryIO, secret: str, salt: bytes) -> None:
        self._out = out
        self._header = MAGIC + salt
        self._cipher = _cipher(secret, salt)
        self._pending = bytearray()
        self._number = 0
        out.write(self._header)

    def write(self, data: bytes) -> int:
        """Take more of the stream."""
        self._pending += data
        while len(self._pending) > CHUNK_BYTES:
            self._seal(is_last=False)
        return len(data)

    def close(self) -> None:
        """Write what is left, marked as the end."""
        self._seal(is_last=True)

    def _seal(self, *, is_last: bool) -> None:
        chunk = bytes(self._pending[:CHUNK_BYTES])
        del self._pending[:CHUNK_BYTES]
        self._out.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, self._header))
        self._number += 1


class Unsealer:
    """Reads a sealed stream. Raises BackupError at the first byte that is not as it was sealed."""

    def __init__(self, source: BinaryIO, secret: str) -> None:
        self._source = source
        self._header = source.read(len(MAGIC) + SALT_BYTES)
        if not self._header.startswith(MAGIC) or len(self._header) != len(MAGIC) + SALT_BYTES:
            raise BackupError("this is no backup of Peyk's, or only the first bytes of one")
        self._cipher = _cipher(secret, self._header[len(MAGIC) :])
        self._next = source.read(CHUNK_BYTES + _TAG_BYTES)
        self._opened = b""
        self._number = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        pieces = []
        while size > 0 and (self._opened or self._open()):
            pieces.append(self._opened[:size])
            self._opened = self._opened[size:]
            size -= len(pieces[-1])
        return b"".join(pieces)

    def _open(self) -> bool:
        """Open the next chunk; False after the last."""
        if self._ended:
            return False
        sealed, self._next = self._next, self._source.read(CHUNK_BYTES + _TAG_BYTES)
        self._ended = not self._next
        try:
            self._opened = self._cipher.decrypt(_nonce(self._number, self._ended), sealed, self._header)
        except InvalidTag:
            what = "the key is another" if self._number == 0 else "it was cut off"
            raise BackupError(f"the backup cannot be opened: {what}, or it was changed") from None
        self._number += 1
        return bool(self._opened) or self._open()


def _cipher(secret: str, salt: bytes) -> ChaCha20Poly1305:
    key = Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=8, p=1).derive(secret.encode())
    return ChaCha20Poly1305(key)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
