"""The media source: a page or a list in, one film out, streamed where that can be."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from uploader.errors import Reason, SiteFails, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import Link, MediaFacts, RemoteFile
from uploader.names import safe_name
from uploader.sources import answers
from uploader.sources.cookies import CookiePool, Jar
from uploader.sources.media import messages
from uploader.sources.media.facts import Prober
from uploader.sources.media.formats import Choice, choose
from uploader.sources.media.join import join
from uploader.sources.media.local import local_file, save
from uploader.sources.media.messages import Fetched, Film, Format
from uploader.sources.media.process import Cell, Cells, Child, ChildFailed
from uploader.sources.media.stream import Connect, streamed
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.workshop import Folder, Workshop
from uploader.sources.proxy import Pass, Proxy
from uploader.sources.routing import Route, Source

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
_ENDED_LIVE: Final = frozenset({None, "not_live", "was_live"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """How long a film may take."""

    look_s: float = 90.0  # until its formats are known
    fetch_s: float = 3600.0  # of parts that are to be joined
    silence_s: float = 60.0  # of a fetch, without a byte more
    join_s: float = 600.0


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
    async def open(self, way: Route) -> AsyncIterator[RemoteFile]:
        """The best file of the film that a link leads to by its `way`, readable within the context.

        A site that wants a login is asked again with the operator's cookies; then the file is private.

        Raises:
            SourceError: on entering, and while reading; a SourceTemporary may pass.
        """
        async with self._workshop.folder() as folder:
            found, jar = await self._look_with_cookies(way, folder)
            film, choice, joined = found
            if joined is not None:
                yield joined if jar is None else replace(joined, is_private=True)
                return
        given = choice.formats[0]
        async with streamed(given, self._connect, lambda: self._find(way, given.id, jar)) as remote:
            if remote.mime_type in answers.PAGES:
                raise SourceError(Reason.NO_MEDIA, f"{way.link.host}: a page instead of a film")
            async with self._prober.watched(_named(remote, film, given)) as watched:
                described = _described(watched, film)
                yield described if jar is None else replace(described, fresh_s=0.0, is_private=True)

    async def _look_with_cookies(
        self, way: Route, folder: Folder
    ) -> tuple[tuple[Film, Choice, RemoteFile | None], Jar | None]:
        """What `_look_and_fetch` finds, and the cookies that were needed for it."""
        try:
            return await self._look_and_fetch(way, folder, None), None
        except SourceError as error:
            if self._cookies is None or error.reason not in _LOCKED:
                raise
            locked = error
        for jar in await self._cookies.choose(way.link, way.family):
            try:
                found = await self._look_and_fetch(way, folder, jar)
            except SourceError as error:
                if error.reason not in _LOCKED:
                    raise
                await self._cookies.rejected(jar, way.link)
            else:
                await self._cookies.worked(jar)
                return found, jar
        raise locked

    async def _look_and_fetch(
        self, way: Route, folder: Folder, jar: Jar | None
    ) -> tuple[Film, Choice, RemoteFile | None]:
        """What was found, what of it is to be brought, and that, if it had to be put together here."""
        async with self._looking(way, folder, jar) as work:
            film = await self._film(work)
            choice = choose(film, self._cap_bytes)
            if choice.container is None:
                return film, choice, None
            parts = await self._fetch(work, choice, folder)
        extension = f".{choice.container}"
        name = _title(film, way.link.host + extension, extension)
        into = folder.path / f"film{extension}"
        async with self._workshop.turns:
            with _told(way.link.host):
                front = await join(parts, into, self._cells, self._cell(folder, self._times.join_s))
        for part in parts:
            part.unlink()
        whole = local_file(into, name, answers.mime_type_of_name(name), front)
        size_bytes = whole.size_bytes or 0
        joined = replace(whole, facts=lambda: self._prober.facts_of(into, size_bytes, front))
        return film, choice, _described(joined, film)

    async def look(self, link: Link) -> Film:
        """What is behind `link`, without any cookies. Raises what `open` raises."""
        way = Route(link=link, source=Source.MEDIA, extractor=None)
        async with self._workshop.folder() as folder, self._looking(way, folder, None) as work:
            return await self._film(work)

    async def _film(self, work: "_Work") -> Film:
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

    async def _fetch(self, work: "_Work", choice: Choice, folder: Folder) -> list[Path]:
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

    async def _save(self, work: "_Work", given: Format, path: Path, folder: Folder) -> None:
        async def renew() -> Format:
            return await self._find(work.way, given.id, work.jar)

        async with streamed(given, self._connect, renew) as remote:
            most_bytes = min(remote.size_bytes or self._cap_bytes, self._cap_bytes)
            await folder.hold(_COPIES * most_bytes)
            await save(remote, path, self._cap_bytes, lambda done_bytes: None)

    @asynccontextmanager
    async def _looking(self, way: Route, folder: Folder, jar: Jar | None) -> AsyncIterator["_Work"]:
        times = self._times
        most_bytes = int(_LOOK_BYTES + self._cap_bytes * _OVERHEAD)
        wall_s = times.look_s + times.fetch_s
        with _told(way.link.host), self._proxy.admit(size_bytes=most_bytes, duration_s=wall_s) as granted:
            version = self._versions.folder()
            reads = () if version is None else (str(version),)
            cell = replace(self._cell(folder, wall_s), reads=reads)
            async with self._cells.start((*_START, *reads), cell, self._proxy) as child:
                yield _Work(way, jar, child, granted, times, self._cap_bytes)

    def _cell(self, folder: Folder, wall_s: float) -> Cell:
        return Cell(
            folder=folder.path,
            wall_s=wall_s,
            cpu_s=int(wall_s),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=int(self._cap_bytes * _OVERHEAD),
        )


class _Work:
    """One yt-dlp child at work on one link."""

    def __init__(
        self, way: Route, jar: Jar | None, child: Child, granted: Pass, times: Times, cap_bytes: int
    ) -> None:
        self.way = way
        self.jar = jar
        self._child = child
        self._granted = granted
        self._times = times
        self._cap_bytes = cap_bytes

    async def look(self) -> Film:
        """What is behind the link.

        Raises:
            SourceError: nothing that can be brought.
        """
        async with asyncio.timeout(self._times.look_s):
            proxy = self._granted.url(self._child.proxy_port)
            order = {"look": self.way.link.url, "extractor": self.way.extractor, "proxy": proxy}
            await self._child.say({**order, "cookies": None if self.jar is None else self.jar.text})
            said = self._checked(messages.read(await self._child.hear()))
        if not isinstance(said, Film):
            raise SourceTemporary(Reason.INTERNAL, "an answer to another question")
        if said.live_status not in _ENDED_LIVE:
            upcoming = said.live_status == "is_upcoming"
            raise SourceError(Reason.UPCOMING if upcoming else Reason.LIVE, self.way.link.host)
        return said

    async def fetch(self, wanted: Sequence[tuple[int, Path]], came: Callable[[int], Awaitable[None]]) -> None:
        """Have segments fetched into files; `came` is told how much is there, and may raise.

        Raises:
            SourceError: they cannot be, or are more than the cap.
        """
        orders = [{"format": number, "path": str(path)} for number, path in wanted]
        await self._child.say({"fetch": orders, "cap_bytes": self._cap_bytes})
        while True:
            async with asyncio.timeout(self._times.silence_s):
                said = self._checked(messages.read(await self._child.hear()))
            if isinstance(said, Fetched):
                return
            if isinstance(said, messages.Progress):
                await came(said.done_bytes)

    def _checked(self, said: messages.Message) -> messages.Message:
        if not isinstance(said, messages.Failed):
            return said
        refusal = self._granted.refusal
        if refusal in {Reason.PRIVATE_ADDRESS, Reason.TOO_LARGE, Reason.NO_SUCH_HOST}:
            # the proxy knows better what the child can only see as a broken connection
            raise SourceError(refusal, self.way.link.host)
        raise said.as_error(self.way.link.host)


@contextmanager
def _told(host: str) -> Iterator[None]:
    """The failures of children in our terms; of several at once the first counts."""
    try:
        yield
    except (TimeoutError, ChildFailed, ExceptionGroup) as error:
        raise _as_source_error(_first(error), host) from None


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _as_source_error(error: Exception, host: str) -> Exception:
    if isinstance(error, TimeoutError):
        return SourceTemporary(Reason.TIMED_OUT, f"{host}: media")
    if isinstance(error, ChildFailed):
        return SourceTemporary(Reason.SITE_BROKEN, f"{host}: a child ended with {error}")
    return error


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
