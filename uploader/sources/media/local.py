"""Files on our own disk, for the time of a job."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from io import FileIO
from pathlib import Path
from typing import Final

from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import RemoteFile
from uploader.sources.media.chunks import closing
from uploader.sources.media.front import Front

#: Read and written in another thread, in pieces that are worth the way there.
_PIECE_BYTES: Final = MIB


def local_file(path: Path, name: str, mime_type: str, front: Front | None = None) -> RemoteFile:
    """The file at `path`, which must stay there until it was read; `front`: the order to give it out in."""
    size_bytes = path.stat().st_size
    head, at = (b"", 0) if front is None else (front.head, front.start)

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        end = size_bytes if stop is None else stop
        if start < min(len(head), end):
            yield head[start:end]
        with path.open("rb", buffering=0) as file:
            for begin in range(max(start, len(head)), end, _PIECE_BYTES):
                most_bytes = min(_PIECE_BYTES, end - begin)
                yield await asyncio.to_thread(os.pread, file.fileno(), most_bytes, at + begin - len(head))

    return RemoteFile(
        name=name, size_bytes=size_bytes, mime_type=mime_type, validator=None, path=path, read=read
    )


async def save(
    remote: RemoteFile, path: Path, most_bytes: int, came: Callable[[int], Awaitable[None]] | None = None
) -> None:
    """Write all of `remote` to `path`; `came` is told how much will be there with the next piece.

    Raises:
        SourceError: TOO_LARGE beyond `most_bytes`, NO_ROOM on the disk, and what reading and `came` raise.
    """
    if (remote.size_bytes or 0) > most_bytes:
        raise SourceError(Reason.TOO_LARGE, f"{remote.size_bytes} bytes")
    done_bytes = held_bytes = 0
    held: list[bytes] = []
    with path.open("wb", buffering=0) as file:
        async with closing(remote.read(0, None)) as chunks:
            async for chunk in chunks:
                done_bytes += len(chunk)
                if done_bytes > most_bytes:
                    raise SourceError(Reason.TOO_LARGE, f"more than {most_bytes} bytes")
                held.append(chunk)
                held_bytes += len(chunk)
                if held_bytes >= _PIECE_BYTES:
                    if came is not None:
                        await came(done_bytes)
                    await _write(file, held)
                    held_bytes = 0
        await _write(file, held)


async def _write(file: FileIO, held: list[bytes]) -> None:
    data = memoryview(b"".join(held))
    try:
        while data:
            data = data[await asyncio.to_thread(file.write, data) :]
    except OSError as error:
        raise SourceTemporary(Reason.NO_ROOM, error.strerror or "") from None
    held.clear()
