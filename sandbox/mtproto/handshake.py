"""How a client and the data centre agree on an auth key: pq, RSA, Diffie-Hellman.

https://core.telegram.org/mtproto/auth_key
"""

import os
import struct
import time
from hashlib import sha1
from typing import Any, Final

import cryptg
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from sandbox import tl
from sandbox.mtproto.envelope import AuthKey
from sandbox.mtproto.numbers import Clock
from sandbox.mtproto.server_key import ServerKey

#: The example of Telegram's own page; clients only have to factorize it.
_P: Final = 0x494C553B
_Q: Final = 0x53911073

#: The prime that Telegram's servers use, with g = 3: clients know it, and skip the check of its primality.
DH_PRIME: Final = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
_G: Final = 3
#: g_a and g_b must keep this far from both ends of the range (security guidelines).
_MARGIN: Final = 2 ** (2048 - 64)

_INNER_DATA: Final = (
    types.PQInnerData,
    types.PQInnerDataDc,
    types.PQInnerDataTemp,
    types.PQInnerDataTempDc,
)


class Refused(Exception):
    """The client broke the rules of the exchange; its connection is closed."""


def _big(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _long(data: bytes) -> int:
    return int.from_bytes(data[:8], "little", signed=True)


def _random_128() -> int:
    return int.from_bytes(os.urandom(16), "little", signed=True)


class Handshake:
    """The exchange on one connection, bytes in and bytes out; `key` is set once it has succeeded.

    `salt` is then the key's first salt, which both sides know. A temporary key `expires_at` a time, in
    seconds since the epoch.
    """

    def __init__(self, server_key: ServerKey, clock: Clock = time.time) -> None:
        self._server_key = server_key
        self._clock = clock
        self._server_nonce = _random_128()
        self._nonce: int | None = None
        self._new_nonce: int | None = None
        self._exponent: int | None = None
        self.key: AuthKey | None = None
        self.salt = 0
        self.expires_at: float | None = None

    def answer(self, body: bytes) -> bytes:
        """The answer to one plain message, behind whose request there may be random bytes. Raises Refused."""
        try:
            request, _ = tl.read_first(body)
        except tl.Malformed as error:
            raise Refused(f"not a request: {error}") from error
        match request:
            case functions.ReqPqMultiRequest() | functions.ReqPqRequest():
                return bytes(self._offer(request.nonce))
            case functions.ReqDHParamsRequest():
                return bytes(self._parameters(request))
            case functions.SetClientDHParamsRequest():
                return bytes(self._agree(request))
        raise Refused(f"unexpected {type(request).__name__}")

    def _offer(self, nonce: int) -> Any:
        self._nonce = nonce
        self._server_nonce = _random_128()
        self._new_nonce = self._exponent = self.key = self.expires_at = None
        fingerprint = self._server_key.fingerprint
        return types.ResPQ(nonce, self._server_nonce, _big(_P * _Q), [fingerprint])

    def _parameters(self, request: Any) -> Any:
        self._check(request)
        inner = self._inner_data(request.encrypted_data)
        if (inner.p, inner.q) != (_big(_P), _big(_Q)):
            raise Refused("p and q")
        self._new_nonce = inner.new_nonce
        self.expires_at = self._expiry(inner)
        self._exponent = int.from_bytes(os.urandom(256), "big")
        answer = types.ServerDHInnerData(
            nonce=self._nonce,
            server_nonce=self._server_nonce,
            g=_G,
            dh_prime=_big(DH_PRIME),
            g_a=_big(pow(_G, self._exponent, DH_PRIME)),
            server_time=int(self._clock()),
        )
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, self._seal(bytes(answer)))

    def _expiry(self, inner: Any) -> float | None:
        if not isinstance(inner, types.PQInnerDataTemp | types.PQInnerDataTempDc):
            return None
        if inner.expires_in <= 0:
            raise Refused("expires_in")
        return self._clock() + inner.expires_in

    def _agree(self, request: Any) -> Any:
        self._check(request)
        if self._exponent is None or self._new_nonce is None:
            raise Refused("too early")
        inner = self._open(request.encrypted_data)
        self._check(inner)
        g_b = int.from_bytes(inner.g_b, "big")
        if not _MARGIN <= g_b <= DH_PRIME - _MARGIN:
            raise Refused("g_b")
        shared = pow(g_b, self._exponent, DH_PRIME).to_bytes(256, "big")
        self._exponent = None
        self.key = AuthKey.of(shared)
        new_nonce = self._new_nonce.to_bytes(32, "little", signed=True)
        server_nonce = self._server_nonce.to_bytes(16, "little", signed=True)
        self.salt = _long(new_nonce) ^ _long(server_nonce)
        digest = sha1(new_nonce + b"\x01" + sha1(shared).digest()[:8]).digest()  # noqa: S324 - Telegram's choice
        proof = int.from_bytes(digest[4:20], "little", signed=True)
        return types.DhGenOk(self._nonce, self._server_nonce, proof)

    def _check(self, message: Any) -> None:
        if (message.nonce, message.server_nonce) != (self._nonce, self._server_nonce):
            raise Refused("nonce")

    def _inner_data(self, sealed: bytes) -> Any:
        data = self._server_key.decrypt(sealed)
        if data is None:
            raise Refused("RSA padding")
        try:
            inner, _ = tl.read_first(data)
        except tl.Malformed as error:
            raise Refused(f"inner data: {error}") from error
        if not isinstance(inner, _INNER_DATA):
            raise Refused("inner data")
        self._check(inner)
        return inner

    def _aes(self) -> tuple[bytes, bytes]:
        key, iv = generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        return key, iv

    def _seal(self, answer: bytes) -> bytes:
        plain = sha1(answer).digest() + answer  # noqa: S324 - Telegram's choice
        plain += os.urandom(-len(plain) % 16)
        sealed: bytes = cryptg.encrypt_ige(plain, *self._aes())
        return sealed

    def _open(self, sealed: bytes) -> Any:
        if not sealed or len(sealed) % 16:
            raise Refused("client DH data")
        plain = cryptg.decrypt_ige(sealed, *self._aes())
        try:
            inner, length = tl.read_first(plain[20:])
        except tl.Malformed as error:
            raise Refused(f"client DH data: {error}") from error
        digest = sha1(plain[20 : 20 + length]).digest()  # noqa: S324 - Telegram's choice
        if not isinstance(inner, types.ClientDHInnerData) or digest != plain[:20]:
            raise Refused("client DH data")
        return inner


def read_plain(packet: memoryview) -> bytes:
    """The body of an unencrypted message. Raises Refused."""
    if len(packet) < 20:
        raise Refused("too short")
    (length,) = struct.unpack_from("<i", packet, 16)
    if not 4 <= length <= len(packet) - 20:
        raise Refused("length")
    return bytes(packet[20 : 20 + length])


def write_plain(message_id: int, body: bytes) -> bytes:
    """An unencrypted message of the server."""
    return struct.pack("<qqi", 0, message_id, len(body)) + body
