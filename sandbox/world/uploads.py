"""File parts on their way in, by Telegram's rules (https://core.telegram.org/api/files#uploading-files)."""

import errno
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import md5, sha256
from pathlib import Path
from typing import Final

from sandbox.world.clock import Clock
from sandbox.world.ledger import Ledger

#: A part is at most this large, and this is divisible by the size of every part but the last.
MAX_PART_BYTES: Final = 524_288
_PART_UNIT_BYTES: Final = 1024
#: upload_max_fileparts_default and _premium (https://core.telegram.org/api/config)
MAX_PARTS: Final = 4000
MAX_PARTS_PREMIUM: Final = 8000
#: Files up to this size go by saveFilePart, with a digest; larger ones by saveBigFilePart.
MAX_SMALL_BYTES: Final = 10 * 1024 * 1024
#: file_total_parts of a streamed upload, of which only the last part tells the total
UNKNOWN_TOTAL: Final = -1

#: Unfinished and finished uploads that are kept at once; the longest idle goes first.
_KEPT_UPLOADS: Final = 512
#: How long parts wait for the next one: "between several minutes and several hours".
#: https://core.telegram.org/api/files#uploading-files
UPLOAD_LASTS_S: Final = 3 * 3600.0

#: Which upload: the auth key that sends it, the client's file id, and whether it goes by saveBigFilePart.
_Key = tuple[int, int, bool]


class Keep(StrEnum):
    """What stays of files that come by saveBigFilePart; smaller ones are always kept.

    Of what is not kept, `DIGESTS` remembers the SHA-256 of each part; the content reads as zeros.
    """

    CONTENT = "content"
    DIGESTS = "digests"
    SIZES = "sizes"


class PartRefused(Exception):
    """A part or a file breaks a rule. The message is the name of Telegram's error."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Content in the spool. Part n lies at n * MAX_PART_BYTES whatever its size: parts need no order."""

    path: Path
    size_bytes: int
    part_bytes: int
    #: SHA-256 of the SHA-256 of each part, in hexadecimal, where the content was not kept but digested
    digest: str = ""

    def read(self, offset: int, limit: int) -> bytes:
        """Up to `limit` bytes from `offset`; fewer at the end of the content."""
        limit = max(0, min(limit, self.size_bytes - offset))
        pieces = []
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            while limit > 0:
                part, within = divmod(offset, self.part_bytes)
                length = min(limit, self.part_bytes - within)
                pieces.append(os.pread(descriptor, length, part * MAX_PART_BYTES + within))
                offset, limit = offset + length, limit - length
        finally:
            os.close(descriptor)
        return b"".join(pieces)

    def md5(self) -> str:
        """The MD5 digest of the content, in hexadecimal."""
        digest = md5(usedforsecurity=False)
        for offset in range(0, self.size_bytes, MAX_PART_BYTES):
            digest.update(self.read(offset, MAX_PART_BYTES))
        return digest.hexdigest()


@dataclass(eq=False)
class Upload:
    """The parts of one file so far. All have the same size but the last, which may be shorter."""

    path: Path
    descriptor: int
    keep: Keep = Keep.CONTENT
    used_at: float = 0.0
    total: int = UNKNOWN_TOTAL
    part_bytes: int = 0
    sizes: dict[int, int] = field(default_factory=dict)
    #: the number of the one short part
    short: int | None = None
    highest: int = -1
    digests: dict[int, bytes] = field(default_factory=dict)

    def save(self, part: int, total: int, data: memoryview) -> None:
        """Take one part; again is no error. Raises PartRefused, or OSError when the disk is full."""
        if total != UNKNOWN_TOTAL:
            if self.total not in (UNKNOWN_TOTAL, total) or self.highest >= total:
                raise PartRefused("FILE_PARTS_INVALID")
            self.total = total
        if self.sizes.get(part) != len(data):
            self.fit(part, len(data))
        self._store(part, data)

    def _store(self, part: int, data: memoryview) -> None:
        match self.keep:
            case Keep.CONTENT:
                if os.pwrite(self.descriptor, data, part * MAX_PART_BYTES) != len(data):
                    raise OSError(errno.ENOSPC, "the spool is full")
            case Keep.DIGESTS:
                self.digests[part] = sha256(data).digest()

    def fit(self, part: int, size: int) -> None:
        """Check the size of a new part against the others': one part may be shorter, the last one."""
        if part in self.sizes:
            raise PartRefused("FILE_PART_SIZE_CHANGED")
        if size > self.part_bytes:
            # whatever came before was one part, the last one
            if len(self.sizes) > 1:
                raise PartRefused("FILE_PART_SIZE_CHANGED")
            if self.sizes:
                self._shorten(self.highest, part)
            self.part_bytes = size
        elif size < self.part_bytes:
            self._shorten(part, self.highest)
        elif self.short is not None and part > self.short:
            raise PartRefused("FILE_PART_SIZE_CHANGED")
        self.sizes[part] = size
        self.highest = max(self.highest, part)

    def _shorten(self, part: int, other: int) -> None:
        if self.short is not None or part < other or not self._may_be_last(part):
            raise PartRefused("FILE_PART_SIZE_CHANGED")
        self.short = part

    def _may_be_last(self, part: int) -> bool:
        return self.total in (UNKNOWN_TOTAL, part + 1)

    def finish(self, parts: int) -> Blob:
        """The content, when all parts are there. Raises PartRefused, naming the first that is missing."""
        if parts < 1 or self.total not in (UNKNOWN_TOTAL, parts) or self.highest >= parts:
            raise PartRefused("FILE_PARTS_INVALID")
        missing = next((part for part in range(parts) if part not in self.sizes), None)
        if missing is not None:
            raise PartRefused(f"FILE_PART_{missing}_MISSING")
        if parts > 1 and not _regular(self.part_bytes):
            raise PartRefused("FILE_PART_SIZE_INVALID")
        if self.keep is not Keep.CONTENT:
            os.ftruncate(self.descriptor, parts * MAX_PART_BYTES)
        digests = b"".join(self.digests[part] for part in sorted(self.digests))
        digest = sha256(digests).hexdigest() if len(self.digests) == parts else ""
        return Blob(self.path, sum(self.sizes.values()), self.part_bytes, digest)


def _regular(size: int) -> bool:
    return size % _PART_UNIT_BYTES == 0 and MAX_PART_BYTES % size == 0


def check_part(part: int, total: int, size: int, *, big: bool, most: int) -> None:
    """The rules that one part can break by itself. Raises PartRefused."""
    if big and total != UNKNOWN_TOTAL and not 1 <= total <= most:
        raise PartRefused("FILE_PARTS_INVALID")
    if not 0 <= part < (total if big and total != UNKNOWN_TOTAL else most):
        raise PartRefused("FILE_PART_INVALID")
    if size == 0:
        raise PartRefused("FILE_PART_EMPTY")
    if size > MAX_PART_BYTES:
        raise PartRefused("FILE_PART_TOO_BIG")
    # only the last part may have any size, and a streamed upload's last part is the one with the total
    if big and part + 1 != total and not _regular(size):
        raise PartRefused("FILE_PART_SIZE_INVALID")


class Uploads:
    """All uploads. Parts belong to the auth key that sent them, not to all logins of the account."""

    def __init__(self, spool: Path, clock: Clock, ledger: Ledger) -> None:
        self._spool = spool
        self._clock = clock
        self._ledger = ledger
        #: of a file: of accounts without Premium, and with it
        self.most_parts = [MAX_PARTS, MAX_PARTS_PREMIUM]
        #: for uploads that begin from now on
        self.keep = Keep.CONTENT
        # both in the order of their last use
        self._uploads: OrderedDict[_Key, Upload] = OrderedDict()
        self._finished: OrderedDict[_Key, Blob] = OrderedDict()

    def save(
        self, key_id: int, file_id: int, part: int, total: int, data: memoryview, *, big: bool, premium: bool
    ) -> None:
        """Take one part. Raises PartRefused, or OSError when the disk is full."""
        check_part(part, total, len(data), big=big, most=self.most_parts[premium])
        at = (key_id, file_id, big)
        if at in self._finished:
            return
        total = total if big else UNKNOWN_TOTAL
        self._used(at).save(part, total, data)
        if self._ledger.keeps:
            self._ledger.put("part", _row(at, part), [len(data), total])

    def _used(self, at: _Key) -> Upload:
        """The upload, new or as it was, and the last to be forgotten now."""
        self._forget_idle(room=at not in self._uploads)
        upload = self._uploads.get(at)
        if upload is None:
            upload = self._uploads[at] = self._open(at, os.O_TRUNC)
        upload.used_at = self._clock.now()
        self._uploads.move_to_end(at)
        return upload

    def _open(self, at: _Key, how: int) -> Upload:
        path = self._spool / f"{at[0]:016x}-{at[1] & 0xFFFFFFFFFFFFFFFF:016x}-{'big' if at[2] else 'small'}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | how, 0o600)
        return Upload(path, descriptor, self.keep if at[2] else Keep.CONTENT)

    def _forget_idle(self, *, room: bool) -> None:
        """Forget what nobody goes on with; `room`: also the longest idle, if it takes a new one's place."""
        while self._uploads:
            at, oldest = next(iter(self._uploads.items()))
            full = room and len(self._uploads) >= _KEPT_UPLOADS
            if not full and oldest.used_at + UPLOAD_LASTS_S > self._clock.now():
                return
            self._close(at)
            oldest.path.unlink(missing_ok=True)

    def _close(self, at: _Key) -> None:
        upload = self._uploads.pop(at)
        os.close(upload.descriptor)
        if self._ledger.keeps:
            for part in upload.sizes:
                self._ledger.put("part", _row(at, part), None)

    def resume(self, row: str, size: int, total: int) -> Path:
        """Take up what a ledger says of a part that came before a restart. Gives the file that it lies in."""
        key_id, file_id, big, part = map(int, row.split("/"))
        at = (key_id, file_id, bool(big))
        if at not in self._uploads:
            self._uploads[at] = self._open(at, 0)
        upload = self._uploads[at]
        upload.used_at = self._clock.now()
        upload.total = max(upload.total, total)
        upload.fit(part, size)
        return upload.path

    def finish(self, key_id: int, file_id: int, parts: int, *, big: bool, md5_checksum: str = "") -> Blob:
        """The content of an upload. Raises PartRefused. May be asked for again, as sendMedia may."""
        at = (key_id, file_id, big)
        if at in self._finished:
            return self._finished[at]
        self._forget_idle(room=False)
        upload = self._uploads.get(at)
        if upload is None:
            raise PartRefused("FILE_PART_0_MISSING" if parts else "FILE_PARTS_INVALID")
        blob = upload.finish(parts)
        if not big and blob.size_bytes > MAX_SMALL_BYTES:
            raise PartRefused("FILE_PARTS_INVALID")
        if md5_checksum and md5_checksum.lower() != blob.md5():
            raise PartRefused("MD5_CHECKSUM_INVALID")
        self._close(at)
        # its file id may come again one day, and must not write over it
        blob = replace(blob, path=blob.path.rename(self._spool / secrets.token_hex(16)))
        self._finished[at] = blob
        while len(self._finished) > _KEPT_UPLOADS:
            self._finished.popitem(last=False)
        return blob

    def close(self) -> None:
        """Close every file that is open; parts stay for the next start."""
        while self._uploads:
            os.close(self._uploads.popitem()[1].descriptor)


def _row(at: _Key, part: int) -> str:
    """Under what a ledger keeps a part."""
    return f"{at[0]}/{at[1]}/{at[2]:d}/{part:05d}"
