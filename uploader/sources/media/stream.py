"""A plain format of a film, streamed from its site; the address is looked up again when it has expired."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from time import time
from typing import Final

from uploader.errors import NotALink, Reason, SourceError, SourceTemporary
from uploader.links import parse
from uploader.model import RemoteFile
from uploader.sources.direct import probe
from uploader.sources.exchange import Exchange, Wishes
from uploader.sources.media.chunks import closing
from uploader.sources.media.messages import Format

#: What a site says to an address that it has given out, and no longer honours.
_EXPIRED: Final = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND})
_RENEWALS: Final = 3
_LINK_CHARACTERS: Final = 8000
#: The longest wait for a format that the site gives out later, such as after an advertisement.
_LATEST_S: Final = 120.0
#: Said to the site that the film was found at, and to no other.
_SECRETS: Final = frozenset({"cookie", "authorization"})
#: What belongs to our own requests.
_OURS: Final = frozenset({"host", "connection", "range", "if-range", "accept-encoding", "content-length"})
_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")

Connect = Callable[[Wishes], Exchange]


class Stream:
    """One format. Made by `streamed`."""

    def __init__(self, given: Format, connect: Connect, renew: Callable[[], Awaitable[Format]]) -> None:
        self._given = given
        self._connect = connect
        self._renew = renew
        self._exchange: Exchange | None = None
        self._remote: RemoteFile | None = None

    async def open(self) -> RemoteFile:
        """Ask the site about the file.

        Raises:
            SourceError: see `direct.probe`; EXPIRED addresses are a SourceTemporary.
        """
        await self.close()
        try:
            link = parse(self._given.url, characters=_LINK_CHARACTERS)
        except NotALink as error:
            raise SourceError(error.reason, "a format with such a link") from None
        if (early_s := (self._given.available_at or 0.0) - time()) > 0:
            await asyncio.sleep(min(early_s, _LATEST_S))
        self._exchange = self._connect(wishes_of(self._given))
        try:
            self._remote = await probe(link, self._exchange)
        except SourceError as error:
            if error.reason in _EXPIRED:
                raise SourceTemporary(error.reason, error.detail) from None
            raise
        return replace(self._remote, read=self.read)

    async def close(self) -> None:
        """Close the connections of the last `open`."""
        if self._exchange is not None:
            await self._exchange.close()
            self._exchange = None

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """See `model.RemoteFile.read`."""
        at = start
        for left in range(_RENEWALS, -1, -1):
            try:
                async with closing(self._pieces(at, stop)) as pieces:
                    async for piece in pieces:
                        at += len(piece)
                        yield piece
                return
            except SourceError as error:
                if error.reason not in _EXPIRED or not left:
                    raise
            await self._open_anew()

    def _pieces(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """The bytes, asked for in pieces of the size that the site likes."""
        if self._remote is None:
            raise RuntimeError("a stream is read after it was opened")
        end = self._remote.size_bytes if stop is None else stop
        step = self._given.chunk_bytes
        if step is None or end is None or self._remote.validator is None:
            return self._remote.read(start, stop)
        return _in_steps(self._remote, range(start, end, int(step)), end)

    async def _open_anew(self) -> None:
        """Find the same file at another address.

        Raises:
            SourceTemporary: CHANGED: what is there now is another file.
        """
        before = self._remote
        self._given = await self._renew()
        after = await self.open()
        if before is not None and not _are_same(before, after):
            raise SourceTemporary(Reason.CHANGED, "another file at the new address")


@asynccontextmanager
async def streamed(
    given: Format, connect: Connect, renew: Callable[[], Awaitable[Format]]
) -> AsyncIterator[RemoteFile]:
    """The file of a plain format, readable within the context; `renew` looks the format up again.

    Raises:
        SourceError: on entering, and while reading.
    """
    stream = Stream(given, connect, renew)
    try:
        yield await stream.open()
    finally:
        await stream.close()


def wishes_of(given: Format) -> Wishes:
    """The headers that the extractor wants to be sent; the ones that are secret go to its site alone."""
    said = {
        name: value
        for name, value in {**given.headers, "Cookie": given.cookie or ""}.items()
        if value and value.isprintable() and _NAME.fullmatch(name) and name.lower() not in _OURS
    }
    try:
        host = parse(given.url, characters=_LINK_CHARACTERS).host
    except NotALink:
        host = ""
    return Wishes(
        headers={name: value for name, value in said.items() if name.lower() not in _SECRETS},
        secrets={name: value for name, value in said.items() if name.lower() in _SECRETS},
        host=host,
        tls=given.url.lower().startswith("https:"),
    )


async def _in_steps(remote: RemoteFile, starts: range, end: int) -> AsyncIterator[bytes]:
    for start in starts:
        async with closing(remote.read(start, min(start + starts.step, end))) as chunks:
            async for chunk in chunks:
                yield chunk


def _are_same(before: RemoteFile, after: RemoteFile) -> bool:
    """Whether both are one file, as far as the site tells."""
    validators = {before.validator, after.validator} - {None}
    return before.size_bytes == after.size_bytes and len(validators) <= 1
