"""The proof that a temporary key belongs to a permanent one: a message inside a message, of MTProto 1.0.

https://core.telegram.org/method/auth.bindTempAuthKey
"""

import struct
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final

import cryptg
from telethon.tl import types

from sandbox import tl
from sandbox.mtproto.envelope import HEAD_BYTES, INNER_HEAD, AuthKey

_PADDING_MOST: Final = 15


class BadBinding(Exception):
    """The encrypted message proves nothing."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What the request says, and the message inside must say as well."""

    message_id: int
    session_id: int
    nonce: int
    temporary_key_id: int
    permanent_key_id: int
    expires_at: int


def verify(sealed: bytes, permanent: AuthKey, expected: Binding) -> None:
    """Open the encrypted message with the permanent key and compare. Raises BadBinding."""
    message_id, inner = _open(sealed, permanent)
    said = Binding(
        message_id,
        inner.temp_session_id,
        inner.nonce,
        inner.temp_auth_key_id,
        inner.perm_auth_key_id,
        _seconds(inner.expires_at),
    )
    if said != expected:
        raise BadBinding("another binding")


def _open(sealed: bytes, key: AuthKey) -> tuple[int, Any]:
    """The id of the message inside, and its object. Raises BadBinding."""
    data = sealed[HEAD_BYTES:]
    if sealed[:8] != struct.pack("<Q", key.id) or len(data) < INNER_HEAD.size or len(data) % 16:
        raise BadBinding("envelope")
    msg_key = sealed[8:HEAD_BYTES]
    plain = cryptg.decrypt_ige(data, *_aes(msg_key, key.key))
    _, _, message_id, _, length = INNER_HEAD.unpack_from(plain)
    end = INNER_HEAD.size + length
    if length < 0 or not 0 <= len(plain) - end <= _PADDING_MOST:
        raise BadBinding("length")
    if sha1(plain[:end]).digest()[4:20] != msg_key:  # noqa: S324 - Telegram's choice
        raise BadBinding("msg_key")
    try:
        inner = tl.read(plain[INNER_HEAD.size : end])
    except tl.Malformed as error:
        raise BadBinding(str(error)) from error
    if not isinstance(inner, types.BindAuthKeyInner):
        raise BadBinding(type(inner).__name__)
    return message_id, inner


def _seconds(moment: Any) -> int:
    """Telethon reads dates as datetimes, and 0 as None."""
    return int(moment.timestamp()) if moment is not None else 0


def _aes(msg_key: bytes, key: bytes) -> tuple[bytes, bytes]:
    """AES key and IV of MTProto 1.0, from a client."""
    a = sha1(msg_key + key[:32]).digest()  # noqa: S324 - Telegram's choice
    b = sha1(key[32:48] + msg_key + key[48:64]).digest()  # noqa: S324 - Telegram's choice
    c = sha1(key[64:96] + msg_key).digest()  # noqa: S324 - Telegram's choice
    d = sha1(msg_key + key[96:128]).digest()  # noqa: S324 - Telegram's choice
    return a[:8] + b[8:20] + c[4:16], a[8:20] + b[:8] + c[16:20] + d[:8]
