"""Where the bytes of a link come from. One door: `Sources.open`."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver

from uploader import limits
from uploader.errors import Reason, SiteFails, SourceError
from uploader.limits import MIB
from uploader.model import Link, RemoteFile
from uploader.places import Seats
from uploader.sources import answers
from uploader.sources.breakers import Breakers, Resting
from uploader.sources.cookies import CookiePool, Jar
from uploader.sources.direct import probe
from uploader.sources.exchange import Exchange, Patience, Wishes
from uploader.sources.guard import SOCKETS, Guard
from uploader.sources.hosts import Hosts
from uploader.sources.lanes import Lanes
from uploader.sources.lending import lend
from uploader.sources.media.chooser import Chooser
from uploader.sources.media.facts import Prober
from uploader.sources.media.media import Media, Order
from uploader.sources.media.messages import Film
from uploader.sources.media.pieces import CONTAINERS, CannotCut, Cutter, Pieces
from uploader.sources.media.process import Cells
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.work import Times
from uploader.sources.media.workshop import Workshop
from uploader.sources.proxy import Proxy
from uploader.sources.routing import Route, Source, route
from uploader.sources.troubles import Trouble, Troubles
from uploader.supervision import Helpers
from uploader.wishes import UNDECIDED, Wish

__all__ = ["CannotCut", "Hosts", "Patience", "Resting", "Sources", "Times", "Trouble"]

_CAP_BYTES: Final = 2000 * MIB


class Sources:
    """Opens links. An async context manager: it owns all connections to sites, and all children."""

    def __init__(
        self,
        allow_networks: Sequence[IPv4Network | IPv6Network],
        user_agent: str,
        *,
        own_ports: Iterable[int] = (),
        work_dir: Path | None = None,
        work_bytes: int | None = None,
        cap_bytes: int = _CAP_BYTES,
        sockets: int = SOCKETS,
        children: int = 8,
        hosts: Hosts | None = None,
        cookies: CookiePool | None = None,
        versions: Versions | Trial | None = None,
        patience: Patience | None = None,
        times: Times | None = None,
        resolver: AbstractResolver | None = None,
        isolated: bool = True,
    ) -> None:
        """`allow_networks` are reachable besides the public internet, but for `own_ports` there.

        `work_dir` holds what must be put together on disk; None: a folder of the system's. All engines there
        have `work_bytes` at once; None: what its disk has. Nothing above `cap_bytes` is put together.
        `sockets`: to sites, at once; `children`: that look at links.
        `hosts` say how politely files are fetched; None: by default.
        `resolver` None: the system's. `isolated`: see `process.Cells`.

        Raises:
            ValueError: a network that cannot be allowed (see `guard.Guard`).
        """
        self._guard = Guard(allow_networks, own_ports=own_ports)
        self._user_agent = user_agent
        self._sockets = sockets
        self._seats = Seats(children)
        self._workshop = Workshop(work_dir or Path(tempfile.gettempdir()) / "peyk-work", work_bytes)
        self._cap_bytes = cap_bytes
        self._cookies = cookies
        self._versions = versions or Trial()
        self._patience = patience or Patience()
        self._times = times
        self._resolver = resolver
        self._cells = Cells(isolated=isolated)
        self._breakers = Breakers()
        self._troubles = Troubles(self._breakers)
        self._exits = AsyncExitStack()
        self._lanes = Lanes(hosts or Hosts(), self._patience.look_s)
        self._helpers = Helpers()
        self._connector: aiohttp.TCPConnector | None = None
        self._media: Media | None = None
        self._prober: Prober | None = None
        self._chooser: Chooser | None = None

    async def __aenter__(self) -> Self:
        self._connector = self._guard.connector(resolver=self._resolver, sockets=self._sockets)
        self._exits.push_async_callback(self._connector.close)
        await self._exits.enter_async_context(self._helpers)
        await self._exits.enter_async_context(self._workshop)
        self._prober = Prober(self._cells, self._workshop)
        self._chooser = await self._exits.enter_async_context(
            Chooser(self._cells, self._workshop, self._versions)
        )
        self._media = Media(
            cells=self._cells,
            proxy=await self._exits.enter_async_context(Proxy(self._guard, self._patience, self._resolver)),
            guard=self._guard,
            workshop=self._workshop,
            prober=self._prober,
            connect=self._exchange,
            cap_bytes=self._cap_bytes,
            seats=self._seats,
            cookies=self._cookies,
            versions=self._versions,
            times=self._times,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    def static_verdict(self, link: Link) -> Reason | None:
        """Why `link` can be refused without asking anyone; None: `open` will tell."""
        return self._guard.static_verdict(link)

    async def tidy(self) -> None:
        """Remove what engines left on the disk that are no more."""
        await asyncio.to_thread(self._workshop.tidy)

    @asynccontextmanager
    async def open(
        self,
        link: Link,
        wish: Wish = UNDECIDED,
        *,
        most_bytes: int = 0,
        fetched: Callable[[int], None] = lambda done_bytes: None,
    ) -> AsyncIterator[RemoteFile]:
        """The file that `link` leads to, as it is wished, readable until the context ends.

        Of a film, files above the cap are put together as well, up to `most_bytes`, if that is more.
        `fetched` is told how much is there of what is put together.

        Raises:
            ChoiceNeeded: on entering: it is not said which of several things is wished.
            SourceError: on entering, and while reading; a SourceTemporary may pass, a NotYet waits its turn.
        """
        if self._media is None or self._prober is None or self._chooser is None:
            raise RuntimeError("Sources is used within `async with`")
        reason = self.static_verdict(link)
        if reason is not None:
            raise SourceError(reason, link.host)
        way = route(link, await self._chooser.choose(link))
        order = Order(way=way, wish=wish, most_bytes=max(most_bytes, self._cap_bytes), fetched=fetched)
        # a host that fails is down; of a family of extractors one link may be odd
        about = way.link.url if way.is_named else ""
        async with AsyncExitStack() as exits:
            with (
                self._troubles.seen(way.site),
                self._breakers.asking(way.site, about, is_host=not way.is_named),
            ):
                remote = await self._asked(way, exits)
                if remote is None:
                    remote = await exits.enter_async_context(self._media.open(order))
                    if way.is_named and not remote.is_private:
                        # found without login, and such a site does not put another film under a link
                        remote = replace(remote, fresh_s=limits.FILM_FRESH_S)
                else:
                    remote = await exits.enter_async_context(self._media.made(remote, order))
            try:
                yield remote
            except SiteFails as error:
                self._breakers.failed(way.site if way.is_named else error.site or way.site, error, about)
                raise

    async def look(self, link: Link) -> Film:
        """What yt-dlp finds behind `link`, whatever its site would answer to others.

        Raises:
            ChoiceNeeded: a list.
            SourceError
        """
        if self._media is None or self._chooser is None:
            raise RuntimeError("Sources is used within `async with`")
        return await self._media.look(route(link, await self._chooser.choose(link)))

    async def runtimes(self) -> list[str]:
        """What runs the JavaScript of sites here: names with versions, the one in use first; [] is none.

        Raises:
            SourceError: yt-dlp does not even start.
        """
        if self._media is None:
            raise RuntimeError("Sources is used within `async with`")
        return await self._media.runtimes()

    def left_version(self) -> tuple[str, str | None] | None:
        """The yt-dlp that broke and was left since the last call, and the one used now; None: Peyk's own."""
        left = self._versions.left()
        return None if left is None else (left, self._versions.chosen())

    def troubles(self) -> list[Trouble]:
        """What an operator should see to, and was not returned by a call within a day."""
        return self._troubles.fresh()

    def resting(self) -> list[Resting]:
        """The sites that fail, and are not asked for now."""
        return self._breakers.resting()

    @asynccontextmanager
    async def watched(self, remote: RemoteFile) -> AsyncIterator[RemoteFile]:
        """`remote`, wherever it comes from; a film or a song tells its `facts` when it was read."""
        if self._prober is None:
            raise RuntimeError("Sources is used within `async with`")
        async with self._prober.watched(remote) as watched:
            yield watched

    def is_film(self, remote: RemoteFile) -> bool:
        """Whether `remote` is a film that `pieces` may be able to cut."""
        return remote.mime_type in CONTAINERS and remote.size_bytes is not None

    @asynccontextmanager
    async def pieces(
        self, remote: RemoteFile, cap_bytes: int, progress: Callable[[int], None]
    ) -> AsyncIterator[Pieces]:
        """An open film (see `is_film`) in pieces of at most `cap_bytes`, each of which plays.

        They lie on disk until the context ends; `progress` is told how much of the film was fetched.

        Raises:
            CannotCut: on entering: it has to go as it is.
            SourceError: what reading `remote` raises.
        """
        if self._prober is None:
            raise RuntimeError("Sources is used within `async with`")
        cutter = Cutter(self._cells, self._workshop, self._prober.facts_of)
        async with cutter.pieces(remote, cap_bytes, progress) as pieces:
            yield pieces

    async def _asked(self, way: Route, exits: AsyncExitStack) -> RemoteFile | None:
        """The file, if the site itself answers with one; None: it is a matter for yt-dlp."""
        if way.is_named:
            return None

        async def ask(jar: Jar | None) -> RemoteFile | None:
            exchange = self._exchange(Wishes(cookies="" if jar is None else jar.text))
            exits.push_async_callback(exchange.close)
            try:
                remote = await probe(way.link, exchange)
            except SourceError as error:
                if way.source is Source.DIRECT or error.reason is not Reason.FORBIDDEN:
                    raise
                return None  # to some sites only a browser may speak, and yt-dlp looks like one
            if remote.mime_type in answers.PAGES | answers.LISTS:
                await exchange.close()
                return None
            return remote

        remote, jar = await lend(self._cookies, way, ask)
        return remote if remote is None or jar is None else replace(remote, fresh_s=0.0, is_private=True)

    def _exchange(self, wishes: Wishes) -> Exchange:
        if self._connector is None:
            raise RuntimeError("Sources is used within `async with`")
        return Exchange(
            self._guard,
            self._connector,
            self._user_agent,
            self._patience,
            self._lanes,
            self._helpers,
            wishes,
        )
