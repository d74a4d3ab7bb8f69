"""What yt-dlp found, as `messages.Film` has it. It imports only yt-dlp and the standard library."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

from yt_dlp.utils import ISO639Utils

TEXT_CHARACTERS: Final = 500
LINK_CHARACTERS: Final = 8000
FORMATS: Final = 1000
SUBTITLES: Final = 40
#: In the order of preference; what else sites have (json3, ttml, ...) ffmpeg does not read.
_READABLE: Final = ("vtt", "srt", "ass", "ssa")
_LANGUAGE: Final = re.compile(r"\w[\w .-]{0,39}")

Track = dict[str, Any]


def formats_of(info: dict[str, Any]) -> list[Track]:
    """The formats of a film, from the worst to the best."""
    return list((info.get("formats") or [info])[-FORMATS:])


def subtitles_of(info: dict[str, Any]) -> dict[str, Track]:
    """The subtitles that ffmpeg reads, by language: what people wrote, then what was heard by a machine."""
    return dict(islice(_subtitles(info), SUBTITLES))


def film_of(
    info: dict[str, Any],
    formats: Sequence[Track],
    subtitles: dict[str, Track],
    cookie_of: Callable[[str], str | None],
) -> dict[str, Any]:
    """Everything that is told of a film; `cookie_of` a link is what is said to its host."""
    return {
        "title": _title(info),
        "uploader": _text(info.get("uploader") or info.get("channel") or info.get("artist")),
        "duration_s": _number(info.get("duration")),
        "live_status": _text(info.get("live_status")),
        "thumbnail": _link(info.get("thumbnail")),
        "extractor": _text(info.get("extractor")),
        "date": _text(info.get("release_date") or info.get("upload_date")),
        "subtitles": [{"language": each, "code": _language_code(each)} for each in subtitles],
        "formats": [_format(each, cookie_of) for each in formats],
    }


def _format(given: Track, cookie_of: Callable[[str], str | None]) -> dict[str, Any]:
    url = _link(given.get("url"))
    options = given.get("downloader_options") or {}
    return {
        "id": _text(given.get("format_id")) or "",
        "url": url or "",
        "protocol": _text(given.get("protocol")) or "",
        "ext": _text(given.get("ext")) or "",
        "video": _codec(given.get("vcodec")),
        "audio": _codec(given.get("acodec")),
        "width": _number(given.get("width")),
        "height": _number(given.get("height")),
        "fps": _number(given.get("fps")),
        "language": _text(given.get("language")),
        "size_bytes": _number(given.get("filesize")),
        "about_bytes": _number(given.get("filesize_approx")),
        "chunk_bytes": _number(options.get("http_chunk_size")),
        "quality": _number(given.get("quality")),
        "kbps": _number(given.get("tbr")),
        "available_at": _number(given.get("available_at")),
        "has_drm": given.get("has_drm") is True,
        "headers": {
            str(name): str(value) for name, value in (given.get("http_headers") or {}).items() if value
        },
        "cookie": cookie_of(url) if url else None,
    }


def _title(info: dict[str, Any]) -> str | None:
    """The title, without the count that yt-dlp puts behind that of a page for each film on it."""
    title = _text(info.get("title"))
    return title.removesuffix(" (1)") if title and info.get("extractor") == "html5" else title


def _subtitles(info: dict[str, Any]) -> Iterator[tuple[str, Track]]:
    """Each language once; of what a machine heard, the language that is spoken: of others there is no end."""
    written = info.get("subtitles") or {}
    heard = {
        language: tracks
        for language, tracks in (info.get("automatic_captions") or {}).items()
        if language not in written and (language == info.get("language") or language.endswith("-orig"))
    }
    for language, tracks in chain(written.items(), heard.items()):
        readable = [each for each in tracks or () if each.get("ext") in _READABLE]
        if readable and _LANGUAGE.fullmatch(language):
            yield language, min(readable, key=lambda each: _READABLE.index(each["ext"]))


def _language_code(language: str) -> str:
    """The language in the three letters that containers know; "und" if it has none."""
    first = re.split(r"[^a-z]", language.lower())[0]
    return (ISO639Utils.short2long(first) or "und") if len(first) == 2 else "und"


def _text(value: Any) -> str | None:
    return str(value)[:TEXT_CHARACTERS] if isinstance(value, str | int) else None


def _link(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= LINK_CHARACTERS else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and 0 < value < 1e15 else None


def _codec(value: Any) -> str | None:
    """The codec; "" when the format has no such track, None when that is unknown."""
    return "" if value == "none" else _text(value)
