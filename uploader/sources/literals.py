"""What a text must contain to match a regular expression, read from the expression. Pure.

Only what is certain is told: of an expression that is not understood, nothing is.
"""

import re
from collections.abc import Iterator
from typing import Final

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
