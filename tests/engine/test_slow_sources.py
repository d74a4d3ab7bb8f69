"""What slow sites cost those who have nothing to do with them."""

import asyncio
from pathlib import Path

import pytest

from tests.engine.slow_crowd import play


@pytest.mark.timeout(300)
async def test_small_files_when_forty_people_have_two_slow_links_each_come_all_the_same(
    tmp_path: Path,
) -> None:
    """Every way of being slow at once holds up nobody else: all small files come before any slow one ends."""
    async with asyncio.timeout(240):
        seen = await play(tmp_path, slow_people=40, polite_people=20)
    assert 0 == seen.slow_done
    assert 20 == len(seen.polite_s)
