"""What the server makes of plain text: links, mentions, tags, commands. It leaves code and links alone.

https://core.telegram.org/api/entities. The real one knows the ends of domains and looks at more neighbours;
this one takes any ending of two letters or more for a domain, so it finds more rather than less.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from telethon.tl import types

_FINDERS: Final = (
    (types.MessageEntityEmail, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (types.MessageEntityUrl, re.compile(r"(?:https?|tg|ton|ftp)://\w[^\s\u2066-\u2069]+")),
    (types.MessageEntityUrl, re.compile(r"(?<![\w@])(?:[\w-]+\.)+[^\W\d_]{2,}(?:[/?#][^\s\u2066-\u2069]*)?")),
    (types.MessageEntityMention, re.compile(r"(?<![\w@])@[A-Za-z]\w{2,31}")),
    (types.MessageEntityHashtag, re.compile(r"(?<![\w#])#(?!\d+\b)\w+")),
    (types.MessageEntityCashtag, re.compile(r"(?<![\w$])\$[A-Z]{1,8}\b")),
    (types.MessageEntityBotCommand, re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?")),
    (types.MessageEntityBankCard, re.compile(r"(?<!\d)(?:\d[ -]?){13,19}(?!\d)")),
    (types.MessageEntityPhone, re.compile(r"(?<!\w)\+\d{10,15}\b")),
)
_QUIET: Final = (
    types.MessageEntityCode,
    types.MessageEntityPre,
    types.MessageEntityTextUrl,
    types.MessageEntityMentionName,
)


def linked(text: str, entities: Sequence[Any]) -> tuple[Any, ...]:
    """The entities of a message: those that its sender gave, and those that are found in its text."""
    taken = [(each.offset, each.offset + each.length) for each in entities if isinstance(each, _QUIET)]
    found = list(entities)
    for kind, finder in _FINDERS:
        for match in finder.finditer(text):
            start, end = _units(text[: match.start()]), _units(text[: match.end()])
            if all(end <= first or start >= last for first, last in taken):
                taken.append((start, end))
                found.append(kind(start, end - start))
    return tuple(sorted(found, key=lambda entity: (entity.offset, -entity.length)))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
