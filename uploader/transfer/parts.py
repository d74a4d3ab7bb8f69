"""Telegram's rules for the parts of a file, and the arithmetic that follows from them. Pure.

All rules: https://core.telegram.org/api/files#uploading-files
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.model import Checkpoint, Uploaded

#: The largest part Telegram takes, and the size it recommends; only the last part may be smaller.
PART_BYTES: Final = 524_288

#: Parts of one file for an account without Premium (`upload_max_fileparts_default`).
#: https://core.telegram.org/api/config
PART_LIMIT: Final = 4000

#: The largest file that fits: 2000 MiB, not 2 GiB.
CAP_BYTES: Final = PART_LIMIT * PART_BYTES

#: "More than 10 MB" goes by saveBigFilePart. The page does not say whether MB is 10^6 or 2^20 bytes;
#: this is 2^20, the boundary of Telegram's own applications, so a file of exactly 10 MiB is small.
SMALL_FILE_BYTES: Final = 10 * 1024 * 1024

#: `file_total_parts` while the size of a streamed file is unknown.
#: https://core.telegram.org/api/files#streamed-uploads
TOTAL_UNKNOWN: Final = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """The parts [start, stop) of a file, to be read from its source in one go."""

    start: int
    stop: int


def check_size(size_bytes: int, cap_bytes: int = CAP_BYTES) -> None:
    """Raise SourceError(EMPTY) or SourceError(TOO_LARGE) for a size that Telegram does not take."""
    if size_bytes <= 0:
        raise SourceError(Reason.EMPTY, f"{size_bytes} bytes")
    if size_bytes > cap_bytes:
        raise SourceError(Reason.TOO_LARGE, f"{size_bytes} bytes, at most {cap_bytes}")


def is_small(size_bytes: int) -> bool:
    """Whether the file goes by saveFilePart with an MD5 rather than by saveBigFilePart."""
    return size_bytes <= SMALL_FILE_BYTES


def part_count(size_bytes: int) -> int:
    """The number of parts of a file of `size_bytes`."""
    return -(-size_bytes // PART_BYTES)


def part_size(size_bytes: int, part: int) -> int:
    """The bytes in part number `part` (from 0) of a file of `size_bytes`."""
    return min(PART_BYTES, size_bytes - part * PART_BYTES)


def blank(count: int) -> bytearray:
    """A bitmap of `count` parts, none of them acknowledged (layout: see `Checkpoint.acked`)."""
    return bytearray(-(-count // 8))


def mark(bitmap: bytearray, part: int) -> None:
    """Note in `bitmap` that `part` is acknowledged."""
    bitmap[part // 8] |= 1 << part % 8


def is_marked(bitmap: bytes | bytearray, part: int) -> bool:
    """Whether `part` is acknowledged."""
    return bool(bitmap[part // 8] >> part % 8 & 1)


def marked_bytes(bitmap: bytes | bytearray, size_bytes: int) -> int:
    """The bytes in the acknowledged parts of a file of `size_bytes`."""
    parts = range(part_count(size_bytes))
    return sum(part_size(size_bytes, part) for part in parts if is_marked(bitmap, part))


def missing_runs(bitmap: bytes | bytearray, count: int) -> Iterator[Run]:
    """The longest runs of parts that are not acknowledged, in order."""
    start = None
    for part in range(count):
        if is_marked(bitmap, part):
            if start is not None:
                yield Run(start=start, stop=part)
            start = None
        elif start is None:
            start = part
    if start is not None:
        yield Run(start=start, stop=count)


def all_but(part: int | None, uploaded: Uploaded, validator: str | None, account: str) -> Checkpoint | None:
    """A checkpoint from which only `part` is sent again; None: this upload cannot be gone on with.

    `validator` and `account` are those of the upload.
    """
    if part is None or validator is None or uploaded.md5_hex is not None or part >= uploaded.part_count:
        return None
    acked = blank(uploaded.part_count)
    for other in range(uploaded.part_count):
        if other != part:
            mark(acked, other)
    return Checkpoint(
        file_id=uploaded.file_id,
        size_bytes=uploaded.size_bytes,
        validator=validator,
        acked=bytes(acked),
        account=account,
    )


def fits(checkpoint: Checkpoint | None, size_bytes: int, validator: str | None, account: str) -> bool:
    """Whether an upload of this file by this account can go on from `checkpoint`.

    Never for a small file: its MD5 needs all bytes again, so it starts anew.
    """
    return (
        checkpoint is not None
        and validator is not None
        and checkpoint.validator == validator
        and checkpoint.account == account
        and checkpoint.size_bytes == size_bytes
        and not is_small(size_bytes)
        and len(checkpoint.acked) == len(blank(part_count(size_bytes)))
    )
