"""The envelope, byte for byte against other implementations."""

import os

import cryptg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.server import ServerCore
from uploader.transfer import seal
from uploader.transfer.room import MESSAGE_BYTES
from uploader.transfer.seal import BLOCK_BYTES, FRONT_BYTES, SCRATCH_MORE_BYTES, AuthKey, Unreadable, unseal

KEY = bytes(range(256))
BLOCKS = st.one_of(st.integers(3, 40), st.sampled_from([4096, 32_773]))


class Room:
    """A message with space around it, and a scratch that another message was sealed in before."""

    def __init__(self, plain: bytes) -> None:
        self.start, self.stop = FRONT_BYTES, FRONT_BYTES + len(plain)
        self.view = memoryview(bytearray(os.urandom(self.stop + 5)))
        self.view[self.start : self.stop] = plain
        self.scratch = memoryview(bytearray(os.urandom(MESSAGE_BYTES + SCRATCH_MORE_BYTES)))

    def sealed(self) -> bytes:
        """The envelope of the message."""
        return bytes(seal.seal(AuthKey(KEY), self.view, self.start, self.stop, self.scratch))


@given(blocks=BLOCKS, key=st.binary(min_size=32, max_size=32), iv=st.binary(min_size=32, max_size=32))
def test_ige_when_made_of_cbc_and_xor_then_equals_cryptg(blocks: int, key: bytes, iv: bytes) -> None:
    """AES-IGE through OpenSSL, in place, gives the bytes that cryptg gives, up to a whole part (524 368)."""
    plain = os.urandom(16 * blocks)
    room = Room(plain)
    seal.ige_by_openssl(room.view, room.start, room.stop, key, iv, room.scratch)
    expected = cryptg.encrypt_ige(plain, key, iv)
    assert expected == bytes(room.view[room.start - BLOCK_BYTES : room.stop - BLOCK_BYTES])


@given(blocks=BLOCKS)
def test_seal_when_read_by_the_data_centre_then_it_is_the_message(blocks: int) -> None:
    """The other end finds header and body; nothing beyond the message is touched."""
    header = bytes(28) + (16 * blocks - 32 - 12).to_bytes(4, "little")
    room = Room(header + os.urandom(16 * blocks - 32))
    body, behind = bytes(room.view[room.start + 32 : room.stop - 12]), bytes(room.view[room.stop :])
    assert body == ServerCore(KEY).hear(room.sealed()).body
    assert behind == room.view[room.stop :]


@given(blocks=BLOCKS, fast=st.booleans())
def test_reopen_when_sealed_before_then_gives_the_plain_message_back(blocks: int, fast: bool) -> None:
    """A message can be sealed again, with another header say, though it was sealed in place."""
    plain = os.urandom(16 * blocks)
    room = Room(plain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seal, "FAST", fast)
        first = room.sealed()
        seal.reopen(AuthKey(KEY), room.view, room.start, room.stop)
        assert plain == room.view[room.start : room.stop]
        assert first == room.sealed()


def test_seal_when_openssl_is_missing_then_the_bytes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fast libraries cryptg does the same work."""
    plain = os.urandom(16 * 100)
    assert seal.FAST
    fast = Room(plain).sealed()
    monkeypatch.setattr(seal, "FAST", False)
    assert fast == Room(plain).sealed()


def test_unseal_when_the_data_centre_sealed_it_then_gives_the_plain_message() -> None:
    """What the other end seals is read, padding included."""
    plain = unseal(AuthKey(KEY), ServerCore(KEY).seal_plain(b"sixteen bytes ok"))
    assert plain.startswith(b"sixteen bytes ok")


@given(at=st.integers(0, 71), bit=st.integers(0, 7))
def test_unseal_when_one_bit_is_wrong_then_refuses(at: int, bit: int) -> None:
    """Any changed bit of key id, msg_key or ciphertext is noticed."""
    envelope = bytearray(ServerCore(KEY).seal_plain(bytes(36)))
    envelope[at] ^= 1 << bit
    with pytest.raises(Unreadable):
        unseal(AuthKey(KEY), bytes(envelope))


@given(data=st.binary(max_size=100))
def test_unseal_when_fed_anything_then_refuses(data: bytes) -> None:
    """Bytes that are no envelope raise Unreadable and nothing else."""
    with pytest.raises(Unreadable):
        unseal(AuthKey(KEY), data)


def test_auth_key_when_shown_then_keeps_its_secret() -> None:
    """The key is in no repr, and a key of another length is refused."""
    assert "\\x" not in repr(AuthKey(KEY)).replace(repr(AuthKey(KEY).key_id), "")
    with pytest.raises(ValueError, match="256 bytes"):
        AuthKey(KEY[:-1])
