"""Files of every size at which something changes, through the sandbox: what comes is what was sent."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from telethon.crypto import rsa

from sandbox import DataCentre, World
from sandbox.world.uploads import Keep
from tests.transfer.courier import Courier, couriers, fingerprint
from tests.transfer.source import Source
from uploader.errors import Reason, SourceError
from uploader.model import RemoteFile, Uploaded
from uploader.transfer import upload
from uploader.transfer.parts import CAP_BYTES, PART_BYTES, SMALL_FILE_BYTES

MIB = 1024 * 1024
MOST = SMALL_FILE_BYTES + 5 * PART_BYTES
CONTENT = os.urandom(MOST)

SIZES = [
    *(1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 8 * PART_BYTES),
    *(10_000_000, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1, SMALL_FILE_BYTES + PART_BYTES, MOST),
]


@pytest.mark.parametrize("known", [True, False])
async def test_file_when_its_size_is_at_a_boundary_then_the_digests_are_equal(
    dc: DataCentre, known: bool
) -> None:
    """The user gets the bytes of the source, whatever the call that carried them."""
    async with couriers(dc) as courier:
        for size in SIZES:
            uploaded = await courier.carry(Source(CONTENT[:size], known=known))
            assert (size, known) == (uploaded.size_bytes, known)
            assert fingerprint(CONTENT[:size]) == await courier.deliver(uploaded)


@dataclass
class Hollow:
    """A source of so many bytes, of which nothing is kept."""

    size_bytes: int
    known: bool = True
    pulled_bytes: int = 0

    @property
    def remote(self) -> RemoteFile:
        """The open source."""
        return RemoteFile(
            name="large.bin",
            size_bytes=self.size_bytes if self.known else None,
            mime_type="application/octet-stream",
            validator=None,
            read=self._read,
        )

    async def _read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        stop = self.size_bytes if stop is None else stop
        for at in range(start, stop, MIB):
            self.pulled_bytes = min(at + MIB, stop)
            yield CONTENT[: min(MIB, stop - at)]


async def carry(courier: Courier, source: Hollow) -> Uploaded:
    """Upload once."""

    async def save(_checkpoint: object) -> None:
        """Nowhere."""

    return await upload(source.remote, courier.pool, checkpoint=None, save=save, report=lambda _done: None)


@pytest.mark.parametrize("known", [True, False])
async def test_file_when_it_is_empty_or_over_the_cap_then_is_refused(dc: DataCentre, known: bool) -> None:
    """Nothing at all is no file; a byte too many is told before any is read, if the source says its size."""
    async with couriers(dc) as courier:
        with pytest.raises(SourceError) as empty:
            await carry(courier, Hollow(0, known))
        assert Reason.EMPTY == empty.value.reason
        if known:
            large = Hollow(CAP_BYTES + 1)
            with pytest.raises(SourceError) as caught:
                await carry(courier, large)
            assert (Reason.TOO_LARGE, 0) == (caught.value.reason, large.pulled_bytes)


@pytest.mark.timeout(300)  # four GB
async def test_file_when_it_is_as_large_as_can_be_then_every_byte_is_counted(tmp_path: Path) -> None:
    """2,097,152,000 bytes and one less, at once: each part comes once, and the message tells the size."""
    world = World(tmp_path)
    world.uploads.keep = Keep.SIZES
    async with DataCentre(world, trusting=True) as dc:
        rsa.add_key(dc.public_key_path.read_bytes(), old=False)
        async with couriers(dc) as courier:
            sizes = [CAP_BYTES, CAP_BYTES - 1]
            carried = await asyncio.gather(*(carry(courier, Hollow(size)) for size in sizes))
            for size, uploaded in zip(sizes, carried, strict=True):
                assert [1] * 4000 == courier.arrivals(uploaded)
                assert size == world.stats.uploads[uploaded.file_id].size_bytes
                assert size == (await courier.announce(uploaded)).file.size
    world.close()
