"""Fixtures that all rooms share: a world, and a data centre over it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from telethon.crypto import rsa

from sandbox import DataCentre, World

# a loaded machine is no finding of a property test
settings.register_profile("peyk", deadline=None)
settings.load_profile("peyk")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty world; its files lie in this test's folder."""
    empty = World(tmp_path / "spool")
    yield empty
    empty.close()


@pytest.fixture
async def dc(world: World) -> AsyncIterator[DataCentre]:
    """A data centre on a free port, whose key this process's Telethon trusts."""
    async with DataCentre(world) as centre:
        rsa.add_key(centre.public_key_path.read_bytes(), old=False)
        yield centre
