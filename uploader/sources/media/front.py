"""The index of an MP4 brought to its front without writing the film anew: the file is read in another order.

Joined films are written once, with the index (`moov`) behind the pictures; what plays while it arrives has it
before them. So the offsets in the index are moved by its own length, and it is given out first. Pure but for
`read_front`. The film's bytes are hostile, the boxes around them are our own ffmpeg's.

https://developer.apple.com/documentation/quicktime-file-format/chunk_offset_atom
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uploader.limits import MIB

#: Two million packets; what needs more is written anew by ffmpeg.
INDEX_BYTES: Final = 32 * MIB
_SHORT: Final = struct.Struct(">I4s")
_LONG: Final = struct.Struct(">Q")
_COUNT: Final = struct.Struct(">II")  # version and flags, number of entries
#: A file that ffmpeg has just written has four.
_BOXES: Final = 16
#: Where the tables of offsets lie in an index.
_NESTED: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_TABLES: Final = {b"stco": "I", b"co64": "Q"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """How a file is given out: `head`, then its bytes from `start` to `stop`. Together as many as it has."""

    head: bytes
    start: int
    stop: int


def read_front(path: Path) -> Front | None:
    """The order in which the MP4 at `path` plays while it arrives; None: it has to be written anew."""
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        boxes = list(_top_level(file.fileno(), size_bytes))
        if len(boxes) < 2 or boxes[0][0] != b"ftyp" or boxes[-1][0] != b"moov":
            return None
        (_, _, start), (_, stop, end) = boxes[0], boxes[-1]
        if end != size_bytes or end - stop > INDEX_BYTES:
            return None
        index = bytearray(os.pread(file.fileno(), end - stop, stop))
        if not move_offsets(index, len(index)):
            return None
        return Front(head=os.pread(file.fileno(), start, 0) + index, start=start, stop=stop)


def move_offsets(index: bytearray, by: int) -> bool:
    """Add `by` to all offsets in an index; False: one of them would become too large for its table."""
    for kind, start, stop in _tables(index, 0, len(index)):
        count = _COUNT.unpack_from(index, start)[1] if start + _COUNT.size <= stop else 0
        table = struct.Struct(f">{count}{_TABLES[kind]}")
        if start + _COUNT.size + table.size > stop:
            return False
        moved = [offset + by for offset in table.unpack_from(index, start + _COUNT.size)]
        if max(moved, default=0) >= 1 << 8 * struct.calcsize(f">{_TABLES[kind]}"):
            return False
        table.pack_into(index, start + _COUNT.size, *moved)
    return True


def _tables(index: bytearray, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """The bodies of the tables of offsets within, as kind, start and stop."""
    while start + _SHORT.size <= stop:
        length, kind = _SHORT.unpack_from(index, start)
        inner, end = start + _SHORT.size, start + length
        if length < _SHORT.size or end > stop:
            return
        if kind in _NESTED:
            yield from _tables(index, inner, end)
        elif kind in _TABLES:
            yield kind, inner, end
        start = end


def _top_level(descriptor: int, size_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of a file, as kind, start and stop, as far as they are understood."""
    at = 0
    for _ in range(_BOXES):
        head = os.pread(descriptor, _SHORT.size + _LONG.size, at)
        if len(head) < _SHORT.size:
            return
        length, kind = _SHORT.unpack_from(head)
        if length == 1 and len(head) == _SHORT.size + _LONG.size:
            length = _LONG.unpack_from(head, _SHORT.size)[0]
        if length < _SHORT.size or at + length > size_bytes:
            return
        yield kind, at, at + length
        at += length
