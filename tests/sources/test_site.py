"""The demo's media site: bytes from nothing, at any offset, and their digest."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.site import Keystream, MediaSite
from tests.sources.sites import collected, fetched, opened


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_keystream_from_any_offset_is_the_same_file(start: int, size_bytes: int) -> None:
    """Reading a part gives the bytes that reading the whole gives there."""
    whole = Keystream("a", 1).read(0, 6000)
    assert whole[start : start + size_bytes] == Keystream("a", 1).read(start, size_bytes)


def test_keystream_of_another_name_or_seed_is_another_file() -> None:
    """Files are told apart by name and seed."""
    heads = {Keystream(name, seed).read(0, 64) for name in ("a", "b") for seed in (0, 1)}
    assert 4 == len(heads)


@pytest.mark.parametrize("size_bytes", [1, 15, 16, 17, 262_144, 1_000_001])
@pytest.mark.parametrize("with_length", [True, False])
async def test_site_serves_the_file_of_its_digest(size_bytes: int, with_length: bool) -> None:
    """What arrives is what `sha256_of` promises, with and without a length."""
    async with MediaSite() as media:
        url = media.url("films/a b.mp4", size_bytes, seed=3, with_length=with_length)
        remote, body = await fetched(url)
        expected = await media.sha256_of("films/a b.mp4", size_bytes, seed=3)
    assert expected == hashlib.sha256(body).hexdigest()
    assert ("a b.mp4", size_bytes if with_length else None) == (remote.name, remote.size_bytes)
    assert with_length is (remote.validator is not None)


async def test_site_serves_any_range_of_a_file_too_large_to_keep() -> None:
    """A tebibyte costs nothing until it is read."""
    size_bytes = 1 << 40
    start = size_bytes - 1000
    async with MediaSite() as media, opened(media.url("huge.bin", size_bytes)) as remote:
        body = await collected(remote, start, size_bytes - 3)
    assert size_bytes == remote.size_bytes
    assert Keystream("huge.bin", 0).read(start, 997) == body
