"""Documents: content of the spool that messages show."""

import hmac
import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.world.uploads import Blob


@dataclass(frozen=True, eq=False, slots=True)
class Document:
    """A file as sent. `attributes` are TL objects."""

    id: int
    blob: Blob
    mime_type: str
    attributes: tuple[Any, ...]
    #: the data centre where it lies
    dc_id: int
    created_at: int = field(default_factory=lambda: int(time.time()))


class Documents:
    """All documents, by id."""

    def __init__(self) -> None:
        self._documents: dict[int, Document] = {}
        self._ids = itertools.count(6_000_000_000_000_000_001)
        self._secret = secrets.token_bytes(16)

    def add(self, blob: Blob, mime_type: str, attributes: tuple[Any, ...], dc_id: int) -> Document:
        """Make a document of content."""
        document = Document(next(self._ids), blob, mime_type, attributes, dc_id)
        self._documents[document.id] = document
        return document

    def get(self, document_id: int) -> Document | None:
        """The document with this id."""
        return self._documents.get(document_id)

    def reference(self, document: Document) -> bytes:
        """The file_reference: proof that the document was seen in a message."""
        return hmac.digest(self._secret, str(document.id).encode(), "sha256")[:16]
