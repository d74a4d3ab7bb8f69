"""What strangers named, within our texts: it is sent as code, in which Telegram looks for nothing.

Elsewhere Telegram makes links, mentions, tags and commands of names such as `@durov.mp4` and `evil.com`:
https://core.telegram.org/api/entities. Marks go with the text until it is sent. They are noncharacters, which
Unicode keeps for such use, and are taken out of whatever comes from outside. Pure.
"""

import re
from typing import Final

from uploader.model import Caption, Entity

#: https://core.telegram.org/api/config#message-length-max, in UTF-16 code units
TEXT_UNITS: Final = 4096
#: More of them are not seen: https://limits.tginfo.me/en
MOST_ENTITIES: Final = 100

_OPEN: Final = "\ufdd0"
_CLOSE: Final = "\ufdd1"
_MARKS: Final = re.compile(f"[{_OPEN}{_CLOSE}]")
_QUOTED: Final = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


class Said(str):
    """A text of ours, in which what strangers named is marked."""

    __slots__ = ()


def quoted(words: str) -> Said:
    """Strangers' words, marked; what is marked already stays as it is."""
    if isinstance(words, Said):
        return words
    words = bare(words)
    return Said(f"{_OPEN}{words}{_CLOSE}" if words.strip() else words)


def bare(text: str) -> str:
    """The text without marks: for buttons, which hold no entities and in which Telegram looks for nothing."""
    return _MARKS.sub("", text)


def spoken(text: str) -> Caption:
    """The text as it is sent, within the limits of a message: what is marked is code."""
    plain, entities = "", list[Entity]()
    for number, piece in enumerate(_QUOTED.split(text)):
        piece = _cut(bare(piece), TEXT_UNITS - units(plain))
        if number % 2 and len(entities) == MOST_ENTITIES:
            break
        if number % 2 and piece:
            entities.append(Entity(kind="code", offset=units(plain), length=units(piece)))
        plain += piece
    return Caption(text=plain, entities=tuple(entities))


def units(text: str) -> int:
    """The length of `text` in UTF-16 code units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, most: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore")
