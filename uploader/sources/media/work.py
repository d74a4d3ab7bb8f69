"""One yt-dlp child at work on one link: what it is told, and what its failures come to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from uploader import limits
from uploader.errors import NotYet, Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.machine import is_starved
from uploader.places import Place
from uploader.sources.cookies import Jar
from uploader.sources.media import messages
from uploader.sources.media.messages import Fetched, Film, Listed
from uploader.sources.media.process import Child, ChildFailed
from uploader.sources.proxy import Pass
from uploader.sources.routing import Route
from uploader.wishes import ChoiceNeeded

#: A fetch brings at least this much each `Times.silence_s`.
_FLOOR_BYTES: Final = 64 * 1024
#: Beside what is fetched: lists, keys, heads, and what had to be asked for again.
_BESIDE_BYTES: Final = 64 * MIB
_ENDED_LIVE: Final = frozenset({None, "not_live", "was_live"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """How long a film may take."""

    look_s: float = 90.0  # until its formats are known
    fetch_s: float = 3600.0  # of parts that are to be joined
    silence_s: float = 60.0  # of a fetch, without 64 KiB more
    join_s: float = 600.0


class Work:
    """One yt-dlp child at work on one link."""

    def __init__(
        self,
        way: Route,
        jar: Jar | None,
        child: Child,
        granted: Pass,
        times: Times,
        most_bytes: int,
        warned: Callable[[str], None],
        seat: Place,
    ) -> None:
        """`warned` is told what yt-dlp warns of, `seat` what was brought meanwhile."""
        self.seat = seat
        self.way = way
        self.jar = jar
        self._warned = warned
        self._child = child
        self._granted = granted
        self._times = times
        self.most_bytes = most_bytes

    async def look(self) -> Film:
        """What is behind the link.

        Raises:
            ChoiceNeeded: a list, of whose entries one has to be named.
            SourceError: nothing that can be brought.
        """
        async with asyncio.timeout(self._times.look_s):
            proxy = self._granted.url(self._child.port)
            order = {"look": self.way.link.url, "extractor": self.way.extractor, "proxy": proxy}
            await self._child.say({**order, "cookies": None if self.jar is None else self.jar.text})
            said = await self._answer()
        if isinstance(said, Listed):
            raise ChoiceNeeded(said.as_offer(self.way.link.host))
        if not isinstance(said, Film):
            raise SourceTemporary(Reason.INTERNAL, "an answer to another question")
        if said.live_status not in _ENDED_LIVE:
            upcoming = said.live_status == "is_upcoming"
            raise SourceError(Reason.UPCOMING if upcoming else Reason.LIVE, self.way.link.host)
        return said

    async def runtimes(self) -> list[str]:
        """What runs the JavaScript of sites, in the cell: names with versions, the one in use first."""
        async with asyncio.timeout(self._times.look_s):
            await self._child.say({"runtimes": True})
            said = messages.read(await self._child.hear())
        return said.found if isinstance(said, messages.Runtimes) else []

    async def fetch(self, wanted: Sequence[tuple[int, Path]], came: Callable[[int], Awaitable[None]]) -> None:
        """Have segments fetched into files; `came` is told how much is there, and may raise.

        Raises:
            SourceError: they cannot be, or are more than `most_bytes`.
        """
        orders = [{"format": number, "path": str(path)} for number, path in wanted]
        await self._fetch({"fetch": orders, "cap_bytes": self.most_bytes}, came)

    async def fetch_subtitles(self, language: str, path: Path, most_bytes: int) -> None:
        """Have subtitles fetched into a file.

        Raises:
            SourceError: they cannot be, or are more than `most_bytes`.
        """

        async def came(size_bytes: int) -> None:
            """Room for them is there."""

        await self._fetch({"subtitles": language, "path": str(path), "cap_bytes": most_bytes}, came)

    async def _fetch(self, order: dict[str, Any], came: Callable[[int], Awaitable[None]]) -> None:
        await self._child.say(order)
        pass_bytes, after_bytes = self._granted.left_bytes, 0
        while True:
            async with asyncio.timeout(self._times.silence_s):
                while (done_bytes := await self._done_bytes()) is not None and done_bytes < after_bytes:
                    await came(done_bytes)
            if done_bytes is None:
                return
            await came(done_bytes)
            after_bytes = done_bytes + _FLOOR_BYTES
            if pass_bytes - self._granted.left_bytes > _BESIDE_BYTES + 2 * done_bytes:
                raise SourceError(Reason.SITE_BROKEN, f"{self.way.link.host}: framing without end")

    async def _done_bytes(self) -> int | None:
        """How much of what is fetched is there, as soon as that is told; None: all of it."""
        while not isinstance(said := await self._answer(), Fetched):
            if isinstance(said, messages.Progress):
                return said.done_bytes
        return None

    async def _answer(self) -> messages.Message:
        """What the child says next, but for warnings: those are for the log."""
        while isinstance(said := messages.read(await self._child.hear()), messages.Warned):
            self._warned(said.words)
        return self._checked(said)

    def _checked(self, said: messages.Message) -> messages.Message:
        if not isinstance(said, messages.Failed):
            return said
        refusal = self._granted.refusal
        if refusal is Reason.NO_ROOM:
            raise _no_room(self.way.link.host)
        if refusal in {Reason.PRIVATE_ADDRESS, Reason.TOO_LARGE, Reason.NO_SUCH_HOST}:
            # the proxy knows better what the child can only see as a broken connection
            raise SourceError(refusal, self.way.link.host)
        raise said.as_error(self.way.link.host)


@contextmanager
def told(host: str) -> Iterator[None]:
    """The failures of children in our terms; of several at once the first counts."""
    try:
        yield
    except (TimeoutError, ChildFailed, ExceptionGroup) as error:
        raise _as_source_error(_first(error), host) from None


def _no_room(detail: str) -> NotYet:
    return NotYet(Reason.NO_ROOM, detail, wait_s=limits.SCARCE_REST_S)


def _first(error: Exception) -> Exception:
    return _first(error.exceptions[0]) if isinstance(error, ExceptionGroup) else error


def _as_source_error(error: Exception, host: str) -> Exception:
    if is_starved():
        return _no_room(f"{host}: {type(error).__name__}")
    if isinstance(error, TimeoutError):
        return SourceTemporary(Reason.TIMED_OUT, f"{host}: media")
    if isinstance(error, ChildFailed):
        return SourceTemporary(Reason.SITE_BROKEN, f"{host}: a child ended with {error}")
    return error
