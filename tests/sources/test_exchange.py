"""Every way in which a site can fail us, told by its class."""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.sites import (
    HASTY,
    Answer,
    Asked,
    Names,
    collected,
    fetched,
    head,
    in_turn,
    opened,
    ranged,
    reply,
    reset,
    silence,
    site,
    sources,
)
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.links import parse
from uploader.sources import Patience

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = bytes(range(256)) * 40


async def failure_of(answer: Answer, patience: Patience = HASTY) -> SourceError:
    """The error that opening and reading a link to such a site ends with."""
    async with site(answer) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url("/secret?token=secret"), patience)
    assert "secret" not in str(caught.value)
    assert "Location" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason", "temporary"),
    [
        (400, Reason.SITE_BROKEN, False),
        (401, Reason.FORBIDDEN, False),
        (403, Reason.FORBIDDEN, False),
        (404, Reason.NOT_FOUND, False),
        (405, Reason.SITE_BROKEN, False),
        (407, Reason.FORBIDDEN, False),
        (410, Reason.NOT_FOUND, False),
        (418, Reason.SITE_BROKEN, False),
        (429, Reason.SITE_BUSY, True),
        (451, Reason.FORBIDDEN, False),
        (500, Reason.SITE_BROKEN, True),
        (502, Reason.SITE_BROKEN, True),
        (503, Reason.SITE_BUSY, True),
        (599, Reason.SITE_BROKEN, True),
        (204, Reason.SITE_BROKEN, False),
        (302, Reason.SITE_BROKEN, False),
        (304, Reason.SITE_BROKEN, False),
        (206, Reason.SITE_BROKEN, False),
    ],
)
async def test_open_of_a_refused_file_tells_the_class_of_the_status(
    status: int, reason: Reason, temporary: bool
) -> None:
    """What may pass is temporary; a 302 without a place to go and a 206 without a range are no files."""
    error = await failure_of(reply(status))
    assert (reason, temporary) == (error.reason, isinstance(error, SourceTemporary))


async def test_open_of_a_busy_site_notes_how_long_it_asks_to_wait() -> None:
    """Retry-After is for the log, bounded to an hour."""
    error = await failure_of(reply(503, "Retry-After: 999999"))
    assert error.detail.endswith("status 503, retry after 3600 s")


async def endless_head(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


async def slow_head(asked: Asked, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def slow_body(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(206, "Content-Range: bytes 0-99999/100000", 'ETag: "v1"'))
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silent_body(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(200, "Content-Length: 100") + b"x")
    await silence(asked, writer)


async def silent_byte(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(206, "Content-Range: bytes 0-0/100", "Content-Length: 1"))
    await silence(asked, writer)


async def slow_byte(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(206, "Content-Range: bytes 0-0/100", "Transfer-Encoding: chunked"))
    await slow_length(writer)


async def slow_chunk(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(head(200, "Transfer-Encoding: chunked") + b"1\r\nx\r\n")
    await slow_length(writer)


async def slow_length(writer: asyncio.StreamWriter) -> None:
    """The line before a chunk, which never ends."""
    writer.write(b"1;")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def no_http(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")


async def nothing(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Close at once."""


@pytest.mark.parametrize(
    ("answer", "reason", "temporary"),
    [
        (reset, Reason.UNREACHABLE, True),
        (nothing, Reason.UNREACHABLE, True),
        (no_http, Reason.SITE_BROKEN, False),
        (endless_head, Reason.SITE_BROKEN, False),
        (reply(200, "X-Long: " + "x" * 20_000), Reason.SITE_BROKEN, False),
        (reply(200, "Content-Length: -5"), Reason.SITE_BROKEN, False),
        (reply(206, "Content-Range: bytes 5-9/10"), Reason.SITE_BROKEN, False),
        (reply(206, "Content-Range: bytes 0-10/10"), Reason.SITE_BROKEN, False),
        (reply(206, "Content-Range: potatoes"), Reason.SITE_BROKEN, False),
        (reply(200, "Transfer-Encoding: chunked", body=b"zzz\r\n"), Reason.SITE_BROKEN, None),
        (reply(200, "Content-Encoding: br", body=b"zzz"), Reason.SITE_BROKEN, None),
    ],
)
async def test_open_of_a_broken_site_tells_its_class(
    answer: Answer, reason: Reason, temporary: bool | None
) -> None:
    """Nothing of what a server can do raises anything but a SourceError (None: either kind will do)."""
    error = await failure_of(answer)
    assert reason is error.reason
    assert temporary in {None, isinstance(error, SourceTemporary)}


PIECES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 206 Partial\r\n",
    b"HTTP/1.0 200\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\r\n",
    b"HTTP/1.1 999999 No\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Range: bytes 0-4/5\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: deflate\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Disposition: attachment; filename*=utf-8''%ff%fe; =\r\n",
    b"Content-Type: \xff/\xfe\r\n",
    b'ETag: "\xff"\r\n',
    b"Set-Cookie: \xff=;=;;\r\n",
    b"\r\n",
    b"5\r\nhello\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"hello",
    b"\x1f\x8b\x08\x00",
    b"\x00",
]


def written(pieces: list[bytes]) -> Answer:
    """An answer of these bytes."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(pieces))

    return answer


ANSWER = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12)


@settings(deadline=None, max_examples=6)
@given(st.lists(ANSWER, min_size=10, max_size=10))
def test_fetch_of_any_answer_yields_bytes_or_a_source_error(told: list[list[bytes]]) -> None:
    """No answer, however mangled, raises anything else. Ten by one engine: its start takes longest."""

    async def fetch() -> None:
        async with sources(patience=replace(HASTY, answer_s=2, silence_s=2, resumes=1)) as opener:
            for pieces in told:
                async with site(written(pieces)) as served:
                    with suppress(SourceError):
                        async with opener.open(parse(served.url())) as remote:
                            await collected(remote)

    asyncio.run(fetch())


@pytest.mark.parametrize(
    ("answer", "patience"),
    [
        (silence, replace(HASTY, answer_s=0.2)),
        (slow_head, replace(HASTY, answer_s=0.3)),
        (silent_body, replace(HASTY, silence_s=0.2)),
        (slow_body, replace(HASTY, silence_s=1, floor_s=0.3, floor_bytes=1000)),
        (silent_byte, replace(HASTY, silence_s=0.2)),
        (slow_byte, replace(HASTY, silence_s=0.3)),
        (slow_chunk, replace(HASTY, silence_s=0.3)),
    ],
    ids=["no-answer", "slow-head", "silent-body", "slow-body", "silent-byte", "slow-byte", "slow-chunk"],
)
async def test_open_and_read_of_a_slow_site_end_in_time(answer: Answer, patience: Patience) -> None:
    """Each phase has its deadline, and drops of data do not push it away."""
    error = await failure_of(answer, patience)
    assert Reason.TIMED_OUT is error.reason
    assert isinstance(error, SourceTemporary)


async def test_read_of_a_site_below_the_floor_is_not_begun_again() -> None:
    """A slow loris gets one connection and no more."""
    async with site(slow_body) as served:
        with pytest.raises(SourceTemporary):
            await fetched(served.url(), replace(HASTY, silence_s=1, floor_s=0.3, floor_bytes=1000))
    assert 1 == len(served.asked)


async def test_read_by_a_slow_reader_is_not_blamed_on_the_site() -> None:
    """The floor counts only the time for which the site is waited for."""
    content = bytes(3_000_000)
    async with (
        site(ranged(content, 'ETag: "v1"')) as served,
        opened(served.url(), replace(HASTY, floor_s=0.5, floor_bytes=100_000, silence_s=0.5)) as remote,
    ):
        got = 0
        async for chunk in remote.read(0, None):
            got += len(chunk)
            await asyncio.sleep(0.1)  # in sum longer than the floor's window
    assert len(content) == got


async def test_open_of_a_closed_port_is_unreachable() -> None:
    """Nobody listens: this may pass."""
    async with site(nothing) as served:
        pass
    with pytest.raises(SourceTemporary) as caught:
        await fetched(served.url())
    assert Reason.UNREACHABLE is caught.value.reason


async def test_open_of_https_where_there_is_none_is_unreachable() -> None:
    """A failed TLS handshake is no file."""

    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceTemporary) as caught:
            await fetched(f"https://127.0.0.1:{port}/")
    assert Reason.UNREACHABLE is caught.value.reason


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (socket.gaierror(socket.EAI_AGAIN, "no server"), True),
    ],
)
async def test_open_of_a_name_without_address_says_so(error: OSError, temporary: bool) -> None:
    """A name that does not exist stays so; a resolver that cannot be asked may come back."""
    async with sources(resolver=Names({"nowhere.example": error})) as opener:
        with pytest.raises(SourceError) as caught:
            async with opener.open(parse("http://nowhere.example/x")):
                pass
    assert Reason.NO_SUCH_HOST is caught.value.reason
    assert temporary is isinstance(caught.value, SourceTemporary)


async def test_open_after_a_failure_works_again() -> None:
    """One link's failure leaves nothing behind for the next one."""
    async with site(in_turn(reply(500), ranged(CONTENT))) as served, sources() as opener:
        link = parse(served.url())
        with pytest.raises(SourceTemporary):
            async with opener.open(link):
                pass
        async with opener.open(link) as remote:
            assert len(CONTENT) == remote.size_bytes


async def test_open_of_https_with_a_certificate_of_its_own_making_is_unreachable(tmp_path: Path) -> None:
    """Certificates are verified, always."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "site.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)
    async with site(ranged(CONTENT), tls=tls) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url().replace("http:", "https:"))
    assert (Reason.UNREACHABLE, 0) == (caught.value.reason, len(served.asked))
