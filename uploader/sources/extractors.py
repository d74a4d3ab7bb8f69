"""yt-dlp's extractors, asked which of them a link belongs to. No network, no plugins.

Asking all 1750 takes milliseconds. Most of their patterns need a text that stands in every match (a domain,
as a rule), so only those whose text stands in the link are asked, in yt-dlp's own order.
"""

from functools import cache
from itertools import chain
from typing import Any, Final

from uploader.sources.literals import needed

#: What an extractor defines, by yt-dlp's documentation, to say which links are its own: one pattern or more.
_PATTERN_FIELD: Final = "_VALID_URL"
_GENERIC: Final = "generic"


class Extractors:
    """All extractors that yt-dlp tries, in its order. Making one takes half a second."""

    def __init__(self) -> None:
        self._extractors = _in_order()
        places: dict[str, list[int]] = {}
        for place, extractor in enumerate(self._extractors):
            for text in {text for each in _patterns(extractor) for text in needed(each) or {""}}:
                places.setdefault(text, []).append(place)
        self._always = places.pop("", [])
        self._places = places

    def choose(self, url: str) -> str:
        """The name of the extractor that yt-dlp takes for `url`: `youtube`, `vimeo:album`, ... `generic`."""
        folded = url.casefold()
        named = [places for text, places in self._places.items() if text in folded]
        for place in sorted({*self._always, *chain.from_iterable(named)}):
            if self._extractors[place].suitable(url):
                return str(self._extractors[place].IE_NAME)
        return _GENERIC


@cache
def extractors() -> Extractors:
    """The extractors of the installed yt-dlp, read once in a process."""
    return Extractors()


def is_generic(name: str | None) -> bool:
    """Whether that extractor looks for media on any page."""
    return name == _GENERIC


def _patterns(extractor: Any) -> tuple[str, ...]:
    patterns = getattr(extractor, _PATTERN_FIELD, None) or ()
    return (patterns,) if isinstance(patterns, str) else tuple(patterns)


def _in_order() -> list[Any]:
    """The extractors that `YoutubeDL` takes by default: those that are switched off are not among them."""
    # imported here: most of the engine's programs never need it
    from yt_dlp import YoutubeDL
    from yt_dlp import globals as settings

    settings.plugin_dirs.value = []

    class Listing(YoutubeDL):  # type: ignore[misc] # yt-dlp has no types
        def __init__(self) -> None:
            self.listed: list[Any] = []
            super().__init__({"quiet": True, "cachedir": False}, auto_init=False)
            self.add_default_info_extractors()

        def add_info_extractor(self, ie: Any) -> None:
            self.listed.append(ie)

    with Listing() as listing:
        listed: list[Any] = listing.listed
    return listed
