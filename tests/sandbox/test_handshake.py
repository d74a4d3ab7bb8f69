"""The exchange of keys, from a client's side by hand: both paddings, and every step that may be refused."""

import os
from dataclasses import dataclass
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

import cryptg
import pytest
from telethon.crypto import Factorization
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from sandbox.mtproto.handshake import Handshake, Refused
from sandbox.mtproto.server_key import ServerKey


@pytest.fixture(scope="session")
def server_key() -> ServerKey:
    """The key that is kept for all runs."""
    return ServerKey.load(None)


def _rsa(key: ServerKey, block: bytes) -> bytes:
    public = key.numbers.public_numbers
    return pow(int.from_bytes(block, "big"), public.e, public.n).to_bytes(256, "big")


def _pad_old(key: ServerKey, data: bytes) -> bytes:
    return _rsa(key, sha1(data).digest() + data + os.urandom(235 - len(data)))


def _pad_new(key: ServerKey, data: bytes) -> bytes:
    """RSA_PAD of https://core.telegram.org/mtproto/auth_key"""
    while True:
        padded = data + os.urandom(192 - len(data))
        temporary = os.urandom(32)
        with_hash = padded[::-1] + sha256(temporary + padded).digest()
        sealed = cryptg.encrypt_ige(with_hash, temporary, bytes(32))
        masked = bytes(a ^ b for a, b in zip(temporary, sha256(sealed).digest(), strict=True))
        if int.from_bytes(masked + sealed, "big") < key.numbers.public_numbers.n:
            return _rsa(key, masked + sealed)


def _big(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


@dataclass
class Client:
    """The client's side, one step a method."""

    server: Handshake
    nonce: int = 1
    server_nonce: int = 0
    new_nonce: int = 3

    #: random bytes behind each request
    behind: bytes = b""

    def ask(self, request: Any) -> Any:
        return BinaryReader(self.server.answer(bytes(request) + self.behind)).tgread_object()

    def first(self) -> Any:
        offer = self.ask(functions.ReqPqMultiRequest(self.nonce))
        self.server_nonce = offer.server_nonce
        return offer

    def second(
        self, offer: Any, seal: Any, key: ServerKey, kind: Any = types.PQInnerData, **extra: Any
    ) -> Any:
        p, q = map(_big, Factorization.factorize(int.from_bytes(offer.pq, "big")))
        inner = kind(offer.pq, p, q, self.nonce, self.server_nonce, self.new_nonce, **extra)
        sealed = seal(key, bytes(inner))
        fingerprint = offer.server_public_key_fingerprints[0]
        request = functions.ReqDHParamsRequest(self.nonce, self.server_nonce, p, q, fingerprint, sealed)
        answer = self.ask(request)
        plain = cryptg.decrypt_ige(answer.encrypted_answer, *self.aes())
        return BinaryReader(plain[20:]).tgread_object()

    def third(self, g_b: int) -> Any:
        inner = bytes(types.ClientDHInnerData(self.nonce, self.server_nonce, retry_id=0, g_b=_big(g_b)))
        plain = sha1(inner).digest() + inner
        sealed = cryptg.encrypt_ige(plain + os.urandom(-len(plain) % 16), *self.aes())
        return self.ask(functions.SetClientDHParamsRequest(self.nonce, self.server_nonce, sealed))

    def aes(self) -> tuple[bytes, bytes]:
        key, iv = generate_key_data_from_nonce(self.server_nonce, self.new_nonce)
        return key, iv


@pytest.mark.parametrize(
    ("pad", "kind", "extra", "behind"),
    [
        (_pad_old, types.PQInnerData, {}, b""),
        (_pad_new, types.PQInnerData, {}, b""),
        (_pad_new, types.PQInnerDataDc, {"dc": 2}, b""),
        (_pad_new, types.PQInnerDataTempDc, {"dc": 2, "expires_in": 60}, b""),
        (_pad_new, types.PQInnerDataDc, {"dc": 2}, bytes(252)),
    ],
    ids=["old padding", "new padding", "with the DC", "temporary", "with bytes behind it, as TDLib"],
)
def test_exchange_when_done_right_gives_both_the_same_key(
    server_key: ServerKey, pad: Any, kind: Any, extra: Any, behind: bytes
) -> None:
    """As Telethon does it, and as newer clients do."""
    client = Client(Handshake(server_key), behind=behind)
    inner = client.second(client.first(), pad, server_key, kind, **extra)
    prime, exponent = int.from_bytes(inner.dh_prime, "big"), int.from_bytes(os.urandom(256), "big")
    assert isinstance(client.third(pow(inner.g, exponent, prime)), types.DhGenOk)
    assert client.server.key is not None
    shared = pow(int.from_bytes(inner.g_a, "big"), exponent, prime)
    assert shared.to_bytes(256, "big") == client.server.key.key
    assert ("expires_in" in extra) == (client.server.expires_at is not None)
    server_nonce = client.server_nonce.to_bytes(16, "little", signed=True)
    assert int.from_bytes(server_nonce[:8], "little", signed=True) ^ client.new_nonce == client.server.salt


@pytest.mark.parametrize("g_b", [0, 1, 2**1900])
def test_exchange_when_g_b_is_weak_is_refused(server_key: ServerKey, g_b: int) -> None:
    """A key that could be guessed is no key."""
    client = Client(Handshake(server_key))
    client.second(client.first(), _pad_old, server_key)
    with pytest.raises(Refused, match="g_b"):
        client.third(g_b)
    assert client.server.key is None


def test_exchange_when_out_of_order_or_with_wrong_nonces_is_refused(server_key: ServerKey) -> None:
    """No step is taken before the one in front of it."""
    client = Client(Handshake(server_key))
    with pytest.raises(Refused, match="nonce"):
        client.third(2**2000)
    offer = client.first()
    with pytest.raises(Refused, match="too early"):
        client.third(2**2000)
    client.server_nonce += 1
    with pytest.raises(Refused, match="nonce"):
        client.second(offer, _pad_old, server_key)
    with pytest.raises(Refused, match="RSA padding"):
        client.second(client.first(), lambda key, data: bytes(256), server_key)
    with pytest.raises(Refused, match="not a request"):
        client.server.answer(b"noise")


def test_key_when_made_by_two_at_once_is_one(tmp_path: Path) -> None:
    """The first one's stays; a file that is no such key is refused."""
    path = tmp_path / "dc.pem"
    first, second = ServerKey.load(path), ServerKey.load(path)
    assert first.fingerprint == second.fingerprint
    assert path.with_name("dc.pem.pub").read_text().startswith("-----BEGIN RSA PUBLIC KEY-----")
    path.write_text("nothing")
    with pytest.raises(ValueError, match="PEM"):
        ServerKey.load(path)
