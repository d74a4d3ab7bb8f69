"""The bytes of a file that Telegram holds, several pieces in flight, in order.

Pieces come over the bot's own connection, those of a file that lies in another data centre over one to
there, which Telethon makes by exporting the login. https://core.telegram.org/api/files#downloading-files
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

import structlog
from telethon import TelegramClient
from telethon.tl import types

from uploader import limits
from uploader.errors import FloodWait, NoAnswer, NotYet, PeykError, Reason, SourceTemporary
from uploader.supervision import Helpers
from uploader.telegram.messages import Held
from uploader.telegram.refusals import REFERENCE, translated

#: The most that Telethon asks for at once; it divides a MiB, as a piece must.
PIECE_BYTES: Final = 512 * 1024
#: Pieces on their way of one file, and of all together: they share a connection with the bot's answers.
IN_FLIGHT: Final = 4
IN_FLIGHT_OF_ALL: Final = 12
PIECE_S: Final = 60.0
#: How often one piece is asked for, and how often Telegram may make it wait.
_TRIES: Final = 3
_WAITS: Final = 10

_log = structlog.get_logger(__name__)

#: Reads the message of a file anew. Raises SourceError: it is gone.
Renew = Callable[[], Awaitable[Held]]


class Downloads:
    """Reads files that one account, the bot's, can see. An async context manager: it owns its tasks."""

    def __init__(self, client: TelegramClient) -> None:
        self._client = client
        self._room = asyncio.Semaphore(IN_FLIGHT_OF_ALL)
        self._helpers = Helpers()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._helpers.__aexit__(kind, error, trace)

    def reading(self, held: Held, renew: Renew) -> "Reading":
        """The bytes of `held`; `renew` is asked when Telegram wants a new proof that the file was seen."""
        return Reading(self._client, self._room, self._helpers, held, renew)


class Reading:
    """One file. A `read` holds at most `IN_FLIGHT` pieces in memory, and one on its way out."""

    def __init__(
        self,
        client: TelegramClient,
        room: asyncio.Semaphore,
        helpers: Helpers,
        held: Held,
        renew: Renew,
    ) -> None:
        self._client = client
        self._room = room
        self._helpers = helpers
        self._held = held
        self._renew = renew
        self._renewing = asyncio.Lock()

    async def read(self, start: int, stop: int | None) -> AsyncIterator[bytes]:
        """See `RemoteFile.read`.

        Raises:
            NotYet: Telegram wants to be asked later.
            SourceError: what `renew` raises; CHANGED, as a SourceTemporary.
            TelegramError
        """
        stop = self._held.size_bytes if stop is None else min(stop, self._held.size_bytes)
        offsets = iter(range(start - start % PIECE_BYTES, stop, PIECE_BYTES) if start < stop else ())
        ahead: deque[tuple[int, asyncio.Task[bytes]]] = deque()
        try:
            while True:
                while len(ahead) < IN_FLIGHT and (offset := next(offsets, None)) is not None:
                    ahead.append((offset, self._helpers.start(self._whole_piece(offset))))
                if not ahead:
                    return
                offset, task = ahead[0]
                piece = await task
                ahead.popleft()
                del task
                yield piece[max(0, start - offset) : stop - offset]
        finally:
            for _, task in ahead:
                task.cancel()
            await asyncio.gather(*(task for _, task in ahead), return_exceptions=True)

    async def thumbnail(self) -> bytes | None:
        """The small picture of a document; None if it has none, or Telegram does not give it."""
        if not self._held.thumb_type:
            return None
        try:
            return await self._piece(0, self._held.thumb_type)
        except PeykError as error:
            _log.info("a picture is left out", cause=str(error))
            return None

    async def _whole_piece(self, offset: int) -> bytes:
        piece = await self._piece(offset)
        if len(piece) != min(PIECE_BYTES, self._held.size_bytes - offset):
            raise SourceTemporary(Reason.CHANGED, f"{len(piece)} bytes at {offset}")
        return piece

    async def _piece(self, offset: int, size_type: str = "") -> bytes:
        tries = waits = 0
        while True:
            held = self._held
            try:
                async with self._room:
                    return await self._once(held, offset, size_type)
            except REFERENCE:
                tries += 1
                if tries == _TRIES:
                    raise SourceTemporary(Reason.CHANGED, "references expire at once") from None
                await self._refer(held)
            except FloodWait as flood:
                waits += 1
                if flood.wait_s > limits.PARKED_S or waits == _WAITS:
                    raise NotYet(Reason.SITE_BUSY, str(flood), wait_s=flood.wait_s) from None
                await asyncio.sleep(flood.wait_s)
            except NoAnswer:
                tries += 1
                if tries == _TRIES:
                    raise

    async def _once(self, held: Held, offset: int, size_type: str) -> bytes:
        pieces = self._client.iter_download(
            _location(held, size_type), offset=offset, limit=1, request_size=PIECE_BYTES, dc_id=held.dc_id
        )
        async with translated(), asyncio.timeout(PIECE_S):
            try:
                return bytes(await anext(pieces))
            finally:
                with suppress(AttributeError):  # ended before it had a connection to give back
                    await pieces.close()

    async def _refer(self, used: Held) -> None:
        """See the file again, unless another piece did so since `used` was read."""
        async with self._renewing:
            if self._held is not used:
                return
            seen = await self._renew()
            if (seen.document.id, seen.size_bytes) != (used.document.id, used.size_bytes):
                raise SourceTemporary(Reason.CHANGED, "another file is in its message")
            self._held = replace(used, document=seen.document)


def _location(held: Held, size_type: str) -> Any:
    known = held.document
    make = types.InputPhotoFileLocation if known.is_photo else types.InputDocumentFileLocation
    return make(known.id, known.access_hash, known.file_reference, thumb_size=size_type or held.size_type)
