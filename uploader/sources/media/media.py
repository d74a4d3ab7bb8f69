"""The media source: a page or a list in, one film out, streamed where that can be."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from cachetools import TTLCache

from uploader.errors import Reason, SiteFails, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import Link, RemoteFile
from uploader.places import Seats
from uploader.sources import answers
from uploader.sources.cookies import CookiePool, Jar
from uploader.sources.guard import Guard
from uploader.sources.lending import lend
from uploader.sources.media.described import described, named, title_of
from uploader.sources.media.extras import SUBTITLES_BYTES, Extras
from uploader.sources.media.facts import Prober
from uploader.sources.media.formats import PLAIN, Choice, choose
from uploader.sources.media.join import join
from uploader.sources.media.local import local_file, save
from uploader.sources.media.messages import Film, Format
from uploader.sources.media.offers import offer_of
from uploader.sources.media.process import Cell, Cells, ChildFailed
from uploader.sources.media.recipes import Recipe, check_span, name_of_file, recipe_of_file, recipe_of_film
from uploader.sources.media.render import Input, Renderer
from uploader.sources.media.stream import Connect, streamed
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.work import Times, Work, told
from uploader.sources.media.workshop import Folder, Workshop
from uploader.sources.proxy import Proxy
from uploader.sources.routing import GENERIC, Route, Source
from uploader.wishes import ASK, ChoiceNeeded, Wish

_START: Final = (sys.executable, "-I", str(Path(__file__).with_name("start.py")), "child")
#: A look loads a page or two and some lists.
_LOOK_BYTES: Final = 64 * MIB
_MEMORY_BYTES: Final = 1024 * MIB
#: Segments and their heads weigh more than the film that is in them.
_OVERHEAD: Final = 1.25
#: The parts, and what they are joined into.
_COPIES: Final = 2
#: What extractors that no longer fit their site end with.
_BROKEN: Final = frozenset({Reason.INTERNAL, Reason.SITE_BROKEN})

#: Families whose looks solve puzzles of their sites: up to 0.4 GB and 5 s of computing each, so few at once.
_PUZZLES: Final = frozenset({"youtube"})
_PUZZLES_AT_ONCE: Final = 2
#: A warning of yt-dlp's is logged once in this time for each site; film ids in it make it another one.
_WARNED_AGAIN_S: Final = 3600.0
_WARNINGS: Final = 500
_NOWHERE: Final = Link(url="http://localhost/", host="localhost")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be brought of a link."""

    way: Route
    wish: Wish
    most_bytes: int  # no file above this is brought
    fetched: Callable[[int], None]  # told how much is there of what is put together here


class Media:
    """Opens films."""

    def __init__(
        self,
        *,
        cells: Cells,
        proxy: Proxy,
        guard: Guard,
        workshop: Workshop,
        prober: Prober,
        connect: Connect,
        cap_bytes: int,
        seats: Seats,
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
        self._cap_bytes, self._seats = cap_bytes, seats
        self._cookies = cookies
        self._versions = versions or Trial()
        self._times = times or Times()
        self._extras = Extras(cells, connect)
        self._warnings: TTLCache[tuple[str, str], None] = TTLCache(_WARNINGS, _WARNED_AGAIN_S)
        self._puzzles = asyncio.Semaphore(_PUZZLES_AT_ONCE)
        wall_s = self._times.fetch_s + self._times.join_s
        self._renderer = Renderer(cells, workshop, prober, guard, wall_s)

    @asynccontextmanager
    async def open(self, order: Order) -> AsyncIterator[RemoteFile]:
        """The file of a film as it is ordered, readable within the context.

        A site that wants a login is asked again with the operator's cookies; then the file is private.

        Raises:
            ChoiceNeeded: on entering.
            SourceError: on entering, and while reading; a SourceTemporary may pass.
        """
        async with self._workshop.folder() as folder:
            (film, choice, made), jar = await lend(
                self._cookies, order.way, partial(self._look_and_fetch, order, folder)
            )
            if made is not None:
                yield made if jar is None else replace(made, is_private=True)
                return
        given, way = choice.formats[0], order.way
        async with streamed(given, self._connect, partial(self._find, way, given.id, jar)) as remote:
            if remote.mime_type in answers.PAGES:
                raise SourceError(Reason.NO_MEDIA, f"{way.link.host}: a page instead of a film")
            async with self._prober.watched(named(remote, film, given)) as watched:
                found = described(watched, film)
                yield found if jar is None else replace(found, fresh_s=0.0, is_private=True)

    async def _look_and_fetch(
        self, order: Order, folder: Folder, jar: Jar | None
    ) -> tuple[Film, Choice, RemoteFile | None]:
        """What was found, what of it is to be brought, and that, if it had to be put together here."""
        way, wish = order.way, order.wish
        async with self._looking(way, folder, jar, order.most_bytes) as work:
            film = await self._film(work)
            if wish.format == ASK and (offer := offer_of(film, self._cap_bytes)).options:
                raise ChoiceNeeded(replace(offer, title=offer.title or way.link.host))
            choice = choose(film, self._cap_bytes, wish=wish.format, most_bytes=order.most_bytes)
            recipe = recipe_of_film(film, choice, wish)
            if recipe is not None:
                check_span(recipe)
            elif choice.container is None:
                return film, choice, None
            parts = await self._fetch(work, order, choice, folder, all_of_it=recipe is None)
            words = await self._words(work, recipe, wish, folder)
        if recipe is None:
            made = await self._joined(film, choice, way, parts, folder)
        else:
            made = await self._rendered(order, film, choice, recipe, parts, words, folder, jar)
        return film, choice, described(made, film)

    async def _joined(
        self, film: Film, choice: Choice, way: Route, parts: Sequence[Path | None], folder: Folder
    ) -> RemoteFile:
        extension = f".{choice.container}"
        name = title_of(film, way.link.host + extension, extension)
        into, paths = folder.path / f"film{extension}", [each for each in parts if each is not None]
        async with self._workshop.turns:
            with told(way.link.host):
                cell = self._cell(folder, self._times.join_s, folder.reserved_bytes)
                front = await join(paths, into, self._cells, cell)
        for part in paths:
            await asyncio.to_thread(part.unlink)
        whole = local_file(into, name, answers.mime_type_of_name(name), front)
        size_bytes = whole.size_bytes or 0
        folder.keep(size_bytes)
        return replace(whole, facts=lambda: self._prober.facts_of(into, size_bytes, front))

    async def _rendered(
        self,
        order: Order,
        film: Film,
        choice: Choice,
        recipe: Recipe,
        parts: Sequence[Path | None],
        words: Path | None,
        folder: Folder,
        jar: Jar | None,
    ) -> RemoteFile:
        """What is made of the parts; those that were not fetched are streamed into it."""
        host, inputs = order.way.link.host, list[Input]()
        async with AsyncExitStack() as exits:
            for given, part in zip(choice.formats, parts, strict=True):
                if part is None:
                    renew = partial(self._find, order.way, given.id, jar)
                    remote = await exits.enter_async_context(streamed(given, self._connect, renew))
                    if remote.mime_type in answers.PAGES:
                        raise SourceError(Reason.NO_MEDIA, f"{host}: a page instead of a film")
                    inputs.append(named(remote, film, given))
                else:
                    inputs.append(part)
            cover = await self._extras.cover(film.thumbnail, folder.path) if recipe.sound else None
            extension = f".{recipe.container}"
            with told(host):
                return await self._renderer.render(
                    inputs,
                    recipe,
                    title_of(film, host + extension, extension),
                    folder,
                    order.most_bytes,
                    fetched=order.fetched,
                    cover=cover,
                    subtitles=words,
                )

    async def _words(self, work: Work, recipe: Recipe | None, wish: Wish, folder: Folder) -> Path | None:
        """The subtitles that are wished for; None: they are not, or there is something wrong with them."""
        if recipe is None or not recipe.language:
            return None
        path = folder.path / "subtitles"
        await folder.hold(folder.reserved_bytes + 3 * SUBTITLES_BYTES)
        try:
            await work.fetch_subtitles(wish.subtitles, path, SUBTITLES_BYTES)
        except (SourceError, ChildFailed, TimeoutError) as error:
            _log.info("a film comes without its subtitles", host=work.way.link.host, cause=str(error))
            return None
        return await self._extras.subtitles(path, wish.start_s, wish.stop_s)

    @asynccontextmanager
    async def made(self, remote: RemoteFile, order: Order) -> AsyncIterator[RemoteFile]:
        """A plain file as it is ordered: itself, a span of it, or the sound of a film.

        Raises:
            SourceError: on entering, and while reading.
        """
        recipe = recipe_of_file(remote, order.wish)
        if recipe is None:
            async with self._prober.watched(remote) as watched:
                yield watched
            return
        async with self._workshop.folder() as folder:
            with told(order.way.link.host):
                name = name_of_file(remote, recipe)
                made = await self._renderer.render(
                    [remote], recipe, name, folder, order.most_bytes, fetched=order.fetched
                )
            yield replace(made, fresh_s=remote.fresh_s)

    async def look(self, way: Route) -> Film:
        """What a link leads to by its `way`, without any cookies. Raises what `open` raises."""
        async with self._workshop.folder() as folder, self._looking(way, folder, None) as work:
            return await self._film(work)

    async def runtimes(self) -> list[str]:
        """What runs the JavaScript of sites here (see `Work.runtimes`).

        Raises:
            SourceError: yt-dlp does not even start.
        """
        nowhere = Route(link=_NOWHERE, source=Source.MEDIA, extractor=GENERIC)
        async with self._workshop.folder() as folder, self._looking(nowhere, folder, None) as work:
            return await work.runtimes()

    async def _film(self, work: Work) -> Film:
        """The look of a child; whether it broke tells of the version of yt-dlp that is used."""
        try:
            async with self._puzzles if work.way.family in _PUZZLES else nullcontext():
                film = await work.look()
        except ChoiceNeeded:
            self._versions.worked()
            raise
        except (SourceError, ChildFailed) as error:
            reason = error.reason if isinstance(error, SourceError) else Reason.INTERNAL
            if reason in _BROKEN and not isinstance(error, SiteFails) and work.way.is_named:
                self._versions.broke(work.way.family, work.way.link.url)
            raise
        self._versions.worked()
        return film

    async def _find(self, way: Route, format_id: str, jar: Jar | None) -> Format:
        """The format of that name, looked up again."""
        async with self._workshop.folder() as folder, self._looking(way, folder, jar) as work:
            film = await self._film(work)
        found = [each for each in film.formats if each.id == format_id]
        if not found:
            raise SourceTemporary(Reason.CHANGED, f"{way.link.host}: the format is gone")
        return found[0]

    async def _fetch(
        self, work: Work, order: Order, choice: Choice, folder: Folder, *, all_of_it: bool
    ) -> list[Path | None]:
        """The parts of the choice, fetched at once into files; None for plain ones unless `all_of_it`."""
        copies = _COPIES if all_of_it else 1
        plain = [at for at, each in enumerate(choice.formats) if each.protocol in PLAIN]
        segments = [at for at in range(len(choice.formats)) if at not in plain]
        if all_of_it and choice.expected_bytes is not None:
            await folder.reserve(copies * choice.expected_bytes)
        elif all_of_it or segments:
            await folder.hold(copies)  # it becomes more while the fetch runs
        paths = [folder.path / f"{number}.part" for number in choice.numbers]
        arrived: dict[int, int] = {}
        expected: dict[int, int] = {}

        async def came(part: int, size_bytes: int, *, is_there: bool = True) -> None:
            if is_there:
                arrived[part] = size_bytes
                order.fetched(sum(arrived.values()))
                work.seat.brought(sum(arrived.values()))
            expected[part] = max(size_bytes, expected.get(part, 0))
            await folder.hold(copies * sum(expected.values()))

        async with asyncio.TaskGroup() as tasks:
            for at in plain if all_of_it else ():
                tasks.create_task(self._save(work, choice.formats[at], paths[at], partial(came, at)))
            if segments:
                wanted = [(choice.numbers[at], paths[at]) for at in segments]
                tasks.create_task(work.fetch(wanted, partial(came, segments[0])))
        return [path if all_of_it or at in segments else None for at, path in enumerate(paths)]

    async def _save(
        self, work: Work, given: Format, path: Path, came: Callable[..., Awaitable[None]]
    ) -> None:
        renew = partial(self._find, work.way, given.id, work.jar)
        async with streamed(given, self._connect, renew) as remote:
            await came(min(remote.size_bytes or 0, work.most_bytes), is_there=False)
            await save(remote, path, work.most_bytes, came)

    @asynccontextmanager
    async def _looking(
        self, way: Route, folder: Folder, jar: Jar | None, most_bytes: int | None = None
    ) -> AsyncIterator[Work]:
        """A child; what it fetches is at most `most_bytes`; None: of the size of the cap."""
        times, most_bytes = self._times, most_bytes or self._cap_bytes
        pass_bytes = int(_LOOK_BYTES + most_bytes * _OVERHEAD)
        wall_s = times.look_s + times.fetch_s
        async with self._seats.taken() as seat:
            with told(way.link.host), self._proxy.admit(size_bytes=pass_bytes, duration_s=wall_s) as granted:
                reads = () if (version := self._versions.folder()) is None else (str(version),)
                cell = replace(self._cell(folder, wall_s, most_bytes), reads=reads)
                async with self._cells.start((*_START, *reads), cell, self._proxy) as child:
                    yield Work(way, jar, child, granted, times, most_bytes, partial(self._warned, way), seat)

    def _warned(self, way: Route, words: str) -> None:
        """Log what yt-dlp warns of, once an hour for each site; the log cuts links."""
        if (way.site, words) not in self._warnings:
            self._warnings[way.site, words] = None
            _log.info("yt-dlp warns", site=way.site, words=words)

    def _cell(self, folder: Folder, wall_s: float, most_bytes: int) -> Cell:
        return Cell(
            folder=folder.path,
            wall_s=wall_s,
            cpu_s=int(wall_s),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=int(most_bytes * _OVERHEAD),
        )
