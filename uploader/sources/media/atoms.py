"""The top level of MP4 files: where the index lies. Pure; every length is hostile.

https://developer.apple.com/documentation/quicktime-file-format/atoms
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SHORT: Final = struct.Struct(">I4s")
_LONG: Final = struct.Struct(">Q")
#: A file has a handful; more are none.
_ATOMS: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Atom:
    """One box of the top level."""

    kind: bytes
    start: int
    stop: int | None  # None: the end of the file


def atoms(head: bytes) -> list[Atom]:
    """The boxes whose heads lie in `head`, the beginning of a file; nothing when it is no MP4."""
    found = list(_walk(head))
    return found if found and found[0].kind in {b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"} else []


def index_of(head: bytes, size_bytes: int | None) -> tuple[int, int] | None:
    """Where the index (`moov`) of an MP4 lies, [start, stop), as far as its beginning tells."""
    found = atoms(head)
    for atom in found:
        if atom.kind == b"moov":
            stop = size_bytes if atom.stop is None else atom.stop
            return None if stop is None else (atom.start, stop)
    last = found[-1].stop if found else None
    # behind the pictures, at the end
    return (last, size_bytes) if last is not None and size_bytes is not None and last < size_bytes else None


def starts_fast(head: bytes) -> bool:
    """Whether an MP4 has its index before its pictures, so that it plays while it arrives."""
    kinds = [atom.kind for atom in atoms(head)]
    return b"moov" in kinds and (b"mdat" not in kinds or kinds.index(b"moov") < kinds.index(b"mdat"))


def _walk(head: bytes) -> Iterator[Atom]:
    at = 0
    for _ in range(_ATOMS):
        if at + _SHORT.size > len(head):
            return
        length, kind = _SHORT.unpack_from(head, at)
        most = _SHORT.size
        if length == 1 and at + 16 <= len(head):
            length = _LONG.unpack_from(head, at + 8)[0]
            most = 16
        if length and length < most:
            return
        stop = at + length if length else None
        yield Atom(kind=kind, start=at, stop=stop)
        if stop is None:
            return
        at = stop
