"""The RSA key by which clients know this data centre."""

import contextlib
import os
import struct
import tempfile
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path

import cryptg
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sandbox import tl


def _tl_int(value: int) -> bytes:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    head, padding = tl.write_bytes(data)
    return head + data + padding


@dataclass(frozen=True, slots=True)
class ServerKey:
    """A 2048-bit RSA key, its fingerprint as clients compute it, and the file of its public half."""

    numbers: rsa.RSAPrivateNumbers
    fingerprint: int
    public_path: Path

    @classmethod
    def load(cls, path: Path | None) -> "ServerKey":
        """Read the key at `path`, or make it there; None keeps one for all runs in the temporary folder.

        The public half is written beside it as `<path>.pub` (PEM, PKCS#1). Raises ValueError, OSError.
        """
        path = path or Path(tempfile.gettempdir()) / f"peyk-sandbox-{os.getuid()}.pem"
        if not path.exists():
            _make(path)
        key = _read(path)
        public_path = path.with_name(path.name + ".pub")
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        if not public_path.exists() or public_path.read_bytes() != public:
            _draft(public_path, public).replace(public_path)
        numbers = key.private_numbers()
        digest = sha1(_tl_int(numbers.public_numbers.n) + _tl_int(numbers.public_numbers.e))  # noqa: S324 - Telegram's
        (fingerprint,) = struct.unpack("<q", digest.digest()[-8:])
        return cls(numbers, fingerprint, public_path)

    def decrypt(self, sealed: bytes) -> bytes | None:
        """The data inside `encrypted_data`, random bytes behind it; None if neither padding fits.

        Both paddings of https://core.telegram.org/mtproto/auth_key are taken: RSA_PAD, and the older
        SHA-1 one, which Telethon and Pyrogram still send.
        """
        if len(sealed) != 256:
            return None
        block = self._raw(int.from_bytes(sealed, "big")).to_bytes(256, "big")
        return _unpad_new(block) or _unpad_old(block)

    def _raw(self, value: int) -> int:
        """RSA by the Chinese remainder theorem: four times faster than one big power."""
        key = self.numbers
        m1, m2 = pow(value, key.dmp1, key.p), pow(value, key.dmq1, key.q)
        return m2 + (key.iqmp * (m1 - m2)) % key.p * key.q


def _read(path: Path) -> rsa.RSAPrivateKey:
    with contextlib.suppress(ValueError, TypeError):
        key = load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048:
            return key
    raise ValueError(f"{path} is no PEM file of an RSA key of 2048 bits without a password")


def _make(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    draft = _draft(path, key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    # of two processes that start at once the first one's key stays
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _draft(path: Path, content: bytes) -> Path:
    """A file (0600) beside `path`, to be moved there when it is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as draft:
        draft.write(content)
    return Path(draft.name)


def _unpad_new(block: bytes) -> bytes | None:
    sealed = block[32:]
    mask = sha256(sealed).digest()
    temporary = bytes(a ^ b for a, b in zip(block[:32], mask, strict=True))
    opened = cryptg.decrypt_ige(sealed, temporary, bytes(32))
    data = bytes(opened[:192][::-1])
    return data if sha256(temporary + data).digest() == opened[192:] else None


def _unpad_old(block: bytes) -> bytes | None:
    """SHA-1 of the data, the data, random bytes. Only the data itself tells where it ends."""
    try:
        _, length = tl.read_first(block[21:])
    except tl.Malformed:
        return None
    digest = sha1(block[21 : 21 + length]).digest()  # noqa: S324 - Telegram's choice
    return block[21:] if block[:21] == b"\0" + digest else None
