"""A file above the cap, cut into volumes that are sent one after the other; nothing of it is kept.

A volume is a file of its own to `upload`: a span of the source where the source can be read from any byte on
(then it has a validator of its own, and its upload can be resumed), else the next bytes of the one reading.
"""

import hashlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from uploader.model import RemoteFile
from uploader.names import volume_name
from uploader.transfer.reader import Reader

#: What a volume is, whatever the file was.
MIME_TYPE = "application/octet-stream"


class RawVolumes:
    """The volumes of `remote`, of `cap_bytes` each but the last; one is read before the next is asked for."""

    plays = False

    def __init__(self, remote: RemoteFile, cap_bytes: int) -> None:
        self._remote = remote
        self._cap_bytes = cap_bytes
        self._in_spans = remote.size_bytes is not None and remote.validator is not None
        self._number = 0
        self._begin = 0  # of the next volume
        self._reader: Reader | None = None
        self._whole = hashlib.sha256()
        self._hashed_bytes = 0  # what went into it: all bytes before this one, in order

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            await self._reader.__aexit__(kind, error, trace)

    @property
    def count(self) -> int | None:
        """How many volumes there are; None: the source does not say how large it is."""
        size_bytes = self._remote.size_bytes
        return None if size_bytes is None else -(-size_bytes // self._cap_bytes)

    @property
    def sha256_hex(self) -> str | None:
        """Of the whole file, once all was read; None: not all of it was read by us, in order."""
        return self._whole.hexdigest() if self._hashed_bytes == self._begin else None

    async def ended(self) -> bool:
        """Whether the volumes so far are all; of a source that says no size, once the last one was read."""
        if self._remote.size_bytes is not None:
            return self._begin >= self._remote.size_bytes
        return self._reader is not None and await self._reader.ended()

    def next(self) -> RemoteFile:
        """The next volume."""
        self._number += 1
        begin, size_bytes = self._begin, self._remote.size_bytes
        is_last = size_bytes is not None and begin + self._cap_bytes >= size_bytes
        volume_bytes = None if size_bytes is None else min(self._cap_bytes, size_bytes - begin)
        if volume_bytes is not None:
            self._begin += volume_bytes
        # the last one is read to the source's end, which may be another than the source promised
        end = None if is_last else begin + self._cap_bytes

        async def span(start: int, stop: int | None) -> AsyncIterator[bytes]:
            at = begin + start
            async with Reader(self._remote.read(at, end if stop is None else begin + stop)) as reader:
                while taken := await reader.take():
                    self._note(at, taken)
                    at += len(taken)
                    yield taken

        async def rest(start: int, stop: int | None) -> AsyncIterator[bytes]:
            self._reader = self._reader or Reader(self._remote.read(0, None))
            at, left_bytes = begin, None if end is None else self._cap_bytes
            while taken := await self._reader.take(left_bytes):
                self._note(at, taken)
                at += len(taken)
                left_bytes = None if left_bytes is None else left_bytes - len(taken)
                if volume_bytes is None:
                    self._begin = at
                yield taken

        return RemoteFile(
            name=volume_name(self._remote.name, self._number),
            size_bytes=volume_bytes,
            mime_type=MIME_TYPE,
            validator=f"{begin}+{volume_bytes}@{self._remote.validator}" if self._in_spans else None,
            read=span if self._in_spans else rest,
        )

    def _note(self, at: int, taken: bytes) -> None:
        """Digest bytes as they pass: a chunk takes less time than the way to a thread and back."""
        if at == self._hashed_bytes:
            self._whole.update(taken)
            self._hashed_bytes += len(taken)


async def sha256_of(volume: RemoteFile) -> tuple[int, str]:
    """Read a volume and send it nowhere; its size and SHA-256."""
    digest, size_bytes = hashlib.sha256(), 0
    async with Reader(volume.read(0, None)) as reader:
        while taken := await reader.take():
            digest.update(taken)
            size_bytes += len(taken)
    return size_bytes, digest.hexdigest()
