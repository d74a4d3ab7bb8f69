"""Temporary keys: of no use until they are bound to a permanent one, by a proof that is looked at closely.

https://core.telegram.org/method/auth.bindTempAuthKey
"""

import os
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha1
from typing import Any

import cryptg
import pytest
from telethon.tl import functions, types

from sandbox import Account, DataCentre, World
from sandbox.mtproto.envelope import AuthKey
from sandbox.mtproto.salts import Salts
from tests.sandbox.raw import Raw, raw

CALL = bytes(functions.users.GetUsersRequest([types.InputUserSelf()]))
HELLO = functions.InitConnectionRequest(1, "", "", "", "", "", "en", functions.help.GetNearestDcRequest())


def _aes(msg_key: bytes, key: bytes) -> tuple[bytes, bytes]:
    """MTProto 1.0, from a client: https://core.telegram.org/mtproto/description_v1"""
    a = sha1(msg_key + key[:32]).digest()
    b = sha1(key[32:48] + msg_key + key[48:64]).digest()
    c = sha1(key[64:96] + msg_key).digest()
    d = sha1(msg_key + key[96:128]).digest()
    return a[:8] + b[8:20] + c[4:16], a[8:20] + b[:8] + c[16:20] + d[:8]


def _long(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


@dataclass(frozen=True)
class Proof:
    """The request, and the message inside it, whose every field can be made wrong."""

    permanent: AuthKey
    temporary: AuthKey
    session_id: int
    expires_at: int
    nonce: int = 7
    inner_nonce: int = 7
    inner_expires_at: int | None = None
    message_offset: int = 0
    claimed: int | None = None

    def sealed(self, message_id: int) -> bytes:
        inner = types.BindAuthKeyInner(
            self.inner_nonce,
            _long(self.temporary.id),
            _long(self.permanent.id),
            self.session_id,
            self.inner_expires_at or self.expires_at,
        )
        body = bytes(inner)
        plain = os.urandom(16) + struct.pack("<qii", message_id + self.message_offset, 0, len(body)) + body
        msg_key = sha1(plain).digest()[4:20]
        plain += os.urandom(-len(plain) % 16)
        cipher = cryptg.encrypt_ige(plain, *_aes(msg_key, self.permanent.key))
        return struct.pack("<Q", self.permanent.id) + msg_key + bytes(cipher)

    def request(self, message_id: int) -> bytes:
        claimed = self.permanent.id if self.claimed is None else self.claimed
        return bytes(
            functions.auth.BindTempAuthKeyRequest(
                _long(claimed), self.nonce, self.expires_at, self.sealed(message_id)
            )
        )


@dataclass
class Bound:
    """A connection on a temporary key, and the proof that is right."""

    client: Raw
    proof: Proof

    async def bind(self, proof: Proof) -> Any:
        message_id = self.client.message_id()
        return await self.client.result(
            await self.client.send(proof.request(message_id), message_id=message_id)
        )


@pytest.fixture
def account(world: World) -> Account:
    """Who is logged in on the permanent key."""
    return world.add_bot()


@pytest.fixture
async def bound(dc: DataCentre, account: Account) -> AsyncIterator[Bound]:
    """Not bound yet, in truth."""
    async with raw(dc, account) as client:
        permanent, temporary = AuthKey.of(client.key), AuthKey.of(os.urandom(256))
        expires_at = int(dc.now()) + 3600
        dc.logins.add(temporary, Salts(client.salt, dc.now()), expires_at)
        client.key = temporary.key
        yield Bound(client, Proof(permanent, temporary, client.session_id, expires_at))


async def test_temporary_key_when_bound_speaks_for_its_account(
    dc: DataCentre, bound: Bound, account: Account
) -> None:
    """Before that it may look at the configuration, and no more; the login ends for both keys at once."""
    client = bound.client
    early = await client.result(await client.send(CALL))
    assert (401, "AUTH_KEY_PERM_EMPTY") == (early.error_code, early.error_message)
    config = await client.result(await client.send(bytes(functions.InvokeWithLayerRequest(200, HELLO))))
    assert dc.id == config.this_dc
    assert True is await bound.bind(bound.proof)
    (me,) = await client.result(await client.send(CALL))
    assert account.id == me.id
    assert True is await bound.bind(bound.proof)
    dc.revoke(account)
    late = await client.result(await client.send(CALL))
    assert "AUTH_KEY_UNREGISTERED" == late.error_message


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"inner_nonce": 8}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"inner_expires_at": 2_000_000_000}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"session_id": 5}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"message_offset": 4}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"temporary": AuthKey.of(b"x" * 256)}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"permanent": AuthKey.of(b"x" * 256)}, "ENCRYPTED_MESSAGE_INVALID"),
        ({"expires_at": 1_000_000_000}, "EXPIRES_AT_INVALID"),
    ],
)
async def test_proof_when_anything_in_it_is_wrong_is_refused(
    bound: Bound, wrong: dict[str, Any], error: str
) -> None:
    """Each field is compared, and the right one is still taken afterwards."""
    assert error == (await bound.bind(replace(bound.proof, **wrong))).error_message
    assert True is await bound.bind(bound.proof)


async def test_proof_when_sealed_by_another_key_than_it_names_is_refused(
    dc: DataCentre, bound: Bound, world: World
) -> None:
    """Nobody binds to a key that is not theirs."""
    other = AuthKey.of(dc.logins.mint(world.add_user("Eve")))
    stolen = replace(bound.proof, claimed=other.id)
    assert "ENCRYPTED_MESSAGE_INVALID" == (await bound.bind(stolen)).error_message


async def test_temporary_key_when_bound_to_another_or_permanent_is_refused(
    dc: DataCentre, bound: Bound, world: World
) -> None:
    """A temporary key belongs to one permanent key; a permanent one to none."""
    assert True is await bound.bind(bound.proof)
    other = AuthKey.of(dc.logins.mint(world.add_user("Eve")))
    again = await bound.bind(replace(bound.proof, permanent=other))
    assert "TEMP_AUTH_KEY_ALREADY_BOUND" == again.error_message
    bound.client.key = bound.proof.permanent.key
    assert "TEMP_AUTH_KEY_EMPTY" == (await bound.bind(bound.proof)).error_message


async def test_temporary_key_when_its_time_is_over_is_unknown(dc: DataCentre, bound: Bound) -> None:
    """-404, as with a key that never was."""
    assert True is await bound.bind(bound.proof)
    dc.world.network.clock_skew_s = 3601.0
    await bound.client.send(CALL)
    assert struct.pack("<i", -404) == await bound.client.packet()
    assert await bound.client.closed()


async def test_proof_when_garbled_is_refused(dc: DataCentre, bound: Bound) -> None:
    """Too short, not of whole blocks, noise behind the right key's name."""
    name = struct.pack("<Q", bound.proof.permanent.id)
    for noise in (b"", name, name + os.urandom(16), name + os.urandom(24), name + os.urandom(16 + 320)):
        request = functions.auth.BindTempAuthKeyRequest(
            _long(bound.proof.permanent.id), 7, bound.proof.expires_at, noise
        )
        refused = await bound.client.result(await bound.client.send(bytes(request)))
        assert "ENCRYPTED_MESSAGE_INVALID" == refused.error_message
