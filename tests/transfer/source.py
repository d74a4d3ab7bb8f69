"""A source in memory, that remembers what was asked of it."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from uploader.model import RemoteFile


async def _at_once(_offset: int) -> None:
    """Let every chunk go without waiting."""


@dataclass
class Source:
    """Bytes to be uploaded. `yields`: what a read to the end really gives, when it is not `data`."""

    data: bytes
    known: bool = True
    validator: str | None = '"v1"'
    yields: bytes | None = None
    chunk_bytes: tuple[int, ...] = (100_000, 1, 700_000, 65_536)
    gate: Callable[[int], Awaitable[None]] = _at_once  # awaited before the chunk at this offset
    reads: list[tuple[int, int | None]] = field(default_factory=list)
    closed: int = 0
    pulled_bytes: int = 0

    @property
    def remote(self) -> RemoteFile:
        """The open source, as the upload gets it."""
        return RemoteFile(
            name="file.bin",
            size_bytes=len(self.data) if self.known else None,
            mime_type="application/octet-stream",
            validator=self.validator,
            read=self._read,
        )

    async def _read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        self.reads.append((start, stop))
        content = self.data if self.yields is None else self.yields
        stop = len(content) if stop is None else stop
        try:
            for size in itertools.cycle(self.chunk_bytes):
                if start >= stop:
                    break
                await self.gate(start)
                chunk = content[start : min(start + size, stop)]
                self.pulled_bytes += len(chunk)
                yield chunk
                start += size
        finally:
            self.closed += 1
