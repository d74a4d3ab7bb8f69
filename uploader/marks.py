"""What keyboards and copying put between words of two directions, and nobody sees. Pure."""

import re
from typing import Final

#: As a part of a class of characters in a pattern. ZWNJ and ZWJ are among them: Persian words hold them.
MARKS: Final = r"\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_MARK: Final = re.compile(f"[{MARKS}]")
_JOINERS: Final = "\u200c\u200d"


def without_marks(text: str, *, joiners: bool = False) -> str:
    """`text` without marks; `joiners` (ZWNJ, ZWJ) stay if they are part of its words."""
    return _MARK.sub(lambda mark: mark[0] if joiners and mark[0] in _JOINERS else "", text)
