"""What the data centre has seen: counters that tests and the demo read."""

import time
from array import array
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

#: Uploads that are remembered.
_REMEMBERED_UPLOADS: Final = 1000


@dataclass
class UploadRecord:
    """One file on its way in. Times are seconds since the epoch, when its first and its last part arrived."""

    file_id: int
    account_id: int
    first_part_at: float
    last_part_at: float
    size_bytes: int = 0
    #: see Blob; empty where the content was kept
    digest: str = ""
    #: how often each part arrived
    arrivals: "array[int]" = field(default_factory=lambda: array("H"))

    def as_json(self) -> dict[str, Any]:
        """The record without its parts, for the control port."""
        return {
            "file_id": self.file_id,
            "account_id": self.account_id,
            "size_bytes": self.size_bytes,
            "digest": self.digest,
            "parts": sum(1 for count in self.arrivals if count),
            "parts_received": sum(self.arrivals),
            "first_part_at": self.first_part_at,
            "last_part_at": self.last_part_at,
        }


@dataclass
class Stats:
    """Counters since the start. `calls` counts RPCs by method name, `floods` those that had to wait."""

    part_bytes: int = 0
    parts: int = 0
    messages: int = 0
    connections: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    floods: Counter[str] = field(default_factory=Counter)
    uploads: OrderedDict[int, UploadRecord] = field(default_factory=OrderedDict)

    def part_arrived(self, account_id: int, file_id: int, part: int, size_bytes: int) -> None:
        """Count one part of a file that was taken."""
        now = time.time()
        record = self.uploads.get(file_id)
        if record is None:
            record = self.uploads[file_id] = UploadRecord(file_id, account_id, now, now)
            while len(self.uploads) > _REMEMBERED_UPLOADS:
                self.uploads.popitem(last=False)
        if part >= len(record.arrivals):
            record.arrivals.extend([0] * (part + 1 - len(record.arrivals)))
        if not record.arrivals[part]:
            record.size_bytes += size_bytes
        record.arrivals[part] = min(record.arrivals[part] + 1, 0xFFFF)
        record.last_part_at = now
        self.part_bytes += size_bytes
        self.parts += 1

    def finished(self, file_id: int, digest: str) -> None:
        """Note what a file turned out to be."""
        if file_id in self.uploads:
            self.uploads[file_id].digest = digest

    def part_count(self, file_id: int, part: int) -> int:
        """How often this part of this file arrived."""
        record = self.uploads.get(file_id)
        return record.arrivals[part] if record is not None and part < len(record.arrivals) else 0

    def as_json(self) -> dict[str, Any]:
        """All counters, for the control port."""
        return {
            "part_bytes": self.part_bytes,
            "parts": self.parts,
            "messages": self.messages,
            "connections": self.connections,
            "calls": dict(self.calls),
            "floods": dict(self.floods),
        }
