"""How much memory a process took at most, and how much room a folder."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_S: Final = 0.1


@dataclass(slots=True)
class Peaks:
    """The largest values seen."""

    rss_bytes: int = 0
    disk_bytes: int = 0


@asynccontextmanager
async def measured(pid: int, folder: Path) -> AsyncIterator[Peaks]:
    """Watch a process and a folder while the block runs; the peaks are complete after it."""
    peaks = Peaks()

    async def sample() -> None:
        while True:
            _look(peaks, pid, folder)
            await asyncio.sleep(SAMPLE_S)

    async with asyncio.TaskGroup() as group:
        sampling = group.create_task(sample())
        try:
            yield peaks
        finally:
            _look(peaks, pid, folder)
            sampling.cancel()


def _look(peaks: Peaks, pid: int, folder: Path) -> None:
    peaks.rss_bytes = max(peaks.rss_bytes, _rss_bytes(pid))
    peaks.disk_bytes = max(peaks.disk_bytes, _folder_bytes(folder))


def _rss_bytes(pid: int) -> int:
    """The kernel's own high-water mark where it keeps one (Linux); 0 where it cannot be read."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def _folder_bytes(folder: Path) -> int:
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).lstat().st_size
            except FileNotFoundError:
                continue  # removed between listing and looking
    return total
