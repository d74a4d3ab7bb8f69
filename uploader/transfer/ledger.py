"""What of one upload the data centre has acknowledged, and writing that down now and then."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from uploader.model import Checkpoint
from uploader.transfer import parts

#: Acknowledgements are saved after this many seconds or this many parts, whichever comes first.
_SAVE_S: Final = 1.0
SAVE_PARTS: Final = 64


class Ledger:
    """Counts acknowledged bytes for `report` and, if there is a `checkpoint`, keeps it for `save`.

    `checkpoint` None: this upload cannot be resumed, and nothing is saved.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        save: Callable[[Checkpoint], Awaitable[None]],
        report: Callable[[int], None],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checkpoint = checkpoint
        self._acked = bytearray(checkpoint.acked if checkpoint else b"")
        self._done_bytes = parts.marked_bytes(self._acked, checkpoint.size_bytes) if checkpoint else 0
        self._save = save
        self._report = report
        self._unsaved = 0
        self._now = now
        self._saved_at = now()
        self._saving = False
        report(self._done_bytes)

    async def acknowledge(self, part: int, size_bytes: int) -> None:
        """Note that a part of `size_bytes` was acknowledged; save if it is time (raises as `save` does)."""
        self._done_bytes += size_bytes
        self._report(self._done_bytes)
        if self._checkpoint is None:
            return
        parts.mark(self._acked, part)
        self._unsaved += 1
        due = self._unsaved >= SAVE_PARTS or self._now() - self._saved_at >= _SAVE_S
        if due and not self._saving:  # one at a time: an older one must not overtake a newer
            await self._write_down()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Save the last acknowledgements however the block ends; a cancellation stays a cancellation."""
        try:
            yield
        except asyncio.CancelledError as cancelled:
            try:
                await self._write_down()
            finally:
                raise cancelled
        except BaseException:
            await self._write_down()
            raise
        await self._write_down()

    async def _write_down(self) -> None:
        if self._checkpoint is None or not self._unsaved:
            return
        unsaved = self._unsaved
        self._saving = True
        try:
            await self._save(dataclasses.replace(self._checkpoint, acked=bytes(self._acked)))
            self._unsaved -= unsaved
        finally:
            self._saving = False
            self._saved_at = self._now()
