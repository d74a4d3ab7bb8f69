"""Sites for the tests: real sockets on loopback, whose answers are written byte by byte.

A site's answer is a function of the request and the stream to the client: whatever a server may do to us,
a test can say in a line or two.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from uploader.links import parse
from uploader.model import RemoteFile
from uploader.sources import Hosts, Patience, Sources

LOOPBACK: Final = (IPv4Network("127.0.0.0/8"),)
#: A line for `head`: the connection serves again, provided that the site keeps it.
KEPT: Final = "Connection: keep-alive"
#: Deadlines that a test can wait for; the ones that are not under test are far away.
HASTY: Final = Patience(connect_s=5, answer_s=10, silence_s=10, resumes=3, resume_wait_s=0.01)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as it came in."""

    path: str  # with the query
    headers: Mapping[str, str]  # names in lower case


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Site:
    """One listening server: its address, and what it was asked."""

    host: str
    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/file.bin") -> str:
        return f"http://{self.host}:{self.port}{path}"


@asynccontextmanager
async def site(
    answer: Answer,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: ssl.SSLContext | None = None,
    keeps: bool = False,
) -> AsyncIterator[Site]:
    """A site that answers each request with `answer`, one per connection unless it `keeps` them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        try:
            while True:
                asked = _asked(await reader.readuntil(b"\r\n\r\n"))
                served.asked.append(asked)
                await answer(asked, writer)
                await writer.drain()
                if not keeps:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test ended: some answers go on for ever
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, port, ssl=tls)
    served = Site(host, server.sockets[0].getsockname()[1])
    async with server:
        yield served


def _asked(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines if line)
    return Asked(path=first.split(" ")[1], headers={name.lower(): value for name, _, value in pairs})


def head(status: int, *lines: str | bytes) -> bytes:
    """The head of an answer; the connection ends with it unless a line is KEPT."""
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    end = [] if KEPT in lines else [b"Connection: close"]
    return b"\r\n".join([f"HTTP/1.1 {status} Told".encode(), *raw, *end, b"", b""])


def reply(status: int, *lines: str | bytes, body: bytes = b"") -> Answer:
    """Always the same answer."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, *lines) + body)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """The first answer to the first request, and so on; the last one to all that follow."""
    left = list(answers)

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(asked, writer)

    return answer


def ranged(content: bytes, *lines: str, most: int | None = None, breaks_at: int | None = None) -> Answer:
    """A good server of `content`: ranges and If-Range.

    Of one request it serves `most` bytes; it breaks the connection after `breaks_at` bytes of a body.
    """
    validators = [line.partition(": ")[2] for line in lines if line.startswith(("ETag", "Last-Modified"))]

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        given = asked.headers.get("range")
        if given is None or not {asked.headers.get("if-range")} <= {None, *validators}:
            writer.write(head(200, f"Content-Length: {len(content)}", *lines) + content[:breaks_at])
            return
        first, last = given.removeprefix("bytes=").split("-")
        stop = int(last) + 1 if last else len(content)
        stop = min(stop, int(first) + (most or len(content)))
        shown = f"Content-Range: bytes {first}-{stop - 1}/{len(content)}"
        writer.write(head(206, shown, f"Content-Length: {stop - int(first)}", *lines))
        writer.write(content[int(first) : stop][:breaks_at])

    return answer


async def reset(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Cut the connection with a reset."""
    await writer.drain()
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    writer.transport.abort()


async def silence(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client leaves."""
    await asyncio.Event().wait()


def sources(
    *networks: str,
    patience: Patience = HASTY,
    resolver: AbstractResolver | None = None,
    hosts: Hosts | None = None,
) -> Sources:
    """Sources that reach `networks`, all of loopback when none is named."""
    allowed = [ip_network(network) for network in networks] or LOOPBACK
    hosts = hosts or Hosts(pause_s=0.01)
    return Sources(allowed, "Peyk/test", patience=patience, resolver=resolver, hosts=hosts)


async def collected(remote: RemoteFile, start: int = 0, stop: int | None = None) -> bytes:
    """All that a read yields."""
    return b"".join([chunk async for chunk in remote.read(start, stop)])


@asynccontextmanager
async def opened(
    url: str, patience: Patience = HASTY, hosts: Hosts | None = None
) -> AsyncIterator[RemoteFile]:
    """The file at `url`, opened by sources of its own."""
    async with sources(patience=patience, hosts=hosts) as opener, opener.open(parse(url)) as remote:
        yield remote


async def fetched(url: str, patience: Patience = HASTY) -> tuple[RemoteFile, bytes]:
    """What is known of the file at `url`, and all its bytes."""
    async with opened(url, patience) as remote:
        return remote, await collected(remote)


class Names(AbstractResolver):
    """A DNS in which each name has the addresses given, or fails with the error given.

    A list of lists is answered in turn: the way of names that change their address.
    """

    def __init__(self, addresses: Mapping[str, list[list[str]] | OSError]) -> None:
        self._addresses = addresses
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        turn = self.asked.count(host)
        self.asked.append(host)
        answers = self._addresses[host]
        if isinstance(answers, OSError):
            raise answers
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answers[min(turn, len(answers) - 1)]
        ]

    async def close(self) -> None:
        """Nothing is open."""
