"""How a chat shows a file: a film that plays, a song, or a document."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from telethon.tl import types

from uploader.model import Caption, Document, MediaFacts, Uploaded

#: The one container that all clients play. https://core.telegram.org/api/files#uploading-files
_PLAYED: Final = frozenset({"video/mp4"})

_KINDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "bold": types.MessageEntityBold,
        "italic": types.MessageEntityItalic,
        "code": types.MessageEntityCode,
    }
)


def as_media(uploaded: Uploaded) -> Any:
    """The InputMedia of an uploaded file.

    Without `facts` it is a document, for Telegram would show a film as a black square of 0:00. So is a film
    in a container that not all clients play; it keeps its picture and its length.
    """
    facts, mime_type = uploaded.facts, uploaded.mime_type
    if facts is not None and facts.kind == "audio" and mime_type in _PLAYED:
        mime_type = "audio/mp4"  # a film's container, without a film
    plays = mime_type.startswith("audio/") or mime_type in _PLAYED
    attributes = [types.DocumentAttributeFilename(uploaded.name)]
    if facts is not None:
        attributes.append(_attribute(facts))
    return types.InputMediaUploadedDocument(
        file=_input_file(uploaded),
        thumb=None if uploaded.thumbnail is None else _input_file(uploaded.thumbnail),
        mime_type=mime_type,
        attributes=attributes,
        force_file=facts is None or not plays,
        # without a sound, Telegram would make a looping animation of it
        nosound_video=facts is not None and facts.silent,
    )


def as_known(document: Document) -> Any:
    """The InputMedia of a file that Telegram holds."""
    known = (document.id, document.access_hash, document.file_reference)
    if document.is_photo:
        return types.InputMediaPhoto(types.InputPhoto(*known))
    return types.InputMediaDocument(types.InputDocument(*known))


def as_entities(caption: Caption) -> list[Any] | None:
    """The entities of a message's text."""
    return [_KINDS[each.kind](each.offset, each.length) for each in caption.entities] or None


def _attribute(facts: MediaFacts) -> Any:
    if facts.kind == "audio":
        return types.DocumentAttributeAudio(
            duration=max(1, round(facts.duration_s)), title=facts.title, performer=facts.performer
        )
    return types.DocumentAttributeVideo(
        duration=facts.duration_s, w=facts.width, h=facts.height, supports_streaming=facts.streamable
    )


def _input_file(uploaded: Uploaded) -> Any:
    if uploaded.md5_hex is None:
        return types.InputFileBig(uploaded.file_id, uploaded.part_count, uploaded.name)
    return types.InputFile(uploaded.file_id, uploaded.part_count, uploaded.name, uploaded.md5_hex)
