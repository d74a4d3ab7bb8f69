"""Takes a source's chunks, of whatever size, into memory of our own."""

from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self


class Reader:
    """The bytes of one read of a source; closes it at the end of the `async with` block."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()

    async def fill(self, room: memoryview) -> int:
        """Copy bytes into `room`, once, and return how many: fewer than fit only at the source's end.

        No chunk is asked for before the last one is used up: the source is never pulled ahead.
        """
        filled = 0
        while filled < len(room) and not await self.ended():
            taken = self._rest[: len(room) - filled]
            room[filled : filled + len(taken)] = taken
            # what is used up must not stay in memory while its successor waits for room
            self._rest = self._rest[len(taken) :] if len(taken) < len(self._rest) else memoryview(b"")
            filled += len(taken)
        return filled

    async def take(self, most_bytes: int | None = None) -> bytes:
        """The next bytes as they come, at most so many; none at the source's end."""
        if most_bytes == 0 or await self.ended():
            return b""
        taken = bytes(self._rest[:most_bytes])
        self._rest = self._rest[len(taken) :]
        return taken

    async def ended(self) -> bool:
        """Whether no byte is left; waits for the next chunk to know it."""
        while not self._rest:
            try:
                self._rest = memoryview(await anext(self._chunks))
            except StopAsyncIteration:
                return True
        return False
