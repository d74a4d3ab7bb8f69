"""yt-dlp's extractors, asked which of them a link belongs to. No network, no plugins.

Asking all 1750 takes milliseconds. Most of their patterns need a text that stands in every match (a domain,
as a rule), so only those whose text stands in the link are asked, in yt-dlp's own order. The texts are looked
up by how they begin, at each place of the link.

Also a program, `python -I start.py extractors`: a line with the JSON of a link in, one with the name out. For
that, only the standard library and yt-dlp are imported.
"""

import json
import re
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from yt_dlp import YoutubeDL
from yt_dlp import globals as yt_dlp_settings

#: The one that looks for media on any page.
GENERIC: Final = "generic"
#: What an extractor defines, by yt-dlp's documentation, to say which links are its own: one pattern or more.
_PATTERN_FIELD: Final = "_VALID_URL"
#: Shorter literals stand in too many links to tell anything.
_CHARACTERS: Final = 5
_NOTHING: Final = frozenset[str]()

_FLAGS: Final = re.compile(r"\s*\(\?([a-z]+)\)")
_BLANK: Final = re.compile(r"\s+|#[^\n]*")
_TOKEN: Final = re.compile(
    r"""
      \\(?P<escaped>.) | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<unknown>\(\?\(|\(\?P=) | (?P<aside>\(\?[=!]|\(\?<[=!])
    | (?P<open>\((?:\?(?:P<\w+>|(?P<flags>[a-z]*):))?)
    | (?P<close>\)) | (?P<or>\|) | (?P<times>(?:[*?+]|\{\d*,?\d*\})[?+]?) | (?P<any>[.^$]) | (?P<letter>[^\\])
    """,
    re.DOTALL | re.VERBOSE,
)


class Extractors:
    """All extractors that yt-dlp tries, in its order. Making one takes half a second."""

    def __init__(self) -> None:
        self._extractors = _in_order()
        places: dict[str, list[int]] = {}
        for place, extractor in enumerate(self._extractors):
            for text in {text for each in _patterns(extractor) for text in needed(each) or {""}}:
                places.setdefault(text, []).append(place)
        self._always = places.pop("", [])
        self._places: dict[str, list[tuple[str, list[int]]]] = {}
        for text, found in places.items():
            self._places.setdefault(text[:_CHARACTERS], []).append((text, found))

    def choose(self, url: str) -> str:
        """The name of the extractor that yt-dlp takes for `url`: `youtube`, `vimeo:album`, ... `generic`."""
        folded = url.casefold()
        beginnings = {folded[at : at + _CHARACTERS] for at in range(len(folded) - _CHARACTERS + 1)}
        texts = chain.from_iterable(self._places[each] for each in beginnings & self._places.keys())
        named = [places for text, places in texts if text in folded]
        for place in sorted({*self._always, *chain.from_iterable(named)}):
            if self._extractors[place].suitable(url):
                return str(self._extractors[place].IE_NAME)
        return GENERIC


def main() -> None:
    """Name the extractors of links until there are no more."""
    extractors = Extractors()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(extractors.choose(json.loads(line))) + "\n")
        sys.stdout.flush()


def _patterns(extractor: Any) -> tuple[str, ...]:
    patterns = getattr(extractor, _PATTERN_FIELD, None) or ()
    return (patterns,) if isinstance(patterns, str) else tuple(patterns)


def _in_order() -> list[Any]:
    """The extractors that `YoutubeDL` takes by default: those that are switched off are not among them."""
    yt_dlp_settings.plugin_dirs.value = []

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


def needed(pattern: str) -> frozenset[str]:
    """Texts, folded, of which at least one stands in every match of `pattern`; none: any text may match."""
    flags = _FLAGS.match(pattern)
    body = pattern[flags.end() :] if flags else pattern
    try:
        return _alternatives(_tokens(body, blanks="x" in flags[1] if flags else False))
    except ValueError:
        return _NOTHING


def _alternatives(tokens: Iterator[tuple[str, str]]) -> frozenset[str]:
    """What the alternatives up to the closing bracket need together."""
    branches = [_Branch()]
    for kind, text in tokens:
        branch = branches[-1]
        if kind == "close":
            break
        if kind == "or":
            branches.append(_Branch())
        elif kind == "letter" or (kind == "escaped" and not text.isalnum()):
            branch.add(text)
        elif kind in {"open", "aside"}:
            inner = _alternatives(tokens)
            branch.add_group(inner if kind == "open" else _NOTHING)
        elif kind == "times":
            branch.repeat(at_least_once=text[0] == "+")
        else:
            branch.add_group(_NOTHING)
    needs = [branch.need() for branch in branches]
    return _NOTHING.union(*needs) if all(needs) else _NOTHING


class _Branch:
    """One alternative: what stands in it one after the other."""

    def __init__(self) -> None:
        self._parts: list[frozenset[str]] = []
        self._run = ""
        self._grows = False  # whether the next letter belongs to the run

    def add(self, letter: str) -> None:
        if not self._grows:
            self._parts.append(frozenset({self._run}))
            self._run = ""
        self._run += letter
        self._grows = True

    def add_group(self, need: frozenset[str]) -> None:
        self._parts += [frozenset({self._run}), need]
        self._run = ""
        self._grows = False

    def repeat(self, *, at_least_once: bool) -> None:
        """The last letter or group may be missing, or stand there more than once."""
        if not at_least_once and self._grows:
            self._run = self._run[:-1]
        elif not at_least_once:
            self._parts.pop()
        self._grows = False

    def need(self) -> frozenset[str]:
        """The part that tells most: the one whose shortest text is longest."""
        parts = [frozenset(map(str.casefold, part)) for part in (*self._parts, {self._run}) if part]
        best = max(parts, key=lambda part: min(map(len, part)))
        return best if min(map(len, best)) >= _CHARACTERS else _NOTHING


def _tokens(body: str, *, blanks: bool) -> Iterator[tuple[str, str]]:
    """The parts of a pattern; with `blanks`, white space and comments are none of it.

    Raises:
        ValueError: it has a part that is beyond us.
    """
    at = 0
    while at < len(body):
        blank = _BLANK.match(body, at) if blanks else None
        if blank is not None:
            at = blank.end()
            continue
        match = _TOKEN.match(body, at)
        verbose = match is not None and "x" in (match["flags"] or "")
        if match is None or match["unknown"] or (verbose and at):
            raise ValueError(body[at:])
        blanks = blanks or verbose
        at = match.end()
        kind = str(match.lastgroup)
        yield kind, match[kind]


if __name__ == "__main__":
    main()
