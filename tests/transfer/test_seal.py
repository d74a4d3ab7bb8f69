"""The envelope, byte for byte against other implementations."""

import os

import cryptg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.server import ServerCore
from uploader.transfer import seal
from uploader.transfer.seal import AuthKey, Sealer, Unreadable, unseal
from uploader.transfer.tl import MESSAGE_BYTES

KEY = bytes(range(256))
BLOCKS = st.one_of(st.integers(3, 40), st.sampled_from([4096, 32_773]))


def sealed(plain: bytes, prefix: bytes = b"") -> bytes:
    """`plain` sealed by a fresh sealer."""
    return bytes(Sealer(AuthKey(KEY), MESSAGE_BYTES).seal(memoryview(plain), prefix))


@given(blocks=BLOCKS, key=st.binary(min_size=32, max_size=32), iv=st.binary(min_size=32, max_size=32))
def test_ige_when_made_of_cbc_and_xor_then_equals_cryptg(blocks: int, key: bytes, iv: bytes) -> None:
    """AES-IGE through OpenSSL gives the bytes that cryptg gives, up to a whole part (524 368 bytes)."""
    plain = os.urandom(16 * blocks)
    scratch, out = memoryview(bytearray(len(plain))), bytearray(len(plain) + 16)
    seal.ige_by_openssl(memoryview(plain), key, iv, memoryview(out), scratch)
    assert cryptg.encrypt_ige(plain, key, iv) == bytes(out[: len(plain)])


def test_seal_when_openssl_is_missing_then_the_bytes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fast libraries cryptg does the same work."""
    plain = os.urandom(16 * 100)
    assert seal.FAST
    fast = sealed(plain, b"12")
    monkeypatch.setattr(seal, "FAST", False)
    assert fast == sealed(plain, b"12")


def test_seal_when_one_sealer_seals_twice_then_both_envelopes_are_whole() -> None:
    """A long message does not show in a short one sealed after it, and plain bytes stay as they were."""
    sealer = Sealer(AuthKey(KEY), MESSAGE_BYTES)
    long, short = bytearray(os.urandom(MESSAGE_BYTES // 16 * 16)), bytearray(os.urandom(64))
    kept = bytes(long)
    expected = sealed(kept), sealed(bytes(short), b"\xef")
    actual = bytes(sealer.seal(memoryview(long))), bytes(sealer.seal(memoryview(short), b"\xef"))
    assert expected == actual
    assert kept == long


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
