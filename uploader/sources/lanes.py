"""A file over several connections at once, for sites that give each of them less than we could take.

A file comes over one connection first, read by whoever wants its bytes: nothing is faster than that. When
`growth` finds that more may help, the pieces behind are fetched side by side, and handed on in their order.
That connection goes on until their first byte, so that a site which refuses the others has lost us nothing.
A piece that is late when all others are there is fetched anew from where it stands. What no piece brings is
read over one connection again, with that one's patience and errors.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from uploader.errors import Reason, SourceError
from uploader.sources.growth import Growth
from uploader.sources.hosts import Hosts
from uploader.sources.media.chunks import closing
from uploader.sources.window import PIECE_BYTES, Piece, Window

#: What is less than so many pieces is not worth a second connection.
_WORTH: Final = 4
#: Pieces of one file for each of its connections: those that are there wait for the first that is not.
_AHEAD: Final = 1.5
#: Pieces of all files together: 64 MiB.
_PIECES: Final = 32
#: A piece is late after so many times what one takes ...
_LATE: Final = 2.0
#: ... and is fetched so often.
_ASKS: Final = 3
#: The time that a piece takes is smoothed over about this many.
_SMOOTHING: Final = 8

#: `stretch(start, stop, resumes)` reads a range over one connection; without `resumes` it ends at a break.
Stretch = Callable[[int, int, bool], AsyncIterator[bytes]]
#: Starts what whoever asked is to wait for.
Spawn = Callable[[Coroutine[Any, Any, Exception | None]], asyncio.Task[Exception | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file of a site that serves ranges."""

    site: str  # see `Link.site`
    owner: object  # on whose behalf it is read (see `Hosts`)
    growth: Growth
    stretch: Stretch
    spawn: Spawn


class Lanes:
    """What the reads of all files share: the hosts, and the memory."""

    def __init__(self, hosts: Hosts, look_s: float, piece_bytes: int = PIECE_BYTES) -> None:
        """How many connections are best is looked at every `look_s`."""
        self.hosts = hosts
        self.look_s = look_s
        self.piece_bytes = piece_bytes
        self._windows: set[Window] = set()

    def growth(self, site: str) -> Growth:
        """For a new file of `site`."""
        return Growth(self.look_s, self.hosts.lanes(site))

    def read(self, file: File, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes [start, stop) of `file` in their order. Raises what its `stretch` raises."""
        return _Reading(self, file, Window(start, stop, self.piece_bytes)).chunks()

    @contextmanager
    def held(self, window: Window) -> Iterator[None]:
        """Count the pieces of `window` within."""
        self._windows.add(window)
        try:
            yield
        finally:
            self._windows.discard(window)

    def room(self, window: Window) -> int:
        """How many pieces `window` may hold: one at least, and no more than every other file may."""
        others = sum(len(each) for each in self._windows if each is not window)
        return max(1, min(_PIECES // len(self._windows), _PIECES - others))


@dataclass(frozen=True, slots=True)
class _Fetch:
    """A piece on its way."""

    task: asyncio.Task[Exception | None]
    began: float
    lanes: int  # beside so many


class _Reading:
    """One read of one file."""

    def __init__(self, lanes: Lanes, file: File, window: Window) -> None:
        self._lanes = lanes
        self._file = file
        self._window = window
        self._running: dict[Piece, _Fetch] = {}
        self._news = asyncio.Event()
        self._piece_s = lanes.look_s  # what a piece takes
        self._is_suspect = (
            False  # the site refused connections; unless the file is no longer there, for anybody
        )

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """All bytes."""
        window = self._window
        with self._lanes.held(window):
            try:
                while window.at < window.stop:
                    self._settle()
                    self._ask()
                    if chunk := window.take():
                        yield chunk
                        self._judge()
                    elif self._running:
                        await self._wait()
                    else:
                        async with closing(self._alone()) as chunks:
                            async for chunk in chunks:
                                yield chunk
            finally:
                await self._end(*self._running)

    async def _alone(self) -> AsyncGenerator[bytes, None]:
        """Up to the first piece that is there already, or on its way."""
        window, growth = self._window, self._file.growth
        async with closing(self._file.stretch(window.at, window.gap(), True)) as chunks:
            began = monotonic()
            async for chunk in chunks:
                growth.came(len(chunk), monotonic() - began)
                if self._is_suspect:
                    self._is_suspect = False
                    self._lanes.hosts.remember(self._file.site, growth.lanes)
                if window:
                    self._settle()
                    chunk = chunk[: window.gap() - window.at]
                window.skip(len(chunk))
                yield chunk
                self._judge()
                if growth.lanes > 1 and self._wanted() > 1:
                    window.lead()
                    self._ask(beside=1)
                if window and window.at == window.gap():
                    return
                began = monotonic()

    def _wanted(self) -> int:
        """How many connections there should be."""
        if not self._window and self._window.unasked_bytes < _WORTH * self._lanes.piece_bytes:
            return 1
        return min(self._file.growth.lanes, self._share(), self._lanes.room(self._window))

    def _share(self) -> int:
        return self._lanes.hosts.share(self._file.site, self._file.owner)

    def _judge(self) -> None:
        if not self._file.growth.is_due():
            return
        good = self._file.growth.judge(self._window.unasked_bytes, self._share())
        if good is not None:
            self._lanes.hosts.remember(self._file.site, good)

    def _ask(self, beside: int = 0) -> None:
        """Have as many pieces fetched as there should be connections, `beside` those that read already."""
        wanted = self._wanted()
        room = min(int(wanted * _AHEAD), self._lanes.room(self._window))
        while 1 < wanted > len(self._running) + beside and (piece := self._window.ask(room)):
            task = self._file.spawn(self._fetch(piece))
            task.add_done_callback(lambda _: self._news.set())
            self._running[piece] = _Fetch(task, monotonic(), self._file.growth.lanes)

    async def _fetch(self, piece: Piece) -> Exception | None:
        """Fetch the rest of `piece`; returns what it failed with, which must not take other files with it."""
        try:
            async with closing(self._file.stretch(piece.got, piece.stop, False)) as chunks:
                async for chunk in chunks:
                    self._window.put(piece, chunk)
                    self._file.growth.came(len(chunk))
                    self._news.set()
        except Exception as error:  # noqa: BLE001 - raised to the reader, unless it is the site's
            return error
        return None

    def _settle(self) -> None:
        """See how the pieces fared that are fetched no more."""
        for piece, fetch in [*self._running.items()]:
            if not fetch.task.done():
                continue
            del self._running[piece]
            self._window.rest(piece)
            error = fetch.task.result()
            if error is None:
                self._piece_s += (monotonic() - fetch.began - self._piece_s) / _SMOOTHING
            elif not isinstance(error, SourceError):
                raise error
            elif piece.got == piece.begun or piece.asked >= _ASKS:
                self._refused(error, fetch.lanes)

    def _refused(self, error: SourceError, lanes: int) -> None:
        """The site did not like that many connections: others that it refused as well say nothing new."""
        growth = self._file.growth
        if lanes > growth.lanes:
            return
        if error.reason is Reason.SITE_BUSY:
            growth.alone()
        else:
            growth.refused()
        self._is_suspect = True

    async def _wait(self) -> None:
        """Wait for bytes, or for the end of a piece; overtake the first one if only that is waited for."""
        began, first = monotonic(), next(iter(self._running))
        late_s = None
        if len(self._running) == 1 and self._wanted() > 1:
            late_s = self._running[first].began + max(_LATE * self._piece_s, 2 * self._lanes.look_s) - began
        self._news.clear()
        try:
            async with asyncio.timeout(late_s):
                await self._news.wait()
        except TimeoutError:
            await self._end(first)
            if first.asked >= _ASKS:
                self._file.growth.alone()
        self._file.growth.waited(monotonic() - began)

    async def _end(self, *pieces: Piece) -> None:
        """Have these pieces fetched no more."""
        tasks = [self._running.pop(piece).task for piece in pieces]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for piece in pieces:
            self._window.rest(piece)
