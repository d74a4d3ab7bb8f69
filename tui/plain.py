"""Text from outside, made safe to show: no control characters, nothing that turns the writing direction.

Whoever shows the result must also keep Textual from reading markup in it (`Content`, `markup=False`).
"""

import unicodedata
from typing import Final

#: Joins Persian words without a space; of category Cf like the dangerous ones, and harmless.
ZERO_WIDTH_NON_JOINER: Final = "\u200c"

#: Control, format (bidi overrides and isolates), surrogates, line and paragraph separators.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

#: Longer than any name that fits a screen; what is cut was never to be seen.
NAME_CHARACTERS: Final = 300
TEXT_CHARACTERS: Final = 4096  # of a message: https://core.telegram.org/method/messages.sendMessage


def name(text: str) -> str:
    """One line: everything unsafe becomes a space, runs of spaces become one."""
    return " ".join("".join(map(_safe, text[:NAME_CHARACTERS])).split())


def paragraphs(text: str) -> str:
    """The lines of a message, each made safe as `name` does, without joining them."""
    lines = text[:TEXT_CHARACTERS].splitlines()
    return "\n".join("".join(_drop(letter) for letter in line) for line in lines)


def _safe(letter: str) -> str:
    return letter if _drop(letter) else " "


def _drop(letter: str) -> str:
    if letter == ZERO_WIDTH_NON_JOINER:
        return letter
    return "" if unicodedata.category(letter) in _UNSAFE else letter
