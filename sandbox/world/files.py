"""Documents and photos: content of the spool that messages show."""

import hmac
import itertools
import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sandbox.world.clock import Clock
from sandbox.world.uploads import Blob

#: "A few hours", 2 to 3 in the field (https://core.telegram.org/api/file-references, tdlib/td#3493).
REFERENCE_S: Final = 2 * 3600.0
_HEAD: Final = struct.Struct("<QI")
_MAC_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG in the spool."""

    blob: Blob
    width: int
    height: int


@dataclass(frozen=True, eq=False, slots=True)
class Document:
    """A file as sent. `attributes` are TL objects."""

    kind: ClassVar[str] = "document"

    id: int
    blob: Blob
    mime_type: str
    attributes: tuple[Any, ...]
    created_at: int
    #: the data centre where it lies
    dc_id: int
    thumb: Picture | None = None

    @property
    def key(self) -> str:
        return f"{self.id:020d}"


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """A photo. Telegram would make several sizes of it; here it has the one that was sent."""

    kind: ClassVar[str] = "photo"

    id: int
    picture: Picture
    created_at: int
    dc_id: int

    @property
    def key(self) -> str:
        return f"{self.id:020d}"


class ReferenceRefused(Exception):
    """A file_reference is no good: EMPTY, INVALID or EXPIRED."""


class Files:
    """All documents and photos, by id. `secret` makes their references."""

    def __init__(self, clock: Clock) -> None:
        self.secret = secrets.token_bytes(16)
        #: references of an earlier era are expired
        self.era = 0
        self._clock = clock
        self._files: dict[int, Document | Photo] = {}
        self._ids = itertools.count(6_000_000_000_000_000_001)

    def __iter__(self) -> Iterator[Document | Photo]:
        return iter(self._files.values())

    def new_id(self) -> int:
        """An id that no file has."""
        return next(number for number in self._ids if number not in self._files)

    def add(self, file: Document | Photo) -> None:
        """Enter a new file."""
        self._files[file.id] = file

    def document(self, document_id: int) -> Document | None:
        """The document with this id."""
        found = self._files.get(document_id)
        return found if isinstance(found, Document) else None

    def photo(self, photo_id: int) -> Photo | None:
        """The photo with this id."""
        found = self._files.get(photo_id)
        return found if isinstance(found, Photo) else None

    def reference(self, file: Document | Photo) -> bytes:
        """A file_reference: proof that the file was seen in a message not long ago."""
        head = _HEAD.pack(int(self._clock.now() + REFERENCE_S), self.era)
        return head + self._mac(file, head)

    def _mac(self, file: Document | Photo, head: bytes) -> bytes:
        return hmac.digest(self.secret, head + str(file.id).encode(), "sha256")[:_MAC_BYTES]

    def check_reference(self, file: Document | Photo, reference: bytes) -> None:
        """Raises ReferenceRefused."""
        if not reference:
            raise ReferenceRefused("EMPTY")
        head, mac = reference[: _HEAD.size], reference[_HEAD.size :]
        if len(head) < _HEAD.size or not hmac.compare_digest(mac, self._mac(file, head)):
            raise ReferenceRefused("INVALID")
        until, era = _HEAD.unpack(head)
        if until <= self._clock.now() or era != self.era:
            raise ReferenceRefused("EXPIRED")
