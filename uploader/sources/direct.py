"""Files that a site serves over HTTP/1.1: asked about, read as a stream, taken up again after a break.

A request for the first 4 KiB learns all there is to know, and what the file is by its bytes, so that one over
the cap is refused before it flows; the first read asks for the whole on the same connection. A site that
knows no ranges answers with the whole file: that body is the first read, and the site is asked once. A body
that breaks off is continued from its offset, provided that the site names the state of its file (a strong
ETag or Last-Modified) and still has it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final

import aiohttp
import stamina

from uploader import limits
from uploader.errors import NotYet, Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import Link, RemoteFile
from uploader.names import safe_name
from uploader.sources import answers
from uploader.sources.exchange import Exchange, Patience, translated
from uploader.sources.lanes import File
from uploader.sources.sniffing import HEAD_BYTES, true_name, true_type

#: Breaks that lie further apart than this do not add up.
_FORGIVEN_BYTES: Final = 8 * MIB
#: What may pass within seconds. The rest is for a later attempt of the job, or for none.
_PASSING: Final = frozenset({Reason.UNREACHABLE, Reason.TIMED_OUT, Reason.SITE_BUSY, Reason.SITE_BROKEN})


async def probe(link: Link, exchange: Exchange) -> RemoteFile:
    """Ask for `link`: what the answer says, and how to read it while `exchange` is open.

    Raises:
        SourceError: the site does not give the file; EMPTY when it says that there are 0 bytes.
    """
    response, trail = await _asked(link, exchange)
    host = trail[-1].host
    facts = answers.read_facts(response.status, response.headers, host)
    if facts.size_bytes == 0:
        raise SourceError(Reason.EMPTY, host)
    if facts.start:
        raise SourceError(Reason.SITE_BROKEN, f"{host}: Content-Range")
    head = await _head(response, facts, exchange)
    whole = facts.body_bytes == facts.size_bytes
    if not whole:
        exchange.drop(response)
    declared, urls = answers.mime_type(response.headers), [hop.url for hop in trail]
    kind = true_type(head, declared, answers.raw_name(response.headers, urls, declared))
    raw = true_name(head, answers.raw_name(response.headers, urls, kind))
    name = safe_name(raw, fallback="file", mime_type=kind)
    return RemoteFile(
        name=name,
        size_bytes=facts.size_bytes,
        mime_type=kind,
        validator=facts.validator,
        fresh_s=limits.FILE_FRESH_S if _is_public(response.headers) else 0.0,
        read=_Body(exchange, trail[-1], facts, response if whole else None, head).read,
    )


def _is_public(headers: Mapping[str, str]) -> bool:
    """Whether the site does not ask to keep the answer from others: we asked without login and cookies.

    https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2
    """
    wishes = {wish.strip().partition("=")[0] for wish in headers.get("Cache-Control", "").lower().split(",")}
    return not wishes & {"private", "no-store"}


async def _asked(link: Link, exchange: Exchange) -> tuple[aiohttp.ClientResponse, list[Link]]:
    """A 200 or 206 that begins the file, and the links that led to it."""
    response, trail = await exchange.get(link, {"Range": f"bytes=0-{HEAD_BYTES - 1}"})
    if answers.is_empty(response.status, response.headers):
        raise SourceError(Reason.EMPTY, trail[-1].host)
    if answers.hides_size(response.status, response.headers, trail[-1].host):
        exchange.drop(response)
        response, trail = await exchange.get(link, {})
    error = answers.refusal(response.status, response.headers, trail[-1].site)
    if error is not None:
        raise error
    return response, trail


async def _head(response: aiohttp.ClientResponse, facts: answers.Facts, exchange: Exchange) -> bytes:
    """How the body begins, as far as it comes; what hinders it is for the read to find out."""
    head = b""
    with suppress(SourceError, TimeoutError):
        async with asyncio.timeout(exchange.patience.silence_s):
            while len(head) < min(HEAD_BYTES, facts.body_bytes or HEAD_BYTES) and (
                chunk := await exchange.read(response)
            ):
                head += chunk
    return head


class _Body:
    """The bytes of one file, as its first answer described it."""

    def __init__(
        self,
        exchange: Exchange,
        link: Link,
        facts: answers.Facts,
        first: aiohttp.ClientResponse | None,
        head: bytes,
    ) -> None:
        self._exchange = exchange
        self._patience = exchange.patience
        self._link = link  # the end of the redirects
        self._facts = facts
        #: Until it is read: the answer with the whole, and what was read of its body already.
        self._first = None if first is None else (first, head)
        self._file = File(
            site=link.site,
            owner=exchange,
            growth=exchange.lanes.growth(link.site),
            stretch=self._stretch,
            spawn=exchange.spawn,
        )

    def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """See `model.RemoteFile.read`."""
        if start and self._facts.validator is None:
            raise SourceError(Reason.SITE_BROKEN, f"{self._link.host}: no ranges")
        if start and self._first is not None:
            self._exchange.drop(self._first[0])
            self._first = None
        end = self._facts.size_bytes if stop is None else stop
        if end is None or self._facts.validator is None:
            return self._stretch(start, end, True)
        return self._exchange.lanes.read(self._file, start, end)

    async def _stretch(self, start: int, end: int | None, resumes: bool) -> AsyncIterator[bytes]:
        """The bytes over one connection at a time, taken up again where it breaks if it `resumes`."""
        at = start
        head = b""
        pace = _Pace(self._patience)
        breaks = _Breaks(self._patience.resumes if resumes else 0)
        resuming = stamina.retry_context(
            on=lambda error: self._can_resume(at) and breaks.allow(error, at),
            attempts=None,  # `breaks` counts them
            timeout=None,
            wait_initial=self._patience.resume_wait_s,
            wait_max=self._patience.resume_wait_s * 16,
            wait_jitter=self._patience.resume_wait_s,
        )
        async for attempt in resuming:
            with attempt:
                # a site may answer with less than was asked for, so one answer need not be enough
                while end is None or at < end:
                    response, facts, head = await self._answer(at, end, pace)
                    end = facts.size_bytes if end is None else end
                    left = _least(facts.body_bytes, None if end is None else end - at)
                    try:
                        while chunk := head[:left] or await self._chunk(response, left, pace):
                            head = b""
                            at += len(chunk)
                            left = None if left is None else left - len(chunk)
                            yield chunk
                    finally:
                        self._exchange.drop(response)
                    if end is None:
                        return

    def _can_resume(self, at: int) -> bool:
        return at == 0 or self._facts.validator is not None

    async def _answer(
        self, at: int, end: int | None, pace: "_Pace"
    ) -> tuple[aiohttp.ClientResponse, answers.Facts, bytes]:
        """An answer whose body begins at `at`, what it promises, and what was read of it already."""
        if at == 0 and self._first is not None:
            (first, head), self._first = self._first, None
            return first, self._facts, head
        headers: dict[str, str] = {}
        if self._facts.validator is not None:
            last = "" if end is None else end - 1
            headers = {"Range": f"bytes={at}-{last}", "If-Range": self._facts.validator}
        with pace.waiting():
            response, _ = await self._exchange.get(self._link, headers)
        try:
            return response, self._checked(response, at), b""
        except SourceError:
            self._exchange.drop(response)
            raise

    def _checked(self, response: aiohttp.ClientResponse, at: int) -> answers.Facts:
        """The facts of a further answer, which is to be of the same file.

        Raises:
            SourceTemporary: whatever is wrong; a new `open` may find the file elsewhere, or anew.
        """
        host, status, headers, known = self._link.host, response.status, response.headers, self._facts
        if status in {412, 416} or (status == 200 and at):
            raise SourceTemporary(Reason.CHANGED, f"{host}: status {status} for the rest")
        try:
            error = answers.refusal(status, headers, self._link.site)
            if error is not None:
                raise error
            facts = answers.read_facts(status, headers, host)
        except SourceError as error:
            raise SourceTemporary(error.reason, error.detail) from None
        if facts.start != at:
            raise SourceTemporary(Reason.SITE_BROKEN, f"{host}: Content-Range")
        if None not in (facts.size_bytes, known.size_bytes) and facts.size_bytes != known.size_bytes:
            raise SourceTemporary(Reason.CHANGED, f"{host}: another size")
        if known.validator is not None and not answers.agrees(headers, known.validator):
            raise SourceTemporary(Reason.CHANGED, f"{host}: another validator")
        return facts

    async def _chunk(self, response: aiohttp.ClientResponse, left: int | None, pace: "_Pace") -> bytes:
        """What has arrived of the body, at most `left` bytes; nothing at its end.

        Raises:
            SourceTemporary: the body broke off, or ended short, or the site is too slow.
        """
        if left == 0:
            return b""
        host = self._link.host
        with translated(self._link.site), pace.waiting():
            # the session's own deadline is put off by whatever arrives, if only the length of a chunk
            async with asyncio.timeout(self._patience.silence_s):
                chunk = await self._exchange.read(response)
        if not chunk and left:
            raise SourceTemporary(Reason.SITE_BROKEN, f"{host}: {left} bytes short")
        pace.judge(len(chunk), host)
        return chunk if left is None else chunk[:left]


def _least(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)


class _TooSlow(SourceTemporary):
    """The site sends, but too little: asking it again at once would bring no more."""


class _Pace:
    """The floor under a site's speed, measured over the time that the site alone is waited for."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._waited_s = 0.0
        self._got_bytes = 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        began = monotonic()
        try:
            yield
        finally:
            self._waited_s += monotonic() - began

    def judge(self, size_bytes: int, host: str) -> None:
        self._got_bytes += size_bytes
        if self._waited_s < self._patience.floor_s:
            return
        if self._got_bytes < self._patience.floor_bytes:
            raise _TooSlow(Reason.TIMED_OUT, f"{host}: {self._got_bytes} bytes in {self._waited_s:.0f} s")
        self._waited_s, self._got_bytes = 0.0, 0


class _Breaks:
    """How many breaks of a body are borne: `most`, counted anew after each stretch of good progress."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._last_at = 0

    def allow(self, error: Exception, at: int) -> bool:
        """Whether the body may be taken up again at `at` after `error`."""
        if isinstance(error, _TooSlow | NotYet) or not isinstance(error, SourceTemporary):
            return False
        if error.reason not in _PASSING:
            return False
        self._count = 1 if at - self._last_at >= _FORGIVEN_BYTES else self._count + 1
        self._last_at = at
        return self._count <= self._most
