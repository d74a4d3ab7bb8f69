"""Folders of jobs: room is reserved, and everything goes again."""

import shutil
from pathlib import Path

import pytest

from uploader.errors import Reason, SourceTemporary
from uploader.limits import MIB
from uploader.sources.media.workshop import Workshop


async def test_folder_when_a_job_ends_is_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    """Whether the job ended well or not; and with the engine goes its own."""

    async def job() -> None:
        async with workshop.folder() as folder:
            (folder.path / "deep").mkdir()
            (folder.path / "deep" / "x").write_bytes(b"x")
            modes.append(folder.path.stat().st_mode & 0o777)
            raise ZeroDivisionError

    modes: list[int] = []
    async with Workshop(tmp_path) as workshop:
        with pytest.raises(ZeroDivisionError):
            await job()
        assert [0o700] == modes
        assert [] == found(tmp_path, "engine-*/*/")
    assert [] == found(tmp_path, "*")


def found(folder: Path, pattern: str) -> list[Path]:
    """What is there."""
    return [*folder.glob(pattern)]


async def test_room_is_counted_over_all_jobs_and_given_back(tmp_path: Path) -> None:
    """Two jobs cannot have the same room, one after the other can."""
    most_bytes = shutil.disk_usage(tmp_path).free - 1024 * MIB
    async with Workshop(tmp_path) as workshop:
        for _ in range(2):
            async with workshop.folder() as first, workshop.folder() as second:
                first.reserve(most_bytes)
                with pytest.raises(SourceTemporary) as caught:
                    second.reserve(most_bytes)
                assert Reason.NO_ROOM is caught.value.reason


async def test_what_a_dead_engine_left_is_removed_and_a_living_one_is_let_be(tmp_path: Path) -> None:
    """The lock tells: the kernel lets go of it when a process dies."""
    dead = tmp_path / "engine-dead"
    dead.mkdir()
    (dead / "alive").touch()
    (dead / "film.part").write_bytes(b"x")
    async with Workshop(tmp_path) as first, first.folder() as folder, Workshop(tmp_path):
        assert not dead.exists()
        assert folder.path.exists()
