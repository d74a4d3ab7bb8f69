"""What may fail and must end nothing: loops of the whole engine, listeners, tasks that help others."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import structlog
from cachetools import TTLCache

from uploader.errors import PeykError

#: A part that goes on failing in one way is mentioned in the log this often.
TOLD_AGAIN_S: Final = 60.0
#: Ways of failing of one part that are told apart.
_KINDS: Final = 64

#: The wait after the first failure in a row; it doubles up to the longest.
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0

_log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class FaultBarrier:
    """A block of one part of the engine: what it raises is logged and counted, and goes no further.

    Only the cancel of its own task passes. A cancel that comes from elsewhere, as from a future that a
    library gave up, is a failure as any other. May be entered by several tasks at once.
    """

    def __init__(self, part: str) -> None:
        """`part` is what the log calls it."""
        self.failures = 0
        self._in_a_row = 0
        self._part = part
        self._told: TTLCache[str, None] = TTLCache(_KINDS, TOLD_AGAIN_S)

    @property
    def pause_s(self) -> float:
        """How long to wait before the next try: longer with each failure in a row."""
        if not self._in_a_row:
            return 0.0
        return min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._in_a_row - 1, 10))

    def around(self, listener: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[None]]:
        """`listener` as one that never fails."""

        async def heard(*news: Any) -> None:
            with self:
                await listener(*news)

        return heard

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if error is None:
            self._in_a_row = 0
            return False
        if not _is_failure(error):
            return False
        self.failures += 1
        self._in_a_row += 1
        self._tell(error)
        return True

    def _tell(self, error: BaseException) -> None:
        kind = _kind_of(error)
        if kind in self._told:
            return
        self._told[kind] = None
        known = isinstance(error, PeykError)
        _log.warning(
            "failed, and goes on" if known else "failed unexpectedly, and goes on",
            part=self._part,
            cause=str(error) or type(error).__name__,
            failures=self.failures,
            exc_info=None if known else error,
        )


async def every(
    pause_s: float,
    part: str,
    turn: Callable[[], Awaitable[object]],
    *,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Await `turn` again and again, `pause_s` between, until `until` says so, whatever `turn` raises.

    After failures the pause is longer. `part` is what the log calls the loop.
    """
    barrier = FaultBarrier(part)
    while not until():
        with barrier:
            await turn()
        heed_cancel()
        await asyncio.sleep(pause_s + barrier.pause_s)


def heed_cancel() -> None:
    """Raise the cancel of this task that was swallowed on the way: for who would go on without end.

    Before Python 3.13 a task group that fails in the moment of a cancel raises its failure alone; before 3.12
    `wait_for`, which libraries use, may lose one. https://github.com/python/cpython/issues/86296
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Helpers:
    """Tasks that work for others. What one raises goes to who awaits it, and to no other task.

    An async context manager: tasks that are left are cancelled at its end.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def start(self, work: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        """Run `work` beside who asks."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # who awaits the task is told; asyncio need not complain that nobody did


def _is_failure(error: BaseException) -> bool:
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, Exception)


def _kind_of(error: BaseException) -> str:
    """What failed in the same place in the same way is of one kind."""
    place = traceback.extract_tb(error.__traceback__, limit=-1)
    where = f"{place[0].filename}:{place[0].lineno}" if place else ""
    return f"{type(error).__qualname__} {where}"
