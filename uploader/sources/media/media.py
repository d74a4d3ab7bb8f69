"""The media source: a page or a list in, one film out, streamed where that can be."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from uploader.errors import Reason, SiteFails, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import MediaFacts, RemoteFile
from uploader.names import safe_name
from uploader.sources import answers
from uploader.sources.cookies import CookiePool, Jar
from uploader.sources.media.facts import Prober
from uploader.sources.media.formats import Choice, choose
from uploader.sources.media.join import join
from uploader.sources.media.local import local_file, save
from uploader.sources.media.messages import Film, Format
from uploader.sources.media.offers import offer_of
from uploader.sources.media.process import Cell, Cells, ChildFailed
from uploader.sources.media.stream import Connect, streamed
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.work import Times, Work, told
from uploader.sources.media.workshop import Folder, Workshop
from uploader.sources.proxy import Proxy
from uploader.sources.routing import Route
from uploader.wishes import ASK, ChoiceNeeded, Wish

_START: Final = (sys.executable, "-I", str(Path(__file__).with_name("start.py")), "child")
#: A look loads a page or two and some lists.
_LOOK_BYTES: Final = 64 * MIB
_MEMORY_BYTES: Final = 1024 * MIB
#: Segments and their heads weigh more than the film that is in them.
_OVERHEAD: Final = 1.25
#: The parts, and what they are joined into.
_COPIES: Final = 2
_EXTENSION: Final = re.compile(r"[a-z0-9]{2,5}")
#: What a site says that wants a login, or whose patience with strangers is over.
_LOCKED: Final = frozenset({Reason.NEEDS_LOGIN, Reason.FORBIDDEN})
#: What extractors that no longer fit their site end with.
_BROKEN: Final = frozenset({Reason.INTERNAL, Reason.SITE_BROKEN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be brought of a link."""

    way: Route
    wish: Wish
    most_bytes: int  # no file above this is brought


class Media:
    """Opens films."""

    def __init__(
        self,
        *,
        cells: Cells,
        proxy: Proxy,
        workshop: Workshop,
        prober: Prober,
        connect: Connect,
        cap_bytes: int,
        cookies: CookiePool | None = None,
        versions: Versions | Trial | None = None,
        times: Times | None = None,
    ) -> None:
        """`connect` makes an exchange that says what an extractor wishes; `cap_bytes` is Telegram's."""
        self._cells = cells
        self._proxy = proxy
        self._workshop = workshop
        self._prober = prober
        self._connect = connect
        self._cap_bytes = cap_bytes
        self._cookies = cookies
        self._versions = versions or Trial()
        self._times = times or Times()

    @asynccontextmanager
    async def open(self, order: Order) -> AsyncIterator[RemoteFile]:
        """The file of a film as it is ordered, readable within the context.

        A site that wants a login is asked again with the operator's cookies; then the file is private.

        Raises:
            ChoiceNeeded: on entering.
            SourceError: on entering, and while reading; a SourceTemporary may pass.
        """
        async with self._workshop.folder() as folder:
            found, jar = await self._look_with_cookies(order, folder)
            film, choice, joined = found
            if joined is not None:
                yield joined if jar is None else replace(joined, is_private=True)
                return
        given, way = choice.formats[0], order.way
        async with streamed(given, self._connect, lambda: self._find(way, given.id, jar)) as remote:
            if remote.mime_type in answers.PAGES:
                raise SourceError(Reason.NO_MEDIA, f"{way.link.host}: a page instead of a film")
            async with self._prober.watched(_named(remote, film, given)) as watched:
                described = _described(watched, film)
                yield described if jar is None else replace(described, fresh_s=0.0, is_private=True)

    async def _look_with_cookies(
        self, order: Order, folder: Folder
    ) -> tuple[tuple[Film, Choice, RemoteFile | None], Jar | None]:
        """What `_look_and_fetch` finds, and the cookies that were needed for it."""
        try:
            return await self._look_and_fetch(order, folder, None), None
        except SourceError as error:
            if self._cookies is None or error.reason not in _LOCKED:
                raise
            locked = error
        for jar in await self._cookies.choose(order.way.link, order.way.family):
            try:
                found = await self._look_and_fetch(order, folder, jar)
            except ChoiceNeeded as needed:
                await self._cookies.worked(jar)
                raise ChoiceNeeded(needed.offer, is_private=True) from None
            except SourceError as error:
                if error.reason not in _LOCKED:
                    raise
                await self._cookies.rejected(jar, order.way.link)
            else:
                await self._cookies.worked(jar)
                return found, jar
        raise locked

    async def _look_and_fetch(
        self, order: Order, folder: Folder, jar: Jar | None
    ) -> tuple[Film, Choice, RemoteFile | None]:
        """What was found, what of it is to be brought, and that, if it had to be put together here."""
        way, wish = order.way, order.wish.format
        async with self._looking(way, folder, jar) as work:
            film = await self._film(work)
            if wish == ASK and (offer := offer_of(film, self._cap_bytes)).options:
                raise ChoiceNeeded(replace(offer, title=offer.title or way.link.host))
            choice = choose(film, self._cap_bytes, wish=wish, most_bytes=order.most_bytes)
            if choice.container is None:
                return film, choice, None
            parts = await self._fetch(work, choice, folder)
        extension = f".{choice.container}"
        name = _title(film, way.link.host + extension, extension)
        into = folder.path / f"film{extension}"
        async with self._workshop.turns:
            with told(way.link.host):
                front = await join(parts, into, self._cells, self._cell(folder, self._times.join_s))
        for part in parts:
            part.unlink()
        whole = local_file(into, name, answers.mime_type_of_name(name), front)
        size_bytes = whole.size_bytes or 0
        joined = replace(whole, facts=lambda: self._prober.facts_of(into, size_bytes, front))
        return film, choice, _described(joined, film)

    async def look(self, way: Route) -> Film:
        """What a link leads to by its `way`, without any cookies. Raises what `open` raises."""
        async with self._workshop.folder() as folder, self._looking(way, folder, None) as work:
            return await self._film(work)

    async def _film(self, work: Work) -> Film:
        """The look of a child; whether it broke tells of the version of yt-dlp that is used."""
        try:
            film = await work.look()
        except (SourceError, ChildFailed) as error:
            reason = error.reason if isinstance(error, SourceError) else Reason.INTERNAL
            if reason in _BROKEN and not isinstance(error, SiteFails):
                self._versions.report(worked=False)
            raise
        self._versions.report(worked=True)
        return film

    async def _find(self, way: Route, format_id: str, jar: Jar | None) -> Format:
        """The format of that name, looked up again."""
        async with self._workshop.folder() as folder, self._looking(way, folder, jar) as work:
            film = await self._film(work)
        found = [each for each in film.formats if each.id == format_id]
        if not found:
            raise SourceTemporary(Reason.CHANGED, f"{way.link.host}: the format is gone")
        return found[0]

    async def _fetch(self, work: Work, choice: Choice, folder: Folder) -> list[Path]:
        """All parts of the choice, fetched at once into files."""
        if choice.expected_bytes is None:
            await folder.hold(_COPIES)  # it becomes more while the fetch runs
        else:
            await folder.reserve(_COPIES * choice.expected_bytes)
        paths = [folder.path / f"{number}.part" for number in choice.numbers]
        segments = [at for at, each in enumerate(choice.formats) if each.protocol not in {"http", "https"}]
        async with asyncio.TaskGroup() as tasks:
            for at, given in enumerate(choice.formats):
                if at not in segments:
                    tasks.create_task(self._save(work, given, paths[at], folder))
            if segments:
                wanted = [(choice.numbers[at], paths[at]) for at in segments]
                tasks.create_task(work.fetch(wanted, lambda size: folder.hold(_COPIES * size)))
        return paths

    async def _save(self, work: Work, given: Format, path: Path, folder: Folder) -> None:
        async def renew() -> Format:
            return await self._find(work.way, given.id, work.jar)

        async with streamed(given, self._connect, renew) as remote:
            most_bytes = min(remote.size_bytes or self._cap_bytes, self._cap_bytes)
            await folder.hold(_COPIES * most_bytes)
            await save(remote, path, self._cap_bytes, lambda done_bytes: None)

    @asynccontextmanager
    async def _looking(self, way: Route, folder: Folder, jar: Jar | None) -> AsyncIterator[Work]:
        times = self._times
        most_bytes = int(_LOOK_BYTES + self._cap_bytes * _OVERHEAD)
        wall_s = times.look_s + times.fetch_s
        with told(way.link.host), self._proxy.admit(size_bytes=most_bytes, duration_s=wall_s) as granted:
            version = self._versions.folder()
            reads = () if version is None else (str(version),)
            cell = replace(self._cell(folder, wall_s), reads=reads)
            async with self._cells.start((*_START, *reads), cell, self._proxy) as child:
                yield Work(way, jar, child, granted, times, self._cap_bytes)

    def _cell(self, folder: Folder, wall_s: float) -> Cell:
        return Cell(
            folder=folder.path,
            wall_s=wall_s,
            cpu_s=int(wall_s),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=int(self._cap_bytes * _OVERHEAD),
        )


def _named(remote: RemoteFile, film: Film, given: Format) -> RemoteFile:
    """`remote` under the film's title instead of the name of its address."""
    extension = f".{given.ext}" if _EXTENSION.fullmatch(given.ext) else ""
    name = _title(film, remote.name, extension)
    known = remote.mime_type != answers.OCTET_STREAM
    return replace(
        remote, name=name, mime_type=remote.mime_type if known else answers.mime_type_of_name(name)
    )


def _described(remote: RemoteFile, film: Film) -> RemoteFile:
    """`remote`, with what its page says of it where the file itself says nothing."""
    ask = remote.facts
    if ask is None:
        return remote

    async def facts() -> MediaFacts | None:
        told = await ask()
        if told is None:
            return None
        # of a film its page knows more than its tags, of a song they do
        titles = (told.title, film.title) if told.kind == "audio" else (film.title, told.title)
        return replace(told, title=titles[0] or titles[1], performer=told.performer or film.uploader)

    return replace(remote, facts=facts)


def _title(film: Film, fallback: str, extension: str) -> str:
    """The film's title as a file name; a slash in it is no step of a path."""
    title = re.sub(r"[/\\]", "-", film.title or "")
    return safe_name(title + extension, fallback=fallback, mime_type=None) if title else fallback
