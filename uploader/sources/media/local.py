"""Files on our own disk, for the time of a job."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Final

from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import RemoteFile
from uploader.sources.media.chunks import closing

#: Read and written in another thread, in pieces that are worth the way there.
_PIECE_BYTES: Final = MIB


def local_file(path: Path, name: str, mime_type: str) -> RemoteFile:
    """The file at `path`, which must stay there until it was read."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        end = size_bytes if stop is None else stop
        with path.open("rb", buffering=0) as file:
            for at in range(start, end, _PIECE_BYTES):
                yield await asyncio.to_thread(os.pread, file.fileno(), min(_PIECE_BYTES, end - at), at)

    size_bytes = path.stat().st_size
    return RemoteFile(name=name, size_bytes=size_bytes, mime_type=mime_type, validator=None, read=read)


async def save(remote: RemoteFile, path: Path, most_bytes: int, progress: Callable[[int], None]) -> None:
    """Write all of `remote` to `path`; `progress` is told how much is there.

    Raises:
        SourceError: TOO_LARGE beyond `most_bytes`, NO_ROOM on the disk, and what reading raises.
    """
    if (remote.size_bytes or 0) > most_bytes:
        raise SourceError(Reason.TOO_LARGE, f"{remote.size_bytes} bytes")
    done_bytes = 0
    held: list[bytes] = []
    with path.open("wb") as file:
        async with closing(remote.read(0, None)) as chunks:
            async for chunk in chunks:
                done_bytes += len(chunk)
                if done_bytes > most_bytes:
                    raise SourceError(Reason.TOO_LARGE, f"more than {most_bytes} bytes")
                held.append(chunk)
                if sum(map(len, held)) >= _PIECE_BYTES:
                    await _write(file, held)
                    progress(done_bytes)
        await _write(file, held)


async def _write(file: IO[bytes], held: list[bytes]) -> None:
    try:
        await asyncio.to_thread(file.write, b"".join(held))
        await asyncio.to_thread(file.flush)
    except OSError as error:
        raise SourceTemporary(Reason.NO_ROOM, error.strerror or "") from None
    held.clear()
