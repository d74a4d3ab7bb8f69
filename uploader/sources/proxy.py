"""The way out for child processes: a forward proxy on loopback that keeps to the guard's policy.

yt-dlp opens its own connections, so it gets this proxy as its only way out. Each job has a pass: a name and
a password made for it, so many bytes, so much time. What a child asks for is read as a link of its own, at
every hop, and the address is judged when the socket is made; inside a tunnel the child can say what it
likes, but only to the address that the guard has permitted.
"""

import asyncio
import hmac
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver

from uploader.errors import NotALink, Reason
from uploader.machine import is_scarce, is_starved
from uploader.model import Link
from uploader.sources import heads
from uploader.sources.exchange import Patience
from uploader.sources.guard import Guard, denial, is_denial, port_of
from uploader.sources.relay import Ends, Relay, move

#: A child on this machine says what it wants at once.
_HEAD_S: Final = 10.0
#: Connections of one pass; yt-dlp fetches a handful of fragments at once.
_CONNECTIONS: Final = 64


class BytesSpent(ConnectionError):
    """The pass is used up."""


class Pass:
    """One job's leave to go out: how much, how long, and what came of it."""

    def __init__(self, size_bytes: int, until: float) -> None:
        self.user = secrets.token_hex(8)
        self.password = secrets.token_hex(16)
        self.left_bytes = size_bytes
        self.refusal: Reason | None = None  # why something that the job asked for was refused, if it was
        self._until = until
        self._deadlines: set[asyncio.Timeout] = set()

    def url(self, port: int) -> str:
        """The proxy's address for this job, as clients take it."""
        return f"http://{self.user}:{self.password}@127.0.0.1:{port}"

    def spend(self, size_bytes: int) -> None:
        """Count bytes that are to go either way.

        Raises:
            BytesSpent: the pass is not good for so many; all its connections end.
        """
        if size_bytes > self.left_bytes:
            self.refuse(Reason.TOO_LARGE)
            self.end()
            raise BytesSpent
        self.left_bytes -= size_bytes

    def refuse(self, reason: Reason | None) -> None:
        """Note why the job did not get what it asked for. An address inside tells most."""
        if self.refusal is None or reason is Reason.PRIVATE_ADDRESS:
            self.refusal = reason

    def end(self) -> None:
        """Cut all connections; there will be no others."""
        self._until = 0.0
        for deadline in self._deadlines:
            move(deadline, 0.0)

    def has_ended(self) -> bool:
        """Whether its time or its bytes are used up."""
        return asyncio.get_running_loop().time() >= self._until

    def is_full(self) -> bool:
        """Whether no further connection is allowed now."""
        return len(self._deadlines) >= _CONNECTIONS

    @asynccontextmanager
    async def time(self) -> AsyncIterator[None]:
        """One connection's share of the pass. Raises TimeoutError when the pass has ended."""
        async with asyncio.timeout_at(self._until) as deadline:
            self._deadlines.add(deadline)
            try:
                yield
            finally:
                self._deadlines.discard(deadline)


class Proxy:
    """The proxy of one engine. An async context manager."""

    def __init__(self, guard: Guard, patience: Patience, resolver: AbstractResolver | None = None) -> None:
        self.port = 0
        self._guard = guard
        self._patience = patience
        self._resolver = resolver
        self._passes: dict[str, Pass] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._resolver = self._resolver or aiohttp.ThreadedResolver()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=heads.HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        self._guard.close_port(self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving, timeout=_HEAD_S)

    @contextmanager
    def admit(self, *, size_bytes: int, duration_s: float) -> Iterator[Pass]:
        """A pass that is good within the context, for `size_bytes` both ways and `duration_s`."""
        granted = Pass(size_bytes, asyncio.get_running_loop().time() + duration_s)
        self._passes[granted.user] = granted
        try:
            yield granted
        finally:
            del self._passes[granted.user]
            granted.end()

    @asynccontextmanager
    async def listening(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve `listener`, too: a socket from inside a child's own network. It is closed at the end."""
        server = await asyncio.start_server(self._serve, sock=listener, limit=heads.HEAD_BYTES)
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a child. The server's own task, kept to stop it."""
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        with suppress(asyncio.CancelledError):  # nobody waits for it, and asyncio would complain
            await self._serve_child(reader, writer)

    async def _serve_child(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, or one tunnel."""
        has_closed = False
        try:
            async with asyncio.timeout(_HEAD_S):
                raw = await reader.readuntil(b"\r\n\r\n")
            await self._answer(raw, reader, writer)
            async with asyncio.timeout(_HEAD_S):
                writer.close()
                await writer.wait_closed()
            has_closed = True
        except* (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # the child or the site left, or time or bytes are used up: the child sees the end
        finally:
            if not has_closed:  # asyncio cannot abort what it has closed
                writer.transport.abort()

    async def _answer(self, raw: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = heads.read_request(raw)
            granted = self._passes.get(request.user)
            if granted is None or not hmac.compare_digest(granted.password, request.password):
                raise heads.BadHead(407)
            if granted.has_ended() or granted.is_full():
                raise heads.BadHead(503)
        except heads.BadHead as error:
            writer.write(heads.refusal(error.status))
            return
        async with granted.time():
            try:
                link = heads.read_link(request)
                site = await self._reach(link)
            except (NotALink, OSError) as error:
                status, reason = _told(error)
                granted.refuse(reason)
                writer.write(heads.refusal(status))
                return
            async with _streams(site) as ends:
                relay = Relay((reader, writer), ends, granted.spend, self._patience.silence_s)
                if request.is_tunnel:
                    await relay.tunnel()
                else:
                    await relay.exchange(heads.passed_on(request, link), request.body_bytes)

    async def _reach(self, link: Link) -> socket.socket:
        if self._resolver is None or self._guard.static_verdict(link) is not None:
            raise denial()
        async with asyncio.timeout(self._patience.connect_s):
            return await self._guard.connect(link.host, port_of(link), self._resolver)


@asynccontextmanager
async def _streams(site: socket.socket) -> AsyncIterator[Ends]:
    """The streams of a connected socket; they own it."""
    try:
        ends = await asyncio.open_connection(sock=site, limit=heads.HEAD_BYTES)
    except BaseException:
        site.close()
        raise
    try:
        yield ends
    finally:
        ends[1].transport.abort()


def _told(error: NotALink | OSError) -> tuple[int, Reason]:
    """The status of a refusal, and what a person may be told."""
    if isinstance(error, NotALink):
        return 403, error.reason
    if is_denial(error):
        return 403, Reason.PRIVATE_ADDRESS
    if is_scarce(error) or is_starved():
        return 503, Reason.NO_ROOM
    if isinstance(error, TimeoutError):
        return 504, Reason.TIMED_OUT
    return 502, Reason.NO_SUCH_HOST if isinstance(error, socket.gaierror) else Reason.UNREACHABLE
