"""Remote files for our own children: over loopback they read what they need of them, and nothing else.

What a child reads is asked of the site by us, behind the guard, and never lies on the disk.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from uploader.errors import SourceError
from uploader.model import RemoteFile
from uploader.sources.guard import Guard
from uploader.sources.media.chunks import closing

_CLOSING_S: Final = 1.0


class Fed:
    """A file that a child reads. `failure`: why it did not get all that it asked for."""

    def __init__(self, remote: RemoteFile, url: str, given: Callable[[int], None]) -> None:
        self.remote = remote
        self.url = url
        self.given = given
        self.failure: SourceError | None = None


class Feed:
    """The server of one engine, an `Outlet` of cells. An async context manager."""

    def __init__(self, guard: Guard) -> None:
        self.port = 0
        self._guard = guard
        self._feds: dict[str, Fed] = {}  # by the path, which nobody can guess
        self._protocols = web.Server(self._answer, access_log=None, handler_cancellation=True)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._protocols, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._guard.close_port(self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await self._protocols.shutdown(_CLOSING_S)

    @contextmanager
    def serving(
        self, remote: RemoteFile, given: Callable[[int], None] = lambda size_bytes: None
    ) -> Iterator[Fed]:
        """Let whoever knows its address read `remote`, whose size and validator are known.

        `given` is told of each piece how large it was.
        """
        path = f"/{secrets.token_hex(16)}"
        fed = self._feds[path] = Fed(remote, f"http://127.0.0.1:{self.port}{path}", given)
        try:
            yield fed
        finally:
            del self._feds[path]

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve `listener`, too: a socket from inside a child's own network. It is closed at the end."""
        server = await asyncio.get_running_loop().create_server(self._protocols, sock=listener)
        try:
            yield
        finally:
            server.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        fed = self._feds.get(request.path)
        if fed is None or request.method != "GET":
            return web.Response(status=404)
        size_bytes = fed.remote.size_bytes or 0
        try:
            asked = request.http_range
        except ValueError:
            return web.Response(status=416)
        start, stop = asked.start or 0, min(asked.stop or size_bytes, size_bytes)
        if not 0 <= start < stop:
            return web.Response(status=416)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Range": f"bytes {start}-{stop - 1}/{size_bytes}",
            "Content-Length": str(stop - start),
        }
        response = web.StreamResponse(status=206, headers=headers)
        await response.prepare(request)
        try:
            async with closing(fed.remote.read(start, stop)) as chunks:
                async for chunk in chunks:
                    await response.write(chunk)
                    fed.given(len(chunk))
        except ConnectionError:
            pass  # the child reads on from another place, or has all that it wants
        except SourceError as error:
            fed.failure = error
            if request.transport is not None:
                request.transport.abort()  # the child must not take what came for the whole
        return response
