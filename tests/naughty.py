"""Naughty strings by the class: what breaks shells, file systems, screens, parsers and eyes."""

from itertools import product
from typing import Final

_CONTROLS: Final = [chr(code) for code in (*range(32), *range(0x7F, 0xA0))]
_UNSEEN: Final = [
    *map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))),
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u2800\u3164\ufeff\uffa0\ufff9\U0001d173\U000e0001\U000e0041",
]
_BLANKS: Final = list("\u00a0\u1680\u2000\u2003\u2009\u202f\u205f\u3000\u2028\u2029")
_DEVICES: Final = ["con", "PRN", "aux", "Nul", "com1", "LPT9", "clock$", "CONIN$"]
_ROOTS: Final = ["../", "..\\", "/", "\\\\host\\share\\", "C:\\", "C:", "file:///", "~/", "./.", "%2e%2e%2f"]
_SHELL: Final = ["$(id)", "`id`", "; rm -rf ~", "| cat", "&& id", "> x", "* ?", "'", '"', "%PATH%", "${IFS}"]
_FORMATS: Final = ["%s%n", "{0}", "{name.__class__}", "{{", "%00", "&#0;", "<script>", "\\u0000", "\\x00"]
_MARKS: Final = [
    *("e\u0301", "z" + "\u0335" * 40, "\u0301", "ﷺ", "ﬃ", "Å", "\u212b", "한글", "ไม้"),
    *("👩\u200d👧", "🏴\U000e0067", "🇮🇷", "👍🏽"),
]
_LONG: Final = [one * 300 for one in ("a", "é", "ف", "😀", ".", " ", "-", "a.", "\u0335", "_ ")]
_EDGES: Final = ["", ".", "..", "-", "--", "~", "_", "\\", "/", "//", ".-", " .", "\u200c", "\ufffd", "0"]
_ENDS: Final = [
    "",
    ".mp4",
    ".tar.gz",
    ".",
    " ",
    ".e\u202e4pm.",
    ".\u200bmp4",
    "." + "x" * 300,
    "/",
    ".mp4/..",
]
_AROUND: Final = [("", ""), ("a", "b"), ("", "b"), ("a", "")]


def naughty_strings() -> list[str]:
    """Some thousands: each class alone, within words, and before each kind of end."""
    whole = [*_DEVICES, *_SHELL, *_FORMATS, *_MARKS, *_LONG, *_EDGES]
    inner = product(_AROUND, [*_CONTROLS, *_UNSEEN, *_BLANKS])
    words = [f"{before}{one}{after}" for (before, after), one in inner]
    words += [f"{root}{one}" for root, one in product(_ROOTS, ["etc/passwd", "con", ".ssh", "x y"])]
    words += [f"{a}{b}" for a, b in product(_EDGES, _DEVICES)]
    return [f"{word}{end}" for word, end in product([*whole, *words], _ENDS)]
