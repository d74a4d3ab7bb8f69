"""For who has something that must be written down, or read, however long the database is away."""

import asyncio
import inspect
from typing import Any, Final, TypeVar, cast

from uploader.errors import StorageUnavailable
from uploader.supervision import heed_cancel

_AGAIN_S: Final = 0.5

_T = TypeVar("_T")


def patient(store: _T) -> _T:
    """`store`, whose calls are made again until the database answers. Who has waited enough cancels them.

    For calls that may be repeated: whether the first was kept is unknown.
    """
    return cast(_T, _Patient(store))


class _Patient:
    def __init__(self, store: object) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if not inspect.iscoroutinefunction(call):
            return call

        async def until_answered(*arguments: Any, **named: Any) -> Any:
            while True:
                try:
                    return await call(*arguments, **named)
                except StorageUnavailable:
                    heed_cancel()
                    await asyncio.sleep(_AGAIN_S)

        return until_answered
