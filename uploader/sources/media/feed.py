"""Remote files for a child of ours: over loopback it reads what it needs of them, and nothing else.

What a child reads is asked of the site by us, behind the guard, and never lies on the disk. The addresses
stand in the child's arguments, which every user of the machine can see: they are no secrets. Where the child
has a network of its own, only the child is there; elsewhere the kernel says whose a connection is.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from uploader.errors import SourceError
from uploader.model import RemoteFile
from uploader.sources import peers
from uploader.sources.guard import Guard
from uploader.sources.media.chunks import closing

_CLOSING_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Fed:
    remote: RemoteFile
    given: Callable[[int], None]


class Feed:
    """The server for one child, its `Outlet`. An async context manager.

    `failure`: why the child did not get all that it asked for.
    """

    def __init__(self, guard: Guard) -> None:
        self.port = 0
        self.failure: SourceError | None = None
        self._guard = guard
        self._feds: dict[str, _Fed] = {}  # by the path
        self._private = web.Server(self._answer, access_log=None, handler_cancellation=True)
        self._public = web.Server(self._answer_ours, access_log=None, handler_cancellation=True)
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._public, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._guard.close_port(self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for protocols in (self._private, self._public):
            await protocols.shutdown(_CLOSING_S)
        self._guard.open_port(self.port)

    def serve(self, remote: RemoteFile, given: Callable[[int], None] = lambda size_bytes: None) -> str:
        """The address at which the child may read `remote`, whose size and validator are known.

        `given` is told of each piece how large it was.
        """
        path = f"/{len(self._feds)}"
        self._feds[path] = _Fed(remote, given)
        return f"http://127.0.0.1:{self.port}{path}"

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve `listener`, too: a socket from inside a child's own network. It is closed at the end."""
        server = await asyncio.get_running_loop().create_server(self._private, sock=listener)
        try:
            yield
        finally:
            server.close()

    async def _answer_ours(self, request: web.BaseRequest) -> web.StreamResponse:
        """The same in the machine's network, where other users are as well."""
        if not await peers.is_ours(request.transport):
            return web.Response(status=403)
        return await self._answer(request)

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
            self.failure = error
            if request.transport is not None:
                request.transport.abort()  # the child must not take what came for the whole
        return response
