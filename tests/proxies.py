"""Forward proxies on loopback: SOCKS5 (https://www.rfc-editor.org/rfc/rfc1928) and HTTP CONNECT."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_PIECE_BYTES = 64 * 1024


@dataclass
class ForwardProxy:
    """Lets those through who know user and password (if there are any), and remembers where they went.

    `leads` says where a place that is asked for really is.
    """

    user: str = ""
    password: str = ""
    port: int = 0
    passed: list[tuple[str, int]] = field(default_factory=list)
    refused: int = 0
    leads: Callable[[str, int], tuple[str, int]] = lambda host, port: (host, port)

    def url(self, scheme: str) -> str:
        """Its address as settings have it."""
        login = f"{self.user}:{self.password}@" if self.user else ""
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, whichever protocol it begins with."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            first = await reader.readexactly(1)
            place = await (self._socks(reader, writer) if first == b"\x05" else self._connect(reader, writer))
            if place is None:
                self.refused += 1
            else:
                self.passed.append(place)
                await _joined(reader, writer, *self.leads(*place))
        writer.close()

    async def _socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, int] | None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if self.user:
            if 2 not in methods:
                writer.write(b"\x05\xff")
                return None
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            right = (user, password) == (self.user.encode(), self.password.encode())
            writer.write(b"\x01\x00" if right else b"\x01\x01")
            if not right:
                return None
        else:
            writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        assert kind == 1, "an IPv4 address"
        host = socket.inet_ntoa(await reader.readexactly(4))
        port = int.from_bytes(await reader.readexactly(2), "big")
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return host, port

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, int] | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.user and f"basic {login}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return None
        host, _, port = head.split()[1].rpartition(":")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return host, int(port)


async def _joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    there_reader, there_writer = await asyncio.open_connection(host, port)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_copied(reader, there_writer))
        tasks.create_task(_copied(there_reader, writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_PIECE_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def forward_proxy(user: str = "", password: str = "") -> AsyncIterator[ForwardProxy]:
    """A proxy that listens on a free port."""
    proxy = ForwardProxy(user, password)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
