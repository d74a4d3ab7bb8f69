"""Text from outside, made safe to show: no control characters, nothing that turns the writing direction.

Whoever shows the result must also keep Textual from reading markup in it (`Content`, `markup=False`).
"""

import unicodedata
from typing import Final

#: Joins Persian words without a space; of category Cf like the dangerous ones, and harmless.
ZERO_WIDTH_NON_JOINER: Final = "\u200c"

#: Format characters (bidi overrides and isolates among them) and surrogates: nothing is to be seen of them.
_UNSEEN: Final = frozenset({"Cf", "Cs"})

#: Control characters, line and paragraph separators.
_BREAKS: Final = frozenset({"Cc", "Zl", "Zp"})

#: Longer than any name that fits a screen; what is cut was never to be seen.
NAME_CHARACTERS: Final = 300
TEXT_CHARACTERS: Final = 4096  # of a message: https://core.telegram.org/method/messages.sendMessage


def name(text: str) -> str:
    """One line: what breaks it becomes a space, runs of spaces become one."""
    return " ".join("".join(map(_safe, text[:NAME_CHARACTERS])).split())


def short(text: str, characters: int) -> str:
    """At most `characters` of a name: its middle goes, its extension stays."""
    if len(text) <= characters:
        return text
    tail = characters // 4
    return f"{text[: characters - tail - 1]}…{text[-tail:]}"


def paragraphs(text: str) -> str:
    """The lines of a message, each made safe as in `name`."""
    return "\n".join("".join(map(_safe, line)) for line in text[:TEXT_CHARACTERS].splitlines())


def _safe(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in _BREAKS:
        return " "
    return "" if category in _UNSEEN and letter != ZERO_WIDTH_NON_JOINER else letter
