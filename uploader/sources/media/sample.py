"""A file with holes: the parts of a remote file that tell what it is, kept as they pass by on their way."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from uploader.errors import SourceError
from uploader.limits import MIB
from uploader.model import RemoteFile
from uploader.sources.media import atoms
from uploader.sources.media.chunks import closing

HEAD_BYTES: Final = MIB
_TAIL_BYTES: Final = MIB
#: The index of a film of some hours; a longer one is none that we wait for.
_INDEX_BYTES: Final = 24 * MIB
#: Enough of a file to see where its parts lie.
_ATOMS_BYTES: Final = 4096
#: For what an earlier attempt has read, and this one has not.
_FILL_S: Final = 15.0


class Sample:
    """The sample of one file, at `path`, which must not exist. `close` it."""

    def __init__(self, remote: RemoteFile, path: Path) -> None:
        self.path = path
        self._remote = remote
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._size_bytes = remote.size_bytes
        self._wanted = [(0, HEAD_BYTES)]
        self._known: list[tuple[int, int]] = []  # neighbours are one
        self._last = bytearray()  # of a file whose end comes unannounced
        self._end = 0
        self._broken = False
        if remote.size_bytes is not None:
            self._wanted.append((max(0, remote.size_bytes - _TAIL_BYTES), remote.size_bytes))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """See `model.RemoteFile.read`."""
        at = start
        async with closing(self._remote.read(start, stop)) as chunks:
            async for chunk in chunks:
                self._note(at, chunk)
                at += len(chunk)
                yield chunk

    async def finish(self) -> int | None:
        """See that all is there that is wanted; returns how much is known from the beginning on.

        What an earlier attempt has read, and this one has not, is asked for again: a MiB of each end, and
        an index. None: it cannot be had, for the site knows no ranges, or does not answer.
        """
        try:
            if self._size_bytes is None:
                self._size_bytes = self._end
                self._keep((0, self._end), self._end - len(self._last), bytes(self._last))
            os.ftruncate(self._file, self._size_bytes)
            async with asyncio.timeout(_FILL_S):
                for first, last in self._wanted:  # the beginning tells of an index, which is wanted then
                    await self._fill(first, min(last, self._size_bytes))
        except (SourceError, OSError):
            return None
        return None if self._broken else self._reached(0)

    def _note(self, at: int, chunk: bytes) -> None:
        try:
            for span in self._wanted:
                self._keep(span, at, chunk)
            if at < _ATOMS_BYTES <= at + len(chunk):
                self._want_index(at, chunk)
        except OSError:
            self._broken = True  # no room for a sample is no reason not to bring the file
        if self._size_bytes is None:
            self._end = at + len(chunk)
            self._last += chunk[-_TAIL_BYTES:]
            if len(self._last) > 2 * _TAIL_BYTES:
                del self._last[:-_TAIL_BYTES]

    def _keep(self, span: tuple[int, int], at: int, chunk: bytes) -> None:
        begin, end = max(at, span[0]), min(at + len(chunk), span[1])
        if begin >= end:
            return
        os.pwrite(self._file, memoryview(chunk)[begin - at : end - at], begin)
        for place, (first, last) in enumerate(self._known):
            if first <= begin <= last:
                self._known[place] = (first, max(last, end))
                return
        self._known.append((begin, end))

    def _want_index(self, at: int, chunk: bytes) -> None:
        """Once the beginning is there: it says where the index of an MP4 lies."""
        index = atoms.index_of(os.pread(self._file, HEAD_BYTES, 0), self._size_bytes)
        if index is not None and index[1] - index[0] <= _INDEX_BYTES:
            self._wanted.append(index)
            self._keep(index, at, chunk)

    async def _fill(self, first: int, last: int) -> None:
        at = self._reached(first)
        if at < last:
            async with closing(self.read(at, last)) as chunks:
                async for _ in chunks:
                    pass

    def _reached(self, first: int) -> int:
        """How far the bytes from `first` on are known."""
        at = first
        for begin, end in sorted(self._known):
            if begin <= at < end:
                at = end
        return at
