"""Which texts are links, and the one form in which a link is fetched, stored and compared.

Pure: what a host name leads to is judged by `sources.guard`, when the connection is made.
"""

import re
import string
import unicodedata
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import quote

import idna

from uploader.errors import NotALink, Reason
from uploader.limits import LINK_CHARACTERS, TEXT_FILE_BYTES
from uploader.model import Link
from uploader.posts import over_http

#: How much of a text is searched.
_SEARCHED_CHARACTERS: Final = TEXT_FILE_BYTES
#: It is searched in pieces, so that no one search takes long. A piece ends with a word, or within one that is
#: too long for any link (a fragment may be twice as long as the rest, see `parse`).
_LONGEST_WORD: Final = 4 * LINK_CHARACTERS
#: Nobody emphasises by more.
_LONGEST_EMPHASIS: Final = 8
_PIECE: Final = re.compile(rf".{{1,4096}}\S{{0,{_LONGEST_WORD}}}", re.DOTALL)

#: Ports below this one belong to services that are not web sites, 80 and 443 apart.
_FIRST_FREE_PORT: Final = 1024
_DEFAULT_PORTS: Final = (("http", 80), ("https", 443))

#: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
_HOST_CHARACTERS: Final = 253

# A link goes on to the next white space, angle bracket, quote or invisible mark, as Telegram's clients show
# it. ZWNJ and ZWJ are no marks: Persian addresses are written with them.
_END: Final = r'\s<>"«»\u200b\u200e\u200f\u2016-\u206f\ufeff'
_TOP_LEVEL: Final = r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})"
_LABELS: Final = r"(?:[\w-]{1,63}\.){1,20}"
_IPV4: Final = r"(?:\d{1,3}\.){3}\d{1,3}"
_FIND: Final = re.compile(
    rf"""
      (?P<full> https?://[^{_END}]+
              | (?<![a-z0-9+.-])(?: (?![a-z0-9+.-]{{0,30}}https?://)[a-z][a-z0-9+.-]{{0,30}}://[^{_END}]+
                                  | (?:magnet|data|file):[^{_END}]+ ) )
    | (?<![\w@.+-])(?: (?:{_LABELS}{_TOP_LEVEL}|{_IPV4})(?::\d{{1,5}})?(?:/|\?\w)[^{_END}]*
                     | www\.{_LABELS}{_TOP_LEVEL}
                     | {_LABELS}(?:com|net|org|info|io|ir)(?::\d{{1,5}})?(?![\w@.-]*\w) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
#: Where another link begins within what looks like one. Behind one of these characters it is a part of it:
#: `/web/2020/https://...`, `?url=https://...`
_GLUED: Final = re.compile(r"(?<![/=?&#:+~@$!*_%-])(?=https?://)", re.IGNORECASE)
#: Most links end so, and are not looked at any closer.
_NO_PUNCTUATION: Final = frozenset(f"{string.ascii_letters}{string.digits}/")
_TRAILING: Final = frozenset(".,;:!?'`|\u0640\ufe0e\ufe0f")
#: So are marks of all other scripts, emoji, and ZWNJ and ZWJ, which join nothing there. See the general
#: categories of https://www.unicode.org/reports/tr44/#General_Category_Values
_TRAILING_CATEGORIES: Final = frozenset({"Po", "Pd", "Ps", "Pi", "Pf", "So", "Cf"})
_BRACKETS: Final = tuple(zip("([{（「『《〈【［｛", ")]}）」』》〉】］｝", strict=True))
#: What stands on both sides of a link that somebody emphasised.
_EMPHASIS: Final = re.compile(r"([*_~|])\1*\Z")

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)
# https://www.rfc-editor.org/rfc/rfc3986#appendix-B, without the fragment
_PARTS: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?", re.IGNORECASE | re.ASCII)
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@%\\\s]+)(?::([0-9]{0,5}))?", re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Mention(NamedTuple):
    """A link as it stands in a text: made in an instant, for a text may hold many thousands."""

    raw: str
    end: int  # where in the text it ends


def find(text: str) -> str | None:
    """The first link of `text`, or None; see `find_all`."""
    return next((mention.raw for mention in find_all(text)), None)


def find_all(text: str) -> Iterator[Mention]:
    """Everything in `text` that looks like a link, in its order.

    With a scheme, any scheme: `parse` says which can be fetched. Without one, a host followed by a path
    (`example.com/file.zip`), a `www.` name, or a bare name under a top level that is in no file name;
    these get `https://`. Punctuation around the link is left out. The work grows with the text, not faster.
    """
    for piece in _PIECE.finditer(text, 0, _SEARCHED_CHARACTERS):
        for match in _FIND.finditer(text, *piece.span()):
            word, is_full = match[0], match["full"] is not None
            begins = [0, *(glued.start() for glued in _GLUED.finditer(word, 1))] if is_full else [0]
            for start, stop in pairwise((*begins, len(word))):
                at = match.start() + start
                found = word[start:stop][:_LONGEST_WORD]
                if found[-1] not in _NO_PUNCTUATION:
                    found = _bare(found, text[max(0, at - _LONGEST_EMPHASIS) : at])
                if found:
                    yield Mention(found if is_full else f"https://{found}", at + len(found))


def parse(raw: str, *, characters: int = LINK_CHARACTERS, fragment: bool = False) -> Link:
    """The link that `raw` is, in its normal form; `parse(parse(x).url) == parse(x)`.

    Scheme and host are lower case, the host ASCII (IDNA 2008, UTS 46), numeric hosts are dotted quads,
    the default port and the fragment are gone. Path and query keep every byte: characters that may not
    stand in a URL are percent-encoded (`|` stays: browsers send it), nothing is decoded or reordered.
    Ports: 80, 443 and 1024-65535. What `tg:` says of a message is said as on the web (see `posts`).
    With `fragment` it is kept, for sites that name their films in it; it is never sent to a site.

    Raises:
        NotALink: NOT_HTTP, or MALFORMED: no host, user info, a bad port, control characters, or more
            than `characters` before or after the normalisation, twice as many in the fragment.
    """
    raw = over_http(raw.strip(" \t\r\n"))
    sent, hash_, rest = raw.partition("#")
    if max(len(sent), len(rest) / 2) > characters:
        raise NotALink(Reason.MALFORMED, "too long")
    if _CONTROL.search(raw):
        raise NotALink(Reason.MALFORMED, "control characters")
    scheme, authority, path, query = _split(sent)
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise NotALink(Reason.MALFORMED, "host or user info")
    host = _host(match[1])
    asked = _encoded(path or "/") + _encoded(query)
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}{_port(scheme, match[2])}{asked}"
    kept = hash_ + _encoded(rest) if fragment and rest else ""
    if max(len(url), len(kept) / 2) > characters:
        raise NotALink(Reason.MALFORMED, "too long")
    return Link(url=url + kept, host=host)


def without_fragment(link: Link) -> Link:
    """`link` as a site is asked for it."""
    return Link(url=link.url.partition("#")[0], host=link.host)


def _bare(found: str, before: str) -> str:
    """`found` without what is at its end but no part of it; `before` is how the text before it ends.

    That is punctuation, brackets that close nothing in it, and the same emphasis as before it.
    """
    end = len(found)
    unopened = {closing: found.count(closing) - found.count(opening) for opening, closing in _BRACKETS}
    closing_of = dict(_BRACKETS)
    emphasis = match[0] if (match := _EMPHASIS.search(before)) else ""
    while end:
        last = found[end - 1]
        if unopened.get(last, 0) > 0:
            unopened[last] -= 1
        elif emphasis and last == emphasis[0]:
            emphasis = emphasis[1:]
        elif last in closing_of:  # it opens nothing, for nothing follows
            unopened[closing_of[last]] += 1
        elif last in unopened or not _trails(last):
            break
        end -= 1
    return found[:end]


def _trails(character: str) -> bool:
    """Whether a character at the end of a link belongs to the text around it."""
    if character.isascii() or character in _TRAILING:
        return character in _TRAILING
    return unicodedata.category(character) in _TRAILING_CATEGORIES


def _split(raw: str) -> tuple[str, str, str, str]:
    """Scheme, authority, path and query (with its question mark)."""
    match = _PARTS.match(raw)
    if match is not None:
        return match[1].lower(), match[2], match[3], match[4] or ""
    scheme = _SCHEME.match(raw)
    if scheme is not None and scheme[1].lower() not in {"http", "https"}:
        raise NotALink(Reason.NOT_HTTP, "another scheme")
    raise NotALink(Reason.MALFORMED, "no scheme or no host")


def _host(raw: str) -> str:
    """The host in ASCII, lower case, without brackets and without the root's dot."""
    try:
        if raw.startswith("["):
            return IPv6Address(raw[1:-1]).compressed
        name = raw.removesuffix(".")
        if len(name) > _HOST_CHARACTERS:  # before `idna`, whose work grows with it
            raise NotALink(Reason.MALFORMED, "host too long")
        name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except (AddressValueError, idna.IDNAError) as error:
        raise NotALink(Reason.MALFORMED, "host") from error
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(labels)
    if len(name) > _HOST_CHARACTERS or not all(map(_LABEL.fullmatch, labels)):
        raise NotALink(Reason.MALFORMED, "host")
    return name


def _ipv4(labels: list[str]) -> str:
    """The dotted quad of a numeric host, read as browsers do: https://url.spec.whatwg.org/#ipv4-parser

    Decimal, octal (0...) and hexadecimal (0x...) numbers; the last one fills the bytes that are left.
    """
    try:
        numbers = [_number(label) for label in labels]
        *first, last = numbers
        if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
            raise ValueError
    except ValueError as error:
        raise NotALink(Reason.MALFORMED, "numeric host") from error
    return str(IPv4Address(last + sum(number << (24 - 8 * at) for at, number in enumerate(first))))


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)


def _port(scheme: str, raw: str | None) -> str:
    """`:port`, or nothing for the scheme's own."""
    if not raw or (scheme, int(raw)) in _DEFAULT_PORTS:
        return ""
    port = int(raw)
    if port not in {80, 443} and not _FIRST_FREE_PORT <= port <= 65_535:
        raise NotALink(Reason.MALFORMED, "port")
    return f":{port}"


def _encoded(part: str) -> str:
    try:
        # surrogates stand for the raw bytes of a redirect that was no UTF-8
        return quote(part, safe="!#$%&'()*+,/:;=?@[]|~", errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise NotALink(Reason.MALFORMED, "characters") from error
