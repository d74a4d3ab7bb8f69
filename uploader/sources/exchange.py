"""Requests to sites: redirects followed hop by hop, every failure told in our own terms.

Nothing of aiohttp's errors goes further than this file: their texts hold whole addresses.
"""

import asyncio
import errno
import socket
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import CookieError, Morsel
from typing import Any, Final, TypeVar
from urllib.parse import urljoin

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from uploader import limits
from uploader.errors import NotALink, NotYet, Reason, SiteFails, SourceError, SourceTemporary
from uploader.links import parse
from uploader.machine import is_scarce, is_starved
from uploader.model import Link
from uploader.sources import answers
from uploader.sources.bodies import Body
from uploader.sources.guard import Guard, is_denial
from uploader.sources.lanes import Lanes
from uploader.sources.wire import Wire
from uploader.supervision import Helpers

REDIRECTS: Final = 10
_REDIRECTED: Final = frozenset({301, 302, 303, 307, 308})
#: Signed addresses of storage services are longer than what people send; aiohttp reads no longer header.
_HOP_CHARACTERS: Final = 8000
_HEADER_LINE_BYTES: Final = 8190
_HEADERS: Final = 128
#: The stream stops reading from its socket at twice this; smaller ones cost speed.
_READ_BUFFER_BYTES: Final = 1 << 18
#: What keeps us from reaching any site.
_CUT_OFF: Final = frozenset({errno.ENETUNREACH, errno.ENETDOWN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long a site is waited for: generous to slow ones, finite for all."""

    connect_s: float = 10.0  # TCP and TLS, for each of a name's addresses
    answer_s: float = 30.0  # from the request to the end of the headers, DNS and connection included
    silence_s: float = 30.0  # between two pieces of a body
    floor_bytes: int = 64 * 1024  # at least this much in each `floor_s` spent waiting for the site
    floor_s: float = 60.0
    resumes: int = 5  # of a body that breaks off, without 8 MiB of progress between them
    resume_wait_s: float = 0.5  # before the first one, then doubled, up to 16 times this
    look_s: float = 1.0  # between two looks at how many connections are best for a file


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What is to be said besides, on behalf of whoever found the link."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)  # only to `host`, and only over TLS if `tls`
    host: str = ""
    tls: bool = False
    cookies: str = field(default="", repr=False)  # in the Netscape format, each with where it may be said


_T = TypeVar("_T")


class Exchange:
    """The requests of one link, the answers that are open, and whatever reads them aside."""

    def __init__(
        self,
        guard: Guard,
        connector: aiohttp.TCPConnector,
        user_agent: str,
        patience: Patience,
        lanes: Lanes,
        helpers: Helpers,
        wishes: Wishes | None = None,
    ) -> None:
        """`helpers` end after `close`."""
        self._guard = guard
        self._wishes = wishes or Wishes()
        self.patience = patience
        self.lanes = lanes
        self._helpers = helpers
        self._aside: set[asyncio.Task[Any]] = set()
        self._open: dict[aiohttp.ClientResponse, tuple[str, Body]] = {}  # and the site of each
        # a session for each link: cookies live along its redirects and never meet another person's
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=False,
            cookie_jar=_cookie_jar(self._wishes.cookies),
            headers={
                **{"User-Agent": user_agent, "Accept": "*/*"},
                **self._wishes.headers,
                "Accept-Encoding": "identity",
            },
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=patience.connect_s, sock_read=patience.silence_s
            ),
            read_bufsize=_READ_BUFFER_BYTES,
            auto_decompress=False,  # it takes half a body for a whole one
            max_line_size=_HEADER_LINE_BYTES,
            max_field_size=_HEADER_LINE_BYTES,
            max_headers=_HEADERS,
            trust_env=False,  # a proxy would resolve names for us, out of the guard's sight
        )

    async def get(self, link: Link, headers: dict[str, str]) -> tuple[aiohttp.ClientResponse, list[Link]]:
        """The answer at the end of the redirects, whatever its status, and the links that led to it.

        Raises:
            SourceError: the guard refuses a hop, a hop cannot be reached, or there are too many.
        """
        trail = [link]
        while len(trail) <= REDIRECTS + 1:
            response = await self._request(trail[-1], headers)
            if response.status not in _REDIRECTED or "Location" not in response.headers:
                return response, trail
            self.drop(response)
            trail.append(_next_hop(trail[-1], response.headers["Location"]))
        raise SourceError(Reason.SITE_BROKEN, f"{link.host}: more than {REDIRECTS} redirects")

    async def _request(self, link: Link, headers: dict[str, str]) -> aiohttp.ClientResponse:
        reason = self._guard.static_verdict(link)
        if reason is not None:
            raise SourceError(reason, link.host)
        url = URL(link.url, encoded=True)
        known = link.host == self._wishes.host and (url.scheme == "https" or not self._wishes.tls)
        said = {**(self._wishes.secrets if known else {}), **headers}
        hosts = self.lanes.hosts
        await hosts.enter(link.site, self)
        try:
            with translated(link.site):
                async with asyncio.timeout(self.patience.answer_s):
                    response = await self._session.get(url, headers=said, allow_redirects=False)
        except BaseException:
            hosts.leave(link.site, self)
            raise
        self._open[response] = link.site, Body(response, self._wire_of(response))
        if response.status in answers.BUSY:
            hosts.said_busy(link.site, answers.asked_wait_s(response.headers))
        return response

    def _wire_of(self, response: aiohttp.ClientResponse) -> Wire | None:
        """What `response` comes over; None: all of it is there."""
        transport = response.connection.transport if response.connection is not None else None
        return None if transport is None else self._guard.wire(transport.get_extra_info("socket").fileno())

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        """The next bytes of an open answer's body; nothing at its end.

        Raises:
            SourceError: it broke off, or ended early.
        """
        if response not in self._open:
            raise SourceTemporary(Reason.UNREACHABLE, "the answer was closed")
        site, body = self._open[response]
        with translated(site):
            return await body.read()

    def spawn(self, aside: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run `aside` beside the reader, who awaits it. `close` cancels it."""
        task = self._helpers.start(aside)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        return task

    def drop(self, response: aiohttp.ClientResponse) -> None:
        """Close `response`. Its connection serves again only if the whole body was read."""
        response.close()
        if response in self._open:
            site, body = self._open.pop(response)
            body.close()
            self.lanes.hosts.leave(site, self)

    async def close(self) -> None:
        """Cancel what is read aside, close the answers that are still open, and the session."""
        aside = tuple(self._aside)
        for task in aside:
            task.cancel()
        if aside:
            await asyncio.wait(aside)
        for response in tuple(self._open):
            self.drop(response)
        await self._session.close()


def _cookie_jar(text: str) -> aiohttp.CookieJar:
    """The cookies of an operator's file (see `cookies.read`): each keeps to its domain, path and TLS."""
    jar = aiohttp.CookieJar(quote_cookie=False)
    for line in text.splitlines()[1:]:
        domain, below, path, tls, _, name, value = line.split("\t")
        cookie: Morsel[str] = Morsel()
        with suppress(CookieError):  # a name that no client would say
            cookie.set(name, value, value)
            cookie["path"] = path
            cookie["secure"] = "TLS" if tls == "TRUE" else ""
            cookie["domain"] = domain if below == "TRUE" else ""
            jar.update_cookies([(name, cookie)], URL(f"https://{domain.removeprefix('.')}/"))
    return jar


@contextmanager
def translated(site: str) -> Iterator[None]:
    """Turn what aiohttp and the system raise into a SourceError that names `site` and the class alone."""
    try:
        yield
    except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
        raise _told(error, f"{site}: {type(error).__name__}", site) from None


def _told(error: Exception, detail: str, site: str) -> SourceError:
    """`error` in our terms; the order is from the narrow class to the wide."""
    if isinstance(error, aiohttp.ClientConnectorError) and is_denial(error.os_error):
        return SourceError(Reason.PRIVATE_ADDRESS, detail)
    if is_scarce(error) or is_starved():
        return NotYet(Reason.NO_ROOM, detail, wait_s=limits.SCARCE_REST_S)
    if isinstance(error, TimeoutError):
        return SiteFails(Reason.TIMED_OUT, detail, site=site)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        # the name does not exist, unless it was the resolver that could not be asked
        again = error.os_error.errno == socket.EAI_AGAIN
        return (SourceTemporary if again else SourceError)(Reason.NO_SUCH_HOST, detail)
    if isinstance(error, OSError) and error.errno == errno.EPROTO:
        return SourceError(Reason.SITE_BROKEN, detail)
    if isinstance(error, OSError) and error.errno in _CUT_OFF:
        return SourceTemporary(Reason.UNREACHABLE, detail)
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return SiteFails(Reason.UNREACHABLE, detail, site=site)
    if isinstance(error, aiohttp.ClientPayloadError):
        return SourceTemporary(Reason.SITE_BROKEN, detail)
    return SourceError(Reason.SITE_BROKEN, detail)


def _next_hop(link: Link, location: str) -> Link:
    """Where a redirect of `link` leads. Its fragment, and anything that `parse` refuses, goes no further."""
    try:
        return parse(urljoin(link.url, location.strip()), characters=_HOP_CHARACTERS)
    except (NotALink, ValueError):  # urljoin raises ValueError for brackets that hold no address
        raise SourceError(Reason.SITE_BROKEN, f"{link.host}: redirect to no link") from None
