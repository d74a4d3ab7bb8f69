"""Folders for jobs that need the disk: room is reserved before anything is fetched, and given back."""

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from uploader.errors import Reason, SourceTemporary
from uploader.limits import MIB

#: What must be left of the disk for everybody else: the database, logs, other programs.
_LEFT_FREE_BYTES: Final = 512 * MIB
_LOCK: Final = "alive"


class Workshop:
    """The folders of one engine, below `root`. An async context manager: it owns them."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()  # children have another working folder
        self._own = self._root / f"engine-{secrets.token_hex(8)}"
        self._alive: IO[bytes] | None = None
        self._reserved_bytes = 0

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(shutil.rmtree, self._own, ignore_errors=True)
        if self._alive is not None:
            self._alive.close()

    @asynccontextmanager
    async def folder(self, name: str = "") -> AsyncIterator["Folder"]:
        """A folder of one job's own, gone with the context; `name` for what is no job, and there once."""
        path = self._own / (name or secrets.token_hex(8))
        path.mkdir(mode=0o700)
        folder = Folder(path, self)
        try:
            yield folder
        finally:
            self._reserved_bytes -= folder.reserved_bytes
            # in the loop, for this must happen whatever is cancelled meanwhile; a handful of files
            shutil.rmtree(path, ignore_errors=True)

    def reserve(self, size_bytes: int) -> None:
        """Count room as taken.

        Raises:
            SourceTemporary: NO_ROOM: there is not so much left.
        """
        free_bytes = shutil.disk_usage(self._own).free
        if self._reserved_bytes + size_bytes + _LEFT_FREE_BYTES > free_bytes:
            raise SourceTemporary(Reason.NO_ROOM, f"{size_bytes} bytes, {free_bytes} free")
        self._reserved_bytes += size_bytes

    def _begin(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # one engine at a time: a folder that is just being made is not taken for a dead one's
            fcntl.flock(root, fcntl.LOCK_EX)
            for left in self._root.glob("engine-*"):
                if _is_dead(left):
                    shutil.rmtree(left, ignore_errors=True)
            self._own.mkdir(mode=0o700)
            # held for as long as this process lives: the kernel lets go of it, whatever ends us
            self._alive = os.fdopen(os.open(self._own / _LOCK, os.O_CREAT | os.O_WRONLY, 0o600), "wb")
            fcntl.flock(self._alive, fcntl.LOCK_EX)
        finally:
            os.close(root)


class Folder:
    """One job's folder."""

    def __init__(self, path: Path, workshop: Workshop) -> None:
        self.path = path
        self.reserved_bytes = 0
        self._workshop = workshop

    def reserve(self, size_bytes: int) -> None:
        """See that so much fits. Raises what `Workshop.reserve` raises."""
        self._workshop.reserve(size_bytes)
        self.reserved_bytes += size_bytes


def _is_dead(folder: Path) -> bool:
    """Whether the engine that made `folder` is no more."""
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True  # its engine died before it had a lock, for none is being made meanwhile
    except OSError:
        return False
    return True
