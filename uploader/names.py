"""File names that are safe to show, to send and to save on any system. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pathvalidate import Platform, sanitize_filename

#: Telegram cuts or rewrites longer names: https://github.com/tginfo/Telegram-Limits/issues/154
NAME_CHARACTERS: Final = 60
#: Under the 255 bytes of most file systems, with room for a suffix of the receiver's.
NAME_BYTES: Final = 240

_LAST_RESORT: Final = "file"
#: ".001"
_NUMBER_CHARACTERS: Final = 4
_ZWNJ: Final = "\u200c"
#: Letters and marks by name, blank to the eye: Hangul fillers and the empty Braille cell.
_BLANK: Final = "\u115f\u1160\u3164\uffa0\u2800"
_EDGE: Final = " .-" + _ZWNJ
_EXTENSION: Final = re.compile(r"(?:\.tar)?\.(?:[0-9]{3}|(?=[0-9]*[a-z])[a-z0-9]{1,10})", re.IGNORECASE)

#: Python's own table differs from version to version and lacks half of these.
_EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "application/epub+zip": ".epub",
        "application/gzip": ".gz",
        "application/json": ".json",
        "application/msword": ".doc",
        "application/pdf": ".pdf",
        "application/vnd.android.package-archive": ".apk",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
        "application/vnd.rar": ".rar",
        "application/x-7z-compressed": ".7z",
        "application/x-bittorrent": ".torrent",
        "application/x-rar-compressed": ".rar",
        "application/x-tar": ".tar",
        "application/x-xz": ".xz",
        "application/xml": ".xml",
        "application/zip": ".zip",
        "audio/aac": ".aac",
        "audio/flac": ".flac",
        "audio/mp4": ".m4a",
        "audio/mpeg": ".mp3",
        "audio/ogg": ".ogg",
        "audio/opus": ".opus",
        "audio/wav": ".wav",
        "audio/x-m4a": ".m4a",
        "audio/x-wav": ".wav",
        "image/avif": ".avif",
        "image/gif": ".gif",
        "image/jpeg": ".jpg",
        "image/png": ".png",
        "image/svg+xml": ".svg",
        "image/webp": ".webp",
        "text/csv": ".csv",
        "text/html": ".html",
        "text/plain": ".txt",
        "text/vtt": ".vtt",
        "video/mp2t": ".ts",
        "video/mp4": ".mp4",
        "video/mpeg": ".mpg",
        "video/quicktime": ".mov",
        "video/webm": ".webm",
        "video/x-flv": ".flv",
        "video/x-matroska": ".mkv",
        "video/x-msvideo": ".avi",
    }
)


def safe_name(raw: str, *, fallback: str, mime_type: str | None) -> str:
    """A name for the file that `raw` (a header, a title, the end of a URL) names.

    The last step of a path, NFC, one line, without invisible characters (ZWNJ stays between Arabic
    letters: Persian is misspelt without it), without a leading dot or dash, without characters and names
    that Windows reserves; at most NAME_CHARACTERS and NAME_BYTES of UTF-8. The stem is cut, never the
    extension. A name without extension gets the one of `mime_type`, where that is known. `fallback` is
    taken when nothing is left of `raw`. `safe_name` of its own answer changes nothing.
    """
    name = _visible(raw) or _visible(fallback) or _LAST_RESORT
    if not _extension_at(name):
        name = _fitting(name, _EXTENSIONS.get(mime_type or "", ""))
    safe = sanitize_filename(_fitting(name), replacement_text="_", platform=Platform.UNIVERSAL)
    return _fitting(str(safe))  # it grew, if it was a name that Windows reserves


def renamed(name: str, wanted: str, mime_type: str | None) -> str:
    """What a file called `name` is called when its person wants `wanted`: safe, its extension kept if none
    is given."""
    at = _extension_at(name)
    asked = _visible(wanted)
    if asked and not _extension_at(asked):
        asked = _fitting(asked, name[at:] if at else "")
    return safe_name(asked, fallback=name, mime_type=mime_type)


def joined_name(name: str) -> str:
    """The name of a file that was sent in volumes: `name`, cut so far that their names are not cut."""
    return _cut_for(name, _NUMBER_CHARACTERS)


def volume_name(name: str, number: int) -> str:
    """The name of volume `number` (from 1) of a file, as all programs that join volumes know it."""
    return f"{joined_name(name)}.{number:03}"


def piece_name(name: str, number: int) -> str:
    """The name of piece `number` (from 1) of a film that plays by itself: it keeps the extension."""
    mark = f".part{number}"
    name = _cut_for(name, len(mark))
    cut = _extension_at(name) or len(name)
    return name[:cut] + mark + name[cut:]


def _cut_for(name: str, characters: int) -> str:
    """`name` with room for so many more characters; the stem is cut."""
    cut = _extension_at(name) or len(name)
    stem, extension = name[:cut], name[cut:]
    rest = characters + len(extension)
    return _shortened(stem, NAME_CHARACTERS - rest, NAME_BYTES - rest) + extension


def _visible(raw: str) -> str:
    """The last step of the path `raw`, on one line, without what cannot be seen."""
    steps = [one_line(step).strip(_EDGE) for step in re.split(r"[/\\]", raw)]
    return next((step for step in reversed(steps) if step), "")


def one_line(text: str) -> str:
    """`text` as a safe name has it: NFC, on one line, without what cannot be seen."""
    if text.isascii() and text.isprintable():  # as most are, and it is asked often
        return re.sub(" +", " ", text).strip()
    text = re.sub(r"\s", " ", unicodedata.normalize("NFC", text))
    kept: list[str] = []
    for at, character in enumerate(text):
        if character == _ZWNJ:
            joins = _is_arabic(text[at + 1 : at + 2]) and _is_arabic(_last_base(kept))
        else:
            joins = unicodedata.category(character)[0] != "C" and character not in _BLANK
        if joins:
            kept.append(character)
    line = re.sub(" +", " ", "".join(kept))
    return unicodedata.normalize("NFC", line).strip()


def _last_base(kept: list[str]) -> str:
    """The last character that is no mark on another."""
    return next((each for each in reversed(kept) if unicodedata.category(each) != "Mn"), "")


def _is_arabic(character: str) -> bool:
    """Whether it is a letter of an Arabic script."""
    return unicodedata.bidirectional(character) == "AL" if character else False


def _extension_at(name: str) -> int:
    """Where the extension of `name` begins; 0 without one (an extension needs a stem)."""
    at = name.rfind(".")
    if at > 4 and name[at - 4 : at].lower() == ".tar":
        at -= 4
    return at if at > 0 and _EXTENSION.fullmatch(name, at) else 0


def _fitting(name: str, extension: str = "") -> str:
    """`name` with its own extension, or with this one, within both bounds."""
    cut = _extension_at(name)
    stem, extension = (name[:cut], name[cut:]) if cut else (name, extension)
    return _shortened(stem, NAME_CHARACTERS - len(extension), NAME_BYTES - len(extension)) + extension


def _shortened(stem: str, characters: int, size_bytes: int) -> str:
    """`stem` cut to both bounds, not inside a letter with its marks."""
    end = min(len(stem), characters)
    while len(stem[:end].encode()) > size_bytes:
        end -= 1
    while 0 < end < len(stem) and unicodedata.category(stem[end])[0] == "M":
        end -= 1
    return stem[:end].rstrip(_EDGE) or _LAST_RESORT
