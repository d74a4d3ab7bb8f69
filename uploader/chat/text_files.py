"""Text files that people send for the links in them. Whatever is in such a file: only links are read."""

import codecs
from typing import Any, Final

from telethon.tl import types

from uploader.limits import TEXT_FILE_BYTES

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAME_CHARACTERS: Final = 60


def name_of(message: Any) -> str | None:
    """The name of a message's file if it is a text that may be read; None: it is none."""
    document = getattr(message.media, "document", None)
    if not isinstance(document, types.Document) or document.size > TEXT_FILE_BYTES:
        return None
    names = [
        str(each.file_name)
        for each in document.attributes
        if isinstance(each, types.DocumentAttributeFilename)
    ]
    name = names[0] if names else ""
    if document.mime_type != "text/plain" and not name.lower().endswith(".txt"):
        return None
    return name.rpartition("/")[2][:_NAME_CHARACTERS] or "links.txt"


def text_of(content: bytes) -> str:
    """What is written in a file; bytes that are none of its encoding are replaced."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content.removeprefix(bom).decode(encoding, errors="replace")
    return content.decode(errors="replace")
