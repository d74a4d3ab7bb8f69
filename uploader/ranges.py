"""Which entries of a list are wanted, as people write it: `3-10, 15`. Pure."""

import re
from typing import Final

from uploader.marks import without_marks

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_DASH: Final = re.compile(r"\s*(?:[-‐-―−~]|to|تا)\s*", re.IGNORECASE)
_COMMA: Final = re.compile(r"[\s,،;؛]+")
_RANGE: Final = re.compile(r"(?P<first>[0-9]{1,6})(?P<dash>-(?P<last>[0-9]{1,6})?)?|-(?P<until>[0-9]{1,6})")
_CHARACTERS: Final = 500


def parse(text: str, count: int) -> list[int] | None:
    """The numbers, from 1 to `count`, that `text` names and nothing else; None if it is no such text.

    `7-` goes to the end and `-7` begins at the start; what is beyond the list is left out. Each number stands
    once, where it is named first. Digits may be Persian or Arabic ones, and a word may stand for the dash.
    """
    if len(text) > _CHARACTERS:
        return None
    words = " ".join(without_marks(text).split()).translate(_DIGITS)
    parts = [part for part in _COMMA.split(_DASH.sub("-", words)) if part]
    if not parts:
        return None
    numbers: dict[int, None] = {}
    for part in parts:
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        first = int(match["first"] or 1)
        last = int(match["last"] or match["until"] or (count if match["dash"] else first))
        numbers |= dict.fromkeys(range(max(first, 1), min(last, count) + 1))
    return list(numbers)
