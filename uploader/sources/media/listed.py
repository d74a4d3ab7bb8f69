"""What yt-dlp found of a list, as `messages.Listed` has it. It imports only the standard library."""

from collections.abc import Sequence
from typing import Any, Final

#: Entries of a list that are looked at; sites give them a page at a time.
ENTRIES: Final = 500
_TITLE_CHARACTERS: Final = 120
_LINK_CHARACTERS: Final = 2048

Entry = dict[str, Any]


def distinct(entries: Sequence[Entry], page: str) -> list[Entry]:
    """Entries that lead to different things; `page` is the address of the list itself."""
    return list({link_of(entry, page) or number: entry for number, entry in enumerate(entries)}.values())


def list_of(info: Entry, entries: Sequence[Entry], page: str) -> dict[str, Any]:
    """Everything that is told of a list with these entries, of which one may be too many."""
    shown = entries[:ENTRIES]
    return {
        "title": _text(info.get("title")),
        "is_whole": len(entries) <= ENTRIES,
        "entries": [
            {
                "link": link_of(entry, page) or "",
                "title": _text(entry.get("title")) or "",
                "duration_s": _seconds(entry.get("duration")),
            }
            for entry in shown
        ],
    }


def link_of(entry: Entry, page: str) -> str | None:
    """By which address an entry can be asked for alone; a film within the page only by its own."""
    link = entry.get("url")
    if entry.get("_type", "video") == "video":
        formats = entry.get("formats") or [entry]
        own = entry.get("webpage_url")
        link = own if own and own != page else formats[-1].get("manifest_url") or formats[-1].get("url")
    return link if isinstance(link, str) and len(link) <= _LINK_CHARACTERS else None


def _text(value: Any) -> str | None:
    return str(value)[:_TITLE_CHARACTERS] if isinstance(value, str | int) else None


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else None
