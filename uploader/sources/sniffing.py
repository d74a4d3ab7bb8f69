"""What a file is by its first bytes, whatever its header and its name say. Pure; the bytes are hostile.

Only what is certain counts: a name is corrected when its extension belongs to one kind of file, and the bytes
to another. Of bytes that tell nothing, header and name are believed.
"""

import re
from dataclasses import dataclass
from typing import Final

import puremagic

from uploader.sources.answers import LISTS, OCTET_STREAM, PAGES, mime_type_of_name

#: So many bytes are asked for: enough for all that is told by a beginning.
HEAD_BYTES: Final = 4096

_HTML: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]{0,200}>|<!--.{0,2000}?-->)*<(?:!doctype\s+html|html|head|body|title)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_LIST: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*#EXTM3U")
_TS_PACKET_BYTES: Final = 188
#: Two bytes say little: many files begin with them by chance.
_LEAST_CONFIDENCE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Kind:
    """Files of one make: their type, and the extensions that they go by, the usual one first."""

    mime_type: str
    extensions: tuple[str, ...]


def _kind(mime_type: str, extensions: str) -> Kind:
    return Kind(mime_type, tuple(f".{each}" for each in extensions.split()))


_MP4: Final = _kind("video/mp4", "mp4 m4v mov m4a m4b m4r qt 3gp 3g2 f4v f4a heic heif avif cr3 jp2 mj2")
_SONG: Final = Kind("audio/mp4", (".m4a", *_MP4.extensions))
_TS: Final = _kind("video/mp2t", "ts m2ts mts m2t")
_KINDS: Final = (
    _MP4,
    _TS,
    _kind("video/x-matroska", "mkv webm mka mk3d mks"),
    _kind("video/x-msvideo", "avi"),
    _kind("video/x-flv", "flv"),
    _kind("audio/mpeg", "mp3 mpga mp2 mp1"),
    _kind("audio/ogg", "ogg oga ogv opus spx ogx"),
    _kind("audio/flac", "flac"),
    _kind("audio/wav", "wav wave bwf"),
    _kind("image/jpeg", "jpg jpeg jpe jfif"),
    _kind("image/png", "png apng"),
    _kind("image/gif", "gif"),
    _kind("image/webp", "webp"),
    _kind("application/pdf", "pdf ai"),
    _kind(
        "application/zip", "zip jar apk apks xapk aab epub docx xlsx pptx odt ods odp cbz xpi crx ipa whl kmz"
    ),
    _kind("application/x-7z-compressed", "7z cb7"),
    _kind("application/vnd.rar", "rar cbr"),
    _kind("application/gzip", "gz tgz svgz"),
    _kind("application/x-xz", "xz txz"),
)


def kind_of(head: bytes) -> Kind | None:
    """The kind of file that begins with `head`; None: it does not tell."""
    if head[4:8] == b"ftyp":
        return _SONG if head[8:12] in {b"M4A ", b"M4B "} else _MP4
    if len(head) > 2 * _TS_PACKET_BYTES and set(head[: 2 * _TS_PACKET_BYTES + 1 : _TS_PACKET_BYTES]) == {
        0x47
    }:
        return _TS
    try:
        # without a name: that is not to be believed
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    sure = [match for match in found if match.confidence >= _LEAST_CONFIDENCE]
    named = (f".{match.extension.lstrip('.').lower()}" for match in sure)
    return next((kind for name in named for kind in _KINDS if name in kind.extensions), None)


def true_type(head: bytes, declared: str, name: str) -> str:
    """The type of a file that begins with `head`, is `declared` to be something, and is called `name`.

    A page or a list is recognised whatever it pretends to be, but for a text that is one on purpose.
    """
    by_name = mime_type_of_name(name)
    if _is_text(declared) and (by_name == OCTET_STREAM or _is_text(by_name)):
        return declared
    if _HTML.match(head):
        return "text/html"
    if _LIST.match(head):
        return declared if declared in LISTS else "application/vnd.apple.mpegurl"
    kind = kind_of(head)
    if kind is None:
        return by_name if declared == OCTET_STREAM else declared
    # many share a container: what says which one it is, is believed if it is one of these
    own = {kind.mime_type, *(mime_type_of_name(f"x{each}") for each in kind.extensions)}
    said = (
        each for each in (declared, by_name) if each in own and each != OCTET_STREAM and not _is_text(each)
    )
    return next(said, kind.mime_type)


def true_name(head: bytes, name: str) -> str:
    """`name`, without an extension that belongs to files of another kind than `head` begins."""
    stem, dot, extension = name.rpartition(".")
    kind, claimed = kind_of(head), f".{extension.lower()}"
    if kind is None or not (stem and dot) or claimed in kind.extensions:
        return name
    lies = any(claimed in each.extensions for each in _KINDS) or mime_type_of_name(name) in PAGES
    return f"{stem}{kind.extensions[0]}" if lies else name


def true_extension(mime_type: str, extension: str) -> str:
    """`extension`, unless files of a type that was found by their bytes have others: then the usual one."""
    if mime_type == OCTET_STREAM:
        return extension
    by_extension = {mime_type_of_name(f"x{each}"): each for kind in _KINDS for each in kind.extensions[::-1]}
    kind = next(
        (
            each
            for each in _KINDS
            if mime_type == each.mime_type or by_extension.get(mime_type) in each.extensions
        ),
        None,
    )
    if kind is None or extension in kind.extensions:
        return extension
    return by_extension.get(mime_type, kind.extensions[0])


def _is_text(mime_type: str) -> bool:
    return mime_type.startswith("text/") and mime_type not in PAGES
