"""Templates of captions: text with placeholders in, plain text with entities out. Pure.

The values are hostile.
"""

import re
import unicodedata
from collections.abc import Mapping
from itertools import takewhile
from string import Formatter
from typing import Final

from uploader.model import Caption, Entity

#: https://core.telegram.org/api/config#caption-length-limit-default; counted as UTF-16 does.
CAPTION_UNITS: Final = 1024
#: What a template may name.
FIELDS: Final = (
    *("name", "size", "host", "title", "performer", "duration"),
    *("resolution", "width", "height"),
)
#: How a value may be shown: `{title:bold}`.
STYLES: Final = ("bold", "italic", "code")

_CUT: Final = "…"
_JOINER: Final = "\u200d"
#: Where Telegram's servers begin to see links, mentions, tags and commands in plain text.
_LINKING: Final = re.compile(r"(?<=[@#$/.\u3002\uff0e\uff61])(?=\w|\Z)")
_WORD_JOINER: Final = "\u2060"


class Template:
    """One template. Its values are never read as a template, as markup, or as links."""

    def __init__(self, source: str) -> None:
        r"""`source`: text with `{field}` or `{field:style}`; `{{` is a brace, and `\n` a new line.

        Raises:
            ValueError: an unknown field or style, or a brace alone; says which.
        """
        self._lines = [_parsed(line) for line in source.replace("\\n", "\n").split("\n")]

    def fill(self, values: Mapping[str, str | None]) -> Caption:
        """The caption with these values. A line with a field that has no value is left out.

        It is at most CAPTION_UNITS long, and cut between characters as people see them.
        """
        text = ""
        entities: list[Entity] = []
        for line in self._lines:
            if any(field and not (values.get(field) or "").strip() for _, field, _ in line):
                continue
            text += "\n" if text else ""
            for literal, field, style in line:
                text += literal
                value = (values.get(field) or "").strip()
                if style != "code":  # in code, Telegram looks for nothing
                    value = _unlinked(value)
                if style:
                    entities.append(Entity(kind=style, offset=units(text), length=units(value)))
                text += value
        return _cut(text, entities)


def plain(text: str) -> Caption:
    """A caption of a person's own words, within the limit."""
    return _cut(text, [])


def _unlinked(text: str) -> str:
    """`text` in which Telegram sees no links, mentions, tags and commands; it looks the same.

    Only for operators' bold and italics, which code cannot be as well: all else is `quoting`.
    """
    return _LINKING.sub(_WORD_JOINER, text)


def units(text: str) -> int:
    """The length of `text` in UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _parsed(line: str) -> list[tuple[str, str, str]]:
    """Literals, each with the field and its style that follow, or with none."""
    parts = [
        (literal, field or "", style or "")
        for literal, field, style, conversion in Formatter().parse(line)
        if _is_known(field, style, conversion)
    ]
    if parts and parts[0][0]:
        parts[0] = (parts[0][0].lstrip(), *parts[0][1:])
    return parts


def _is_known(field: str | None, style: str | None, conversion: str | None) -> bool:
    if field is not None and (field not in FIELDS or conversion):
        raise ValueError(f"has an unknown placeholder {{{field}}}; known are {', '.join(FIELDS)}")
    if style and style not in STYLES:
        raise ValueError(f"has an unknown style {{{field}:{style}}}; known are {', '.join(STYLES)}")
    return True


def _cut(text: str, entities: list[Entity]) -> Caption:
    """Both, without blanks at the ends and within the limit; entities end where the text does."""
    text = text.strip()  # blanks at the beginning were none of any entity's: lines begin without
    if units(text) > CAPTION_UNITS:
        room = CAPTION_UNITS - len(_CUT)
        end = min(len(text), room)
        while units(text[:end]) > room:
            end -= 1
        text = text[: _boundary(text, end)].rstrip() + _CUT
    whole = units(text)
    kept = [
        Entity(kind=each.kind, offset=each.offset, length=min(each.length, whole - each.offset))
        for each in entities
        if each.length and each.offset < whole
    ]
    return Caption(text=text, entities=tuple(kept))


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` that is not inside a character as people see it."""
    while 0 < end < len(text) and _continues(text, end):
        end -= 1
    return end


def _continues(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before: a mark, a skin, a flag's half, what is joined.

    https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundary_Rules, without Hangul, which is NFC here.
    """
    character = text[at]
    if unicodedata.category(character)[0] == "M" or character == _JOINER or text[at - 1] == _JOINER:
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f":
        return True
    halves = sum(1 for _ in takewhile(_is_half_flag, reversed(text[:at])))
    return _is_half_flag(character) and halves % 2 == 1


def _is_half_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
