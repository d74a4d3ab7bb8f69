"""The way out of child processes: what passes, what does not, and what ends it."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest

from tests.sources.attacks import INSIDE, NO_LINKS
from tests.sources.sites import (
    HASTY,
    KEPT,
    LOOPBACK,
    Asked,
    Names,
    Site,
    head,
    ranged,
    reply,
    silence,
    site,
)
from tests.sources.traps import trap
from uploader.errors import Reason
from uploader.sources.exchange import Patience
from uploader.sources.guard import Guard
from uploader.sources.proxy import BytesSpent, Pass, Proxy
from uploader.sources.relay import Relay

CONTENT = random.Random(7).randbytes(700_000)
PLENTY = 10**9


@asynccontextmanager
async def proxied(
    networks: Sequence[str] | None = None,
    *,
    resolver: Names | None = None,
    patience: Patience = HASTY,
    size_bytes: int = PLENTY,
    duration_s: float = 60,
) -> AsyncIterator[tuple[Proxy, Pass]]:
    """A proxy that reaches loopback (or `networks`), and a pass for it."""
    allowed = LOOPBACK if networks is None else [ip_network(network) for network in networks]
    async with Proxy(Guard(allowed), patience, resolver) as proxy:
        with proxy.admit(size_bytes=size_bytes, duration_s=duration_s) as granted:
            yield proxy, granted


async def said(proxy: Proxy, text: str) -> bytes:
    """The whole answer to what is said to the proxy, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(text.encode("latin-1"))
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def authorization(granted: Pass) -> str:
    """The line that names the pass."""
    return f"Proxy-Authorization: {aiohttp.encode_basic_auth(granted.user, granted.password)}\r\n"


async def got(
    proxy: Proxy, granted: Pass, url: str, *lines: str, method: str = "GET", body: str = ""
) -> bytes:
    """The answer to a request through the proxy."""
    more = "".join(f"{line}\r\n" for line in lines)
    return await said(proxy, f"{method} {url} HTTP/1.1\r\n{authorization(granted)}{more}\r\n{body}")


async def tunnelled(proxy: Proxy, granted: Pass, to: str, text: str) -> bytes:
    """The answer to `text`, said inside of a tunnel."""
    return await said(proxy, f"CONNECT {to} HTTP/1.1\r\n{authorization(granted)}\r\n{text}")


async def test_request_through_the_proxy_brings_the_bytes_of_the_site() -> None:
    """A client that we did not write takes the whole file, and its request arrives as the site expects it."""
    async with site(ranged(CONTENT), "127.0.0.9") as served, proxied() as (proxy, granted):
        async with (
            aiohttp.ClientSession() as session,
            session.get(served.url("/a?b=c"), proxy=granted.url(proxy.port)) as response,
        ):
            assert CONTENT == await response.read()
        asked = served.asked[0]
    assert ("/a?b=c", f"127.0.0.9:{served.port}", "close") == (
        asked.path,
        asked.headers["host"],
        asked.headers["connection"],
    )
    assert not [name for name in asked.headers if name.startswith("proxy")]
    spent = PLENTY - granted.left_bytes
    assert len(CONTENT) < spent < len(CONTENT) + 2000


async def test_child_that_reads_slowly_gets_all_and_nothing_is_complained_of() -> None:
    """The last of the answer is on its way while the proxy closes the connection already."""
    loop, answer = asyncio.get_running_loop(), bytearray()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    async with site(ranged(CONTENT)) as served, proxied() as (proxy, granted), proxy.listening(listener):
        with socket.socket() as child:
            child.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            child.setblocking(False)
            await loop.sock_connect(child, listener.getsockname())
            request = f"GET {served.url()} HTTP/1.1\r\n{authorization(granted)}\r\n"
            await loop.sock_sendall(child, request.encode())
            while part := await loop.sock_recv(child, 4096):
                answer += part
    assert answer.endswith(CONTENT)
    assert [] == complaints


async def test_tunnel_through_the_proxy_carries_bytes_both_ways() -> None:
    """What is said inside of a tunnel is the child's own affair; it is counted all the same."""
    async with site(ranged(CONTENT)) as served, proxied() as (proxy, granted):
        answer = await tunnelled(proxy, granted, f"127.0.0.1:{served.port}", "GET /x HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 Connected\r\n\r\nHTTP/1.1 200")
    assert answer.endswith(CONTENT)
    assert PLENTY - granted.left_bytes > len(CONTENT)


async def test_body_of_a_request_arrives_whole_and_nothing_behind_it() -> None:
    """A second request on the same connection is not passed on to the first one's site."""
    got_bodies = []

    async def read_body(asked: Asked, writer: asyncio.StreamWriter) -> None:
        got_bodies.append(asked.headers["content-length"])
        writer.write(head(200, "Content-Length: 2") + b"ok")

    async with site(read_body) as served, proxied() as (proxy, granted):
        smuggled = f"12345GET {served.url('/second')} HTTP/1.1\r\n{authorization(granted)}\r\n"
        answer = await got(proxy, granted, served.url(), "Content-Length: 5", method="POST", body=smuggled)
    assert answer.endswith(b"\r\n\r\nok")
    assert (["5"], ["/file.bin"]) == (got_bodies, [asked.path for asked in served.asked])


@pytest.mark.parametrize("way", ["nothing", "wrong name", "wrong password", "old pass"])
async def test_request_without_a_good_pass_reaches_nothing(way: str) -> None:
    """Whoever else runs on this machine cannot use the proxy."""
    async with site(ranged(CONTENT)) as served, proxied() as (proxy, granted):
        with proxy.admit(size_bytes=PLENTY, duration_s=60) as old:
            pass
        user, password = {
            "nothing": ("", ""),
            "wrong name": ("someone", granted.password),
            "wrong password": (granted.user, "guess"),
            "old pass": (old.user, old.password),
        }[way]
        line = f"Proxy-Authorization: {aiohttp.encode_basic_auth(user, password)}\r\n"
        for first in (f"GET {served.url()}", f"CONNECT 127.0.0.1:{served.port}"):
            answer = await said(proxy, f"{first} HTTP/1.1\r\n{line}\r\n")
            assert answer.startswith(b"HTTP/1.1 407 ")
            assert b"Proxy-Authenticate: Basic" in answer
    assert 0 == served.connections


async def test_addresses_inside_are_refused_without_a_connection() -> None:
    """Every spelling of every private address, asked for by name and as a tunnel."""
    async with trap() as caught, proxied(()) as (proxy, granted):
        for raw in INSIDE:
            url = raw.format(port=caught.port)
            if not url.isascii():
                continue  # no client puts these into a request
            answers = [
                await got(proxy, granted, url),
                await tunnelled(proxy, granted, url.split("/")[2], ""),
            ]
            assert [b"HTTP/1.1 403"] * 2 == [answer[:12] for answer in answers], url
        assert Reason.PRIVATE_ADDRESS is granted.refusal
    assert 0 == caught.connections


async def test_texts_that_are_no_links_are_refused_without_a_connection() -> None:
    """User info, broken hosts, other schemes, injected lines: refused by the proxy as they are in chat."""
    async with trap() as caught, proxied() as (proxy, granted):
        for raw in NO_LINKS:
            url = raw.format(port=caught.port)
            if not url.isascii():
                continue
            for method, target in (("GET", url), ("CONNECT", url.partition("//")[2] or url)):
                answer = await got(proxy, granted, target, method=method)
                assert answer[:10] in {b"", b"HTTP/1.1 4"} or answer[:12] == b"HTTP/1.1 502", (method, url)
    assert 0 == caught.connections


async def test_name_that_points_inside_is_refused_at_the_connection() -> None:
    """The address that counts is the one that is connected to, also when a name changes it."""
    names = Names(
        {
            "inside.example": [["127.0.0.2"]],
            "rebind.example": [["127.0.0.9"], ["127.0.0.2"]],
            "six.example": [["::1"]],
            "gone.example": OSError("no such name"),
        }
    )
    async with (
        trap() as caught,
        site(reply(200, body=b"open"), "127.0.0.9") as served,
        proxied(["127.0.0.9/32"], resolver=names) as (proxy, granted),
    ):
        first = await got(proxy, granted, f"http://rebind.example:{served.port}/")
        assert first.endswith(b"open")
        for name in ("inside", "rebind", "six"):
            answer = await got(proxy, granted, f"http://{name}.example:{caught.port}/")
            assert answer.startswith(b"HTTP/1.1 403 "), name
        assert Reason.PRIVATE_ADDRESS is granted.refusal
        assert (await got(proxy, granted, "http://gone.example/")).startswith(b"HTTP/1.1 502 ")
    assert (1, 0) == (served.connections, caught.connections)


async def test_ports_of_our_own_are_closed_in_allowed_networks_too() -> None:
    """A network that the operator opens holds our own services: no link leads to those."""
    async with site(ranged(CONTENT)) as ours, site(ranged(CONTENT)) as theirs:
        guard = Guard(LOOPBACK, own_ports=[ours.port])
        async with Proxy(guard, HASTY) as proxy:
            with proxy.admit(size_bytes=PLENTY, duration_s=60) as granted:
                refused = [
                    await got(proxy, granted, ours.url()),
                    await got(proxy, granted, f"http://127.0.0.1:{proxy.port}/"),
                    await tunnelled(proxy, granted, f"127.0.0.1:{proxy.port}", ""),
                ]
                answered = await got(proxy, granted, theirs.url())
    assert [b"HTTP/1.1 403"] * 3 == [answer[:12] for answer in refused]
    assert answered.endswith(CONTENT)
    assert 0 == ours.connections


async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A body that never ends."""
    writer.write(head(200))
    while True:
        writer.write(bytes(65536))
        await writer.drain()


async def test_pass_without_bytes_left_ends_all_its_connections() -> None:
    """Endless bodies, one after another and at once, bring no more than the pass allows."""
    async with site(endless) as served, proxied(size_bytes=3_000_000) as (proxy, granted):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(got(proxy, granted, served.url())) for _ in range(3)]
        assert sum(len(task.result()) for task in tasks) <= 3_000_000
        assert (await got(proxy, granted, served.url())).startswith(b"HTTP/1.1 503 ")
        assert Reason.TOO_LARGE is granted.refusal
    assert 3 == served.connections


async def test_pass_when_spent_while_a_connection_of_it_times_out_still_says_that_it_is_spent() -> None:
    """What ends the others comes upon one that is just ending by itself: no error of the spender's."""
    granted = Pass(10, asyncio.get_running_loop().time() + 60)

    async def connection() -> None:
        with pytest.raises(TimeoutError):
            async with granted.time():
                await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(connection())
        await asyncio.sleep(0)
        granted.end()
        await asyncio.sleep(0)  # its time is over, and it does not know yet
        with pytest.raises(BytesSpent):
            granted.spend(11)


async def test_tunnel_when_bytes_come_as_its_silence_ends_then_ends_as_silent() -> None:
    """Both happen in one turn of the loop: the bytes are late, and no bug is reported."""
    loop = asyncio.get_running_loop()
    child, site_end = asyncio.StreamReader(), asyncio.StreamReader()
    ours, theirs = socket.socketpair()
    with theirs:
        _, writer = await asyncio.open_connection(sock=ours)
        began = loop.time()
        loop.call_at(began + 0.01, time.sleep, 0.1)
        loop.call_at(began + 0.04, child.feed_data, b"late")
        relay = Relay((child, writer), (site_end, writer), lambda _: None, silence_s=0.05)
        with pytest.raises(TimeoutError):
            await relay.tunnel()
        writer.close()


async def test_pass_without_time_left_ends_all_its_connections() -> None:
    """Neither a site that says nothing nor one that never stops outlives the job's time."""
    async with site(silence) as quiet, site(endless) as loud, proxied(duration_s=0.3) as (proxy, granted):
        async with asyncio.TaskGroup() as group:
            for served in (quiet, loud):
                group.create_task(got(proxy, granted, served.url()))
        assert (await got(proxy, granted, loud.url())).startswith(b"HTTP/1.1 503 ")


async def test_pass_at_its_end_leaves_no_connection() -> None:
    """When a job ends, whatever its children still have open is cut."""
    left = asyncio.Event()

    async def wait(asked: Asked, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        try:
            await silence(asked, writer)
        finally:
            left.set()

    arrived = asyncio.Event()
    async with site(wait) as served, Proxy(Guard(LOOPBACK), HASTY) as proxy:
        with proxy.admit(size_bytes=PLENTY, duration_s=60) as granted:
            async with asyncio.TaskGroup() as group:
                answer = group.create_task(got(proxy, granted, served.url()))
                await arrived.wait()
                granted.end()
        assert b"" == answer.result()


async def test_site_that_is_silent_is_given_up() -> None:
    """No wait without a deadline, before and within an answer."""

    async def stalls(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, "Content-Length: 10") + b"12345")
        await silence(asked, writer)

    patience = replace(HASTY, silence_s=0.2)
    async with (
        site(silence) as quiet,
        site(stalls) as stalling,
        proxied(patience=patience) as (proxy, granted),
    ):
        assert b"" == await got(proxy, granted, quiet.url())
        assert (await got(proxy, granted, stalling.url())).endswith(b"12345")
        tunnel = await tunnelled(proxy, granted, f"127.0.0.1:{quiet.port}", "GET / HTTP/1.1\r\n\r\n")
        assert b"HTTP/1.1 200 Connected\r\n\r\n" == tunnel


@pytest.mark.parametrize(
    "answer",
    [
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Endless: y\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nNo-End",
        b"HTTP/1.1 103 Early\r\n\r\n" * 50 + b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"",
    ],
    ids=["noise", "endless", "cut", "notes", "fields", "nothing"],
)
async def test_answer_without_a_proper_head_is_told_as_a_bad_gateway(answer: bytes) -> None:
    """A child never sees heads that the proxy could not read to their end."""

    async def answers(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with site(answers) as served, proxied() as (proxy, granted):
        assert (await got(proxy, granted, served.url())).startswith(b"HTTP/1.1 502 ")


async def test_notes_before_an_answer_are_left_out() -> None:
    """A child asked for an answer; the site's 103 is not one."""
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"

    async def answers(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(early + head(200, KEPT, "Content-Length: 2") + b"ok")
        await silence(asked, writer)  # keeps the connection, though it was asked to close it

    async with site(answers) as served, proxied() as (proxy, granted):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(f"GET {served.url()} HTTP/1.1\r\n{authorization(granted)}\r\n".encode())
        answer = await reader.readuntil(b"ok")
        writer.close()
    assert answer == b"HTTP/1.1 200 Told\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def test_child_that_says_too_much_is_cut() -> None:
    """A head without an end is given up at its bound."""
    async with proxied() as (proxy, _granted):
        assert b"" == await said(proxy, "GET http://site.example/ HTTP/1.1\r\nX: " + "y" * 200_000)


async def test_sites_that_cannot_be_reached_are_told_apart(unused_tcp_port: int) -> None:
    """The pass remembers what a person can be told."""
    async with proxied() as (proxy, granted):
        assert (await got(proxy, granted, f"http://127.0.0.1:{unused_tcp_port}/")).startswith(
            b"HTTP/1.1 502 "
        )
        assert Reason.UNREACHABLE is granted.refusal


async def test_connections_of_one_pass_are_bounded() -> None:
    """A child cannot hold more sockets than a job needs, and the next one is told so."""
    async with site(silence) as served, proxied() as (proxy, granted), asyncio.TaskGroup() as group:
        for _ in range(64):
            group.create_task(got(proxy, granted, served.url()))
        await _until(served, 64)
        assert (await got(proxy, granted, served.url())).startswith(b"HTTP/1.1 503 ")
        granted.end()


async def _until(served: Site, connections: int) -> None:
    async with asyncio.timeout(20):
        while served.connections < connections:  # noqa: ASYNC110 - the site is another party, with no event
            await asyncio.sleep(0.01)
