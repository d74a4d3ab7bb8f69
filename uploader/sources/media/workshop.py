"""Folders for jobs that need the disk: room is reserved before anything is fetched, and given back.

Engines that share `root` share its disk: each writes how much its jobs have reserved into the file that it
keeps locked for as long as it lives. The kernel lets go of the lock when a process dies, however it dies, and
its reservations count no longer; whoever looks next removes its folder.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from uploader import limits
from uploader.errors import NotYet, Reason, SourceError
from uploader.limits import MIB

#: What must be left of the disk for everybody else: the database, logs, other programs.
_LEFT_FREE_BYTES: Final = 512 * MIB
_LOCK: Final = "alive"
#: Room for what has no size is reserved in steps of this.
_STEP_BYTES: Final = 256 * MIB
#: The ledger is held for less than a millisecond by each who reads it.
_LEDGER_S: Final = 10.0
_LEDGER_LOOK_S: Final = 0.005
#: st_blocks counts these: https://man7.org/linux/man-pages/man3/stat.3type.html
_BLOCK_BYTES: Final = 512


class Workshop:
    """The folders of one engine, below `root`. An async context manager: it owns them."""

    def __init__(self, root: Path, most_bytes: int | None = None) -> None:
        """All engines at `root` reserve no more than `most_bytes`; None: what the disk has."""
        self._root = root.absolute()  # children have another working folder
        self._own = self._root / f"engine-{secrets.token_hex(8)}"
        self._most_bytes = most_bytes
        self._alive: int | None = None
        self._reserved_bytes = 0
        #: Taken by whoever joins or cuts a film, which has a deadline: the machine bears only a few of them.
        self.turns = asyncio.Semaphore(limits.JOINING_JOBS)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(shutil.rmtree, self._own, ignore_errors=True)
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    @asynccontextmanager
    async def folder(self, name: str = "") -> AsyncIterator["Folder"]:
        """A folder of one job's own, gone with the context; `name` for what is no job, and there once."""
        path = self._own / (name or secrets.token_hex(8))
        path.mkdir(mode=0o700)
        folder = Folder(path, self)
        try:
            yield folder
        finally:
            # to delete gigabytes takes a while; it goes on if we are cancelled meanwhile
            remove = partial(shutil.rmtree, path, ignore_errors=True)
            removal = asyncio.get_running_loop().run_in_executor(None, remove)
            removal.add_done_callback(lambda _: self.give_back(folder.reserved_bytes))
            await asyncio.shield(removal)

    async def reserve(self, size_bytes: int, own_bytes: int = 0) -> None:
        """Count room as taken, besides `own_bytes` that the same job has reserved already.

        Raises:
            NotYet: NO_ROOM: other jobs hold it.
            SourceError: NO_ROOM: there is not so much at all.
        """
        if any(map(_is_dead, self._engines())):
            await asyncio.to_thread(self.tidy)
        async with self._ledger():
            living = [folder for folder in self._engines() if not _is_dead(folder)]
            held_bytes = sum(map(_held_bytes, living))
            # what jobs have written of their room is no longer free, and is theirs
            room_bytes = shutil.disk_usage(self._own).free - _LEFT_FREE_BYTES + sum(map(_used_bytes, living))
            most_bytes = room_bytes if self._most_bytes is None else min(room_bytes, self._most_bytes)
            if held_bytes + size_bytes > most_bytes:
                told = _told(size_bytes, held_bytes, most_bytes)
                if own_bytes + size_bytes <= most_bytes:
                    raise NotYet(Reason.NO_ROOM, told, wait_s=limits.DISK_REST_S)
                raise SourceError(Reason.NO_ROOM, told)
            self._write_down(size_bytes)

    def give_back(self, size_bytes: int) -> None:
        """Count room as free again."""
        self._write_down(-size_bytes)

    def tidy(self) -> None:
        """Remove what engines left that are no more. Takes as long as deleting files does."""
        with self._alone():
            for folder in self._engines():
                if _is_dead(folder):
                    shutil.rmtree(folder, ignore_errors=True)

    def _begin(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.tidy()
        with self._alone():
            self._own.mkdir(mode=0o700)
            self._alive = os.open(self._own / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._alive, fcntl.LOCK_EX)

    def _write_down(self, more_bytes: int) -> None:
        self._reserved_bytes += more_bytes
        if more_bytes and self._alive is not None:
            os.pwrite(self._alive, b"%20d" % self._reserved_bytes, 0)

    def _engines(self) -> list[Path]:
        return [*self._root.glob("engine-*")]

    @contextmanager
    def _alone(self, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        """One engine at a time: a folder that is just being made is not taken for a dead one's."""
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(root, how)
            yield
        finally:
            os.close(root)

    @asynccontextmanager
    async def _ledger(self) -> AsyncIterator[None]:
        """The same, without a thread: nothing may be awaited within."""
        deadline = asyncio.get_running_loop().time() + _LEDGER_S
        while asyncio.get_running_loop().time() < deadline:
            try:
                with self._alone(fcntl.LOCK_EX | fcntl.LOCK_NB):
                    yield
                    return
            except BlockingIOError:
                await asyncio.sleep(_LEDGER_LOOK_S)
        raise NotYet(Reason.NO_ROOM, "another engine holds the ledger", wait_s=limits.DISK_REST_S)


class Folder:
    """One job's folder."""

    def __init__(self, path: Path, workshop: Workshop) -> None:
        self.path = path
        self.reserved_bytes = 0
        self._workshop = workshop

    async def reserve(self, size_bytes: int) -> None:
        """See that so much more fits. Raises what `Workshop.reserve` raises."""
        await self._workshop.reserve(size_bytes, self.reserved_bytes)
        self.reserved_bytes += size_bytes

    async def hold(self, size_bytes: int) -> None:
        """See that so much fits in all; it may become more. Raises what `Workshop.reserve` raises."""
        if size_bytes > self.reserved_bytes:
            await self.reserve(max(size_bytes - self.reserved_bytes, _STEP_BYTES))

    def keep(self, size_bytes: int) -> None:
        """Give back what is reserved beyond so much: no more will be written."""
        self._workshop.give_back(max(0, self.reserved_bytes - size_bytes))
        self.reserved_bytes = min(self.reserved_bytes, size_bytes)


def _told(size_bytes: int, held_bytes: int, most_bytes: int) -> str:
    if most_bytes <= 0:
        left = f"less than the {_LEFT_FREE_BYTES // MIB} MiB that are left to others are free on its disk"
        return f"no room for {size_bytes} bytes: {left}"
    return f"no room for {size_bytes} bytes: {held_bytes} of {most_bytes} are reserved"


def _is_dead(folder: Path) -> bool:
    """Whether the engine that made `folder` is no more."""
    try:
        with (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True  # its engine died before it had a lock, for none is being made meanwhile
    except OSError:
        return False
    return True


def _held_bytes(engine: Path) -> int:
    with suppress(OSError, ValueError):
        return int((engine / _LOCK).read_bytes() or b"0")
    return 0


def _used_bytes(engine: Path) -> int:
    """What the jobs of an engine have written, as far as it is reserved."""
    used_bytes = 0
    for path in engine.rglob("*"):
        with suppress(OSError):  # it has just been removed
            used_bytes += path.lstat().st_blocks * _BLOCK_BYTES
    return min(used_bytes, _held_bytes(engine))
