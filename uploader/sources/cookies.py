"""Cookies that an operator lends: a file of them is hostile until it was read here. Pure."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol

from uploader.errors import PeykError
from uploader.model import Link

FILE_BYTES: Final = 256 * 1024
_COOKIES: Final = 3000
_NAMED_SITES: Final = 3

_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.){1,10}[a-z][a-z0-9-]{0,61}[a-z0-9]")
#: `co.uk` and its like are nobody's: cookies for them would go to whoever has a name there.
_SHARED: Final = re.compile(r"(?:ac|co|com|edu|gov|net|or|org)\.[a-z]{2}")
_EXPIRES: Final = re.compile(r"[0-9]{0,15}(?:\.[0-9]{1,9})?")
_PREFIX: Final = "#HttpOnly_"


class CookiesRefused(PeykError):
    """A file of cookies cannot be used; the message is a key of the texts after `cookies-refused-`."""

    def __init__(self, why: str, sites: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.sites = sites


@dataclass(frozen=True, kw_only=True, slots=True)
class CookieFile:
    """Cookies of one site, in the Netscape format."""

    site: str
    count: int
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Jar:
    """Cookies of the pool, for one job."""

    id: int
    text: str = field(repr=False)


class CookiePool(Protocol):
    """Where cookies come from, and what is told of them. Raises nothing but StorageUnavailable."""

    async def choose(self, link: Link, family: str) -> list[Jar]:
        """The cookies that may open `link`, of yt-dlp's `family` ("": unknown), the healthiest first."""

    async def worked(self, jar: Jar) -> None:
        """The site took the cookies."""

    async def rejected(self, jar: Jar, link: Link) -> None:
        """The site did not take them."""


def read(content: bytes, site: str = "", *, now: float) -> CookieFile:
    """The cookies of a Netscape file, all of one site: `site`, or the one that they have in common.

    Raises:
        CookiesRefused: it is something else, or holds cookies of other sites, or none that is still good.
    """
    if len(content) > FILE_BYTES:
        raise CookiesRefused("size")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CookiesRefused("binary") from None
    rows = [
        _row(line.removeprefix(_PREFIX))
        for line in text.replace("\r\n", "\n").split("\n")
        if line.strip() and (line.startswith(_PREFIX) or not line.startswith("#"))
    ]
    if not rows or len(rows) > _COOKIES:
        raise CookiesRefused("format" if rows else "empty")
    domains = {row[0].removeprefix(".") for row in rows}
    site = site or min(domains, key=len)
    foreign = sorted(domain for domain in domains if not is_of(domain, site))
    if foreign:
        raise CookiesRefused("foreign", ", ".join(foreign[:_NAMED_SITES]))
    good = [row for row in rows if not 0 < float(row[4] or 0) <= now]
    if not good:
        raise CookiesRefused("expired")
    lines = ["# Netscape HTTP Cookie File", *("\t".join(row) for row in good)]
    return CookieFile(site=site, count=len(good), text="\n".join([*lines, ""]))


def site_of(said: str) -> str:
    """The site that an admin named, such as `https://www.youtube.com/`.

    Raises:
        CookiesRefused: it is none.
    """
    host = re.sub(r"^https?://", "", said.strip().lower()).partition("/")[0].removeprefix("www.").strip(".")
    if not _is_site(host):
        raise CookiesRefused("site")
    return host


def is_of(host: str, site: str) -> bool:
    """Whether `host` is the site or below it."""
    return host == site or host.endswith(f".{site}")


def _row(line: str) -> tuple[str, ...]:
    """The seven fields of a line: domain, for hosts below, path, TLS only, expiry, name, value."""
    fields = line.split("\t")
    if len(fields) != 7 or not all(each.isprintable() for each in fields):
        raise CookiesRefused("binary" if "\0" in line else "format")
    domain, _below, path, tls, expires, name, value = fields
    domain = domain.lower()
    flags = {_below.upper(), tls.upper()} <= {"TRUE", "FALSE"}
    if not (flags and path.startswith("/") and _EXPIRES.fullmatch(expires)):
        raise CookiesRefused("format")
    if not _is_site(domain.removeprefix(".")):
        raise CookiesRefused("foreign", domain[:100])
    # cookie jars insist that the flag repeats the dot
    below = "TRUE" if domain.startswith(".") else "FALSE"
    return domain, below, path, tls.upper(), expires, name, value


def _is_site(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None and _SHARED.fullmatch(host) is None
    return False
