"""The soak at a size for every day: see `soak.py`."""

from pathlib import Path

from tests.engine.soak import MIB, soak


async def test_memory_when_many_people_sent_many_jobs_stays_as_it_was(tmp_path: Path) -> None:
    """Nothing is kept of a job that has ended, but its row."""
    found = await soak(tmp_path, jobs_count=400, people_count=200, warm=200)
    assert 400 == found.jobs_done == found.rows
    assert found.after_bytes - found.before_bytes < 20 * MIB
