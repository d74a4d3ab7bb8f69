"""Asks yt-dlp whose a link is, in a child: its patterns take 30 MB, and with some links they find no end."""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self

import structlog

from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB
from uploader.model import Link
from uploader.sources.media.process import Cell, Cells, Child, ChildFailed
from uploader.sources.media.versions import Trial, Versions
from uploader.sources.media.workshop import Workshop
from uploader.supervision import Helpers, every

_PROGRAM: Final = (sys.executable, "-I", str(Path(__file__).with_name("start.py")), "extractors")
#: Under a millisecond, as a rule; the first answer waits until yt-dlp is loaded.
_ANSWER_S: Final = 15.0
#: Of those that wait for an answer, the last one's patience.
_PATIENCE_S: Final = 60.0
_WAITING: Final = 64
#: A child without questions goes, and its memory with it; a busy one is replaced now and then.
_IDLE_S: Final = 60.0
_LIFE_S: Final = 3600.0
_MEMORY_BYTES: Final = 512 * MIB
_NAME_CHARACTERS: Final = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Question:
    url: str
    answer: asyncio.Future[str]


class Chooser:
    """One child for all links, started for the first. An async context manager: it owns the child."""

    def __init__(
        self,
        cells: Cells,
        workshop: Workshop,
        versions: Versions | Trial,
        *,
        answer_s: float = _ANSWER_S,
        idle_s: float = _IDLE_S,
    ) -> None:
        """`versions`: whose patterns; `answer_s`: for one link; `idle_s`: a child stays without questions."""
        self._cells = cells
        self._workshop = workshop
        self._versions = versions
        self._answer_s = answer_s
        self._idle_s = idle_s
        self._questions: asyncio.Queue[_Question] = asyncio.Queue(_WAITING)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        helpers = await self._exits.enter_async_context(Helpers())
        helpers.start(every(0.0, "chooser of extractors", self._serve), name="chooser")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    async def choose(self, link: Link) -> str:
        """yt-dlp's name of the extractor that `link` belongs to.

        Raises:
            SourceError: TIMED_OUT: its pattern finds no end with this link.
            SourceTemporary: TIMED_OUT: too many ask; INTERNAL: the child does not live.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                try:
                    return await self._ask(link)
                except ChildFailed:
                    return await self._ask(link)  # it may have died before it was asked
        except TimeoutError:
            raise SourceTemporary(Reason.TIMED_OUT, f"{link.host}: many links") from None
        except ChildFailed as error:
            raise SourceTemporary(Reason.INTERNAL, f"{link.host}: the chooser ended with {error}") from None

    async def _ask(self, link: Link) -> str:
        question = _Question(link.url, asyncio.get_running_loop().create_future())
        await self._questions.put(question)
        return await question.answer

    async def _serve(self) -> None:
        """Child after child, as long as there are questions."""
        question: _Question | None = await self._questions.get()
        while question is not None:
            question = await self._serve_by_child(question)

    async def _serve_by_child(self, first: _Question) -> _Question | None:
        """Answer the first question and more; returns one that is for the next child."""
        question: _Question | None = first
        failure: Exception | None = None
        try:
            version, until = self._versions.folder(), monotonic() + _LIFE_S
            reads = () if version is None else (str(version),)
            async with (
                self._workshop.folder("chooser") as folder,
                self._cells.start((*_PROGRAM, *reads), self._cell(folder.path, reads)) as child,
            ):
                while question is not None:
                    if self._versions.folder() != version or monotonic() > until:
                        return question
                    name = await self._name(child, question)
                    if not question.answer.done():
                        question.answer.set_result(name)
                    question = await self._next()
        except SourceError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - who asked is told, and waits for nothing
            known = isinstance(error, OSError | ChildFailed)
            _log.warning(
                "no extractor can be chosen", cause=type(error).__name__, exc_info=None if known else error
            )
            failure = ChildFailed(type(error).__name__)
            if question is first and known:
                self._versions.broke()
        # told when the child is gone: whoever hears it may end us
        if question is not None and failure is not None and not question.answer.done():
            question.answer.set_exception(failure)
        return None

    def _cell(self, folder: Path, reads: tuple[str, ...]) -> Cell:
        return Cell(
            folder=folder,
            wall_s=_LIFE_S + self._idle_s + self._answer_s,
            cpu_s=int(_LIFE_S),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=0,
            files=64,
            reads=reads,
        )

    async def _name(self, child: Child, question: _Question) -> str:
        try:
            async with asyncio.timeout(self._answer_s):
                await child.say(question.url)
                name = await child.hear()
        except TimeoutError:
            raise SourceError(Reason.TIMED_OUT, "no extractor in time") from None
        if not isinstance(name, str) or not 0 < len(name) <= _NAME_CHARACTERS:
            raise ChildFailed("nonsense")
        return name

    async def _next(self) -> _Question | None:
        """The next question; None when there is none for a while."""
        try:
            async with asyncio.timeout(self._idle_s):
                return await self._questions.get()
        except TimeoutError:
            return None
