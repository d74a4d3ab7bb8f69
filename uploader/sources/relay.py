"""Bytes between a child and a site, counted, each wait bounded."""

import asyncio
from collections.abc import Callable
from typing import Final

from uploader.sources import heads

_CHUNK_BYTES: Final = 128 * 1024
#: Before its answer, a site may send notes (100, 103); no more of them are borne.
_NOTES: Final = 5

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def move(deadline: asyncio.Timeout, when: float) -> None:
    """Put a deadline off, or bring it forward, by the loop's clock; one that has passed stays passed.

    `reschedule` raises for such a one, into whoever calls it: perhaps the task of another connection.
    """
    if not deadline.expired():
        deadline.reschedule(when)


class _ChildLeft(ConnectionError):
    """The child closed its connection: what the site still sends is for nobody."""


class Relay:
    """One connection of a child, joined to one of a site. Ends with whichever of them ends."""

    def __init__(self, child: Ends, site: Ends, spend: Callable[[int], None], silence_s: float) -> None:
        """`spend` is told of all bytes before they go, either way, and raises an OSError to stop them.

        `silence_s` without any bytes ends the connection.
        """
        self._child, self._site = child, site
        self._spend = spend
        self._silence_s = silence_s

    async def tunnel(self) -> None:
        """Everything, both ways.

        Raises:
            OSError: an end broke, or was silent for too long (a TimeoutError); perhaps in an ExceptionGroup.
        """
        self._child[1].write(b"HTTP/1.1 200 Connected\r\n\r\n")
        async with asyncio.timeout(self._silence_s) as quiet, asyncio.TaskGroup() as tasks:
            up = tasks.create_task(self._pump(self._child[0], self._site[1], quiet))
            await self._pump(self._site[0], self._child[1], quiet)
            up.cancel()

    async def exchange(self, head: bytes, body_bytes: int) -> None:
        """One request with `head` and so much of a body, and its answer until the site closes.

        Raises:
            OSError, EOFError, asyncio.LimitOverrunError: as above, or a head without a proper end.
        """
        async with asyncio.timeout(self._silence_s) as quiet, asyncio.TaskGroup() as tasks:
            self._send(self._site[1], head, quiet)
            up = tasks.create_task(self._ask(body_bytes, quiet))
            try:
                self._send(self._child[1], await self._answer_head(), quiet)
            except heads.BadHead:
                self._child[1].write(heads.refusal(502))
            else:
                await self._pump(self._site[0], self._child[1], quiet)
            up.cancel()

    async def _ask(self, left: int, quiet: asyncio.Timeout) -> None:
        """Send the request's body, then watch for the child's leaving; it has nothing more to say."""
        while left:
            chunk = await self._child[0].read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise _ChildLeft
            left -= len(chunk)
            self._send(self._site[1], chunk, quiet)
            await self._site[1].drain()
        while await self._child[0].read(_CHUNK_BYTES):
            pass
        raise _ChildLeft

    async def _answer_head(self) -> bytes:
        for _ in range(_NOTES):
            try:
                raw = await self._site[0].readuntil(b"\r\n\r\n")
            except (EOFError, asyncio.LimitOverrunError):
                raise heads.BadHead(502) from None
            status, head = heads.closing_response(raw)
            if status >= 200:
                return head
        raise heads.BadHead(502)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, quiet: asyncio.Timeout
    ) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            self._send(writer, chunk, quiet)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    def _send(self, writer: asyncio.StreamWriter, data: bytes, quiet: asyncio.Timeout) -> None:
        self._spend(len(data))
        move(quiet, asyncio.get_running_loop().time() + self._silence_s)
        writer.write(data)
