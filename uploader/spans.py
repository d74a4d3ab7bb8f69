"""Which part of a film is wanted, as people write it: `1:20-2:35`. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from uploader.marks import MARKS, without_marks

#: Nobody has a film of more than four days, and no number grows without end.
LONGEST_S: Final = 100 * 3600.0

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789.")
#: No span is written with more characters, blanks and marks among them.
_CHARACTERS: Final = 100
_REST: Final = re.compile(rf"(?=[\s{MARKS}]|$).{{0,{_CHARACTERS + 1}}}")
#: Behind what belongs to one link stands another: a word with a slash in it.
_NEXT: Final = re.compile(r"\s\S*/")
_TIME: Final = r"(?:[0-9]{1,3}:){0,2}[0-9]{1,6}(?:\.[0-9]{1,3})?"
_SPAN: Final = re.compile(rf"(?P<start>{_TIME})?\s*(?:[-‐-―−~]|to|تا)\s*(?P<stop>{_TIME})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From `start_s` to `stop_s`; None: to the end. It is never empty, and never the whole."""

    start_s: float
    stop_s: float | None


def parse(text: str) -> Span | None:
    """The span that `text` is, and nothing else: `1:20-2:35`, `80-`, `-1:02:03.5`; None if it is none.

    Digits may be Persian or Arabic ones, and a word may stand for the dash.
    """
    if len(text) > _CHARACTERS:
        return None
    match = _SPAN.fullmatch(without_marks(text).translate(_DIGITS).strip())
    if match is None:
        return None
    start_s = 0.0 if match["start"] is None else _seconds(match["start"])
    stop_s = None if match["stop"] is None else _seconds(match["stop"])
    if start_s is None or (match["stop"] is not None and stop_s is None):
        return None
    if (start_s, stop_s) == (0.0, None) or start_s >= (LONGEST_S if stop_s is None else stop_s):
        return None
    return Span(start_s=start_s, stop_s=stop_s)


def after(text: str, end: int) -> Span | None:
    """The span that stands behind a link, which ends at `end`: alone up to the next link or line."""
    rest = _REST.match(text, end)
    return None if rest is None else parse(_NEXT.split(rest[0], maxsplit=1)[0])


def written(span: Span) -> str:
    """The span as `parse` reads it: `1:20-2:35`."""
    return f"{clock(span.start_s)}-{'' if span.stop_s is None else clock(span.stop_s)}"


def clock(seconds: float) -> str:
    """A moment of a film, to the thousandth if need be: `0:05`, `1:02:03.5`."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, rest_s = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    shown = f"{hours}:{minutes:02}:{rest_s:02}" if hours else f"{minutes}:{rest_s:02}"
    return shown + (f".{thousandths:03}".rstrip("0") if thousandths else "")


def _seconds(time: str) -> float | None:
    """None: no clock shows it."""
    *larger, seconds = time.split(":")
    parts = [*map(int, larger), float(seconds)]
    if any(part >= 60 for part in parts[1:]):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return round(total, 3) if total <= LONGEST_S else None
