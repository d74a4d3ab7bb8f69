"""Bodies that end early, and answers that never come to the point: neither is told as a file."""

import asyncio
import gzip
import os
import socket
import ssl
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.sources.sites import Answer, Asked, fetched, head, reply, reset, site
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.limits import MIB

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = Random(7).randbytes(150_000) * 2
GZIP = "Content-Encoding: gzip"
DEFLATE = "Content-Encoding: deflate"


def raw_deflated(content: bytes) -> bytes:
    """As some servers have always sent it: without its head."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


PACKED = {
    GZIP: gzip.compress(CONTENT),
    DEFLATE: zlib.compress(CONTENT),
    f"{DEFLATE} ": raw_deflated(CONTENT),
    "Content-Encoding: x-gzip": gzip.compress(CONTENT),
}


def plain(body: bytes) -> tuple[list[str], bytes]:
    """Until the connection ends."""
    return [], body


def counted(body: bytes) -> tuple[list[str], bytes]:
    """With a length, which is true of these bytes."""
    return [f"Content-Length: {len(body)}"], body


def chunked(body: bytes) -> tuple[list[str], bytes]:
    """In chunks, with the last one."""
    return ["Transfer-Encoding: chunked"], b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


FRAMES = [plain, counted, chunked]
Frame = Callable[[bytes], tuple[list[str], bytes]]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("coding", PACKED)
@pytest.mark.parametrize("missing_bytes", [1, 8, 1000, 200_000])
async def test_body_when_its_coding_ends_early_is_an_error(
    frame: Frame, coding: str, missing_bytes: int
) -> None:
    """The frame is whole, and what is in it is not: half a file is no file."""
    lines, body = frame(PACKED[coding][:-missing_bytes])
    async with site(reply(200, coding, *lines, body=body)) as served:
        with pytest.raises(SourceTemporary) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("coding", PACKED)
async def test_body_when_it_is_coded_arrives_as_it_was(frame: Frame, coding: str) -> None:
    """In each coding that is undone, in each frame."""
    lines, body = frame(PACKED[coding])
    async with site(reply(200, coding, *lines, body=body)) as served:
        _, got = await fetched(served.url())
    assert CONTENT == got


@pytest.mark.parametrize("garbage", [b"", b"\0", bytes(10), b"\x1f", b"<!-- served by X -->"])
async def test_body_of_several_members_arrives_whole(garbage: bytes) -> None:
    """Gzip files are put together by writing one behind the other; what follows and is none is ignored."""
    members = b"".join(gzip.compress(CONTENT[at : at + 100_000]) for at in range(0, len(CONTENT), 100_000))
    lines, body = counted(members + garbage)
    expected = CONTENT if garbage != b"\x1f" else None  # a member that ends after its first byte
    async with site(reply(200, GZIP, *lines, body=body)) as served:
        try:
            _, got = await fetched(served.url())
        except SourceTemporary:
            got = b""
    assert (expected or b"") == got


async def test_body_of_several_members_when_the_last_one_breaks_off_is_an_error() -> None:
    """The first one is whole: that is not the file.

    Both were reported of other clients: aio-libs/aiohttp#7157 and pydantic/pydantic-ai#7159.
    """
    members = gzip.compress(CONTENT[:200_000]) + gzip.compress(CONTENT[200_000:])[:-20]
    async with site(reply(200, GZIP, f"Content-Length: {len(members)}", body=members)) as served:
        with pytest.raises(SourceTemporary):
            await fetched(served.url())


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate, gzip", "compress"])
async def test_body_of_a_coding_that_is_not_undone_is_an_error(coding: str) -> None:
    """We asked for none: what is coded otherwise would be told as the file."""
    async with site(reply(200, f"Content-Encoding: {coding}", body=CONTENT)) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason


@pytest.mark.parametrize("coding", ["none", "identity", "aws-chunked", "utf-8", "binary"])
async def test_body_of_what_is_no_coding_arrives_as_it_is(coding: str) -> None:
    """Storage services and scripts write all kinds of things there."""
    lines, body = counted(CONTENT)
    async with site(reply(200, f"Content-Encoding: {coding}", *lines, body=body)) as served:
        _, got = await fetched(served.url())
    assert CONTENT == got


async def test_body_without_a_length_when_its_connection_is_reset_is_an_error() -> None:
    """Its end is known by the end of the connection, and a reset is none."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200) + CONTENT)
        await writer.drain()
        await asyncio.sleep(0.2)  # what is sent must have been read: a reset throws away the rest
        await reset(asked, writer)

    async with site(answer) as served:
        with pytest.raises(SourceTemporary):
            await fetched(served.url())


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A site's certificate, which the machine trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = tmp_path / "site.pem"
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


async def cut(writer: asyncio.StreamWriter) -> None:
    """End the connection below TLS, as a process does that dies."""
    await writer.drain()
    with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as below:
        below.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.2)


@pytest.mark.parametrize("is_cut", [True, False])
@pytest.mark.parametrize("frame", FRAMES)
async def test_body_over_tls_when_its_end_is_not_announced_is_whole_only_by_its_frame(
    frame: Frame, is_cut: bool, tls: ssl.SSLContext
) -> None:
    """https://www.rfc-editor.org/rfc/rfc9112#section-9.8"""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines, body = frame(CONTENT)
        writer.write(head(200, *lines) + body)
        if is_cut:
            await cut(writer)

    async with site(answer, tls=tls) as served:
        try:
            _, got = await fetched(served.url().replace("http:", "https:"))
        except SourceTemporary:
            got = b"an error"
    assert (b"an error" if is_cut and frame is plain else CONTENT) == got


def endless(beginning: bytes, more: bytes) -> Answer:
    """`more`, for ever."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(more * 100)
            await writer.drain()

    return answer


CHUNKS = head(200, "Transfer-Encoding: chunked")
NEVER = {
    "a byte in each chunk": endless(CHUNKS, b"1;" + b"x" * 4000 + b"\r\na\r\n"),
    "short extensions": endless(CHUNKS, b"1;ab=cdefghij\r\na\r\n"),
    "zeros before a length": endless(CHUNKS, b"0" * 4000 + b"1\r\na\r\n"),
    "an extension without end": endless(CHUNKS + b"5;", b"x"),
    "trailers": endless(CHUNKS + b"5\r\nhello\r\n0\r\n", b"X-More: and more\r\n"),
    "continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
    "fields": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
    "a first line": endless(b"HTTP/1.1 200 ", b"OK "),
    "spaces before a head": endless(b"", b"\r\n"),
}


@pytest.mark.parametrize("kind", NEVER)
async def test_answer_that_is_hardly_any_file_ends(kind: str) -> None:
    """At most a few MiB are borne beside a file, however fast they come and whatever they are."""
    sent_bytes = 0

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent_bytes
        write = writer.write

        def counting(data: bytes) -> None:
            nonlocal sent_bytes
            sent_bytes += len(data)
            write(data)

        writer.write = counting  # type: ignore[assignment,method-assign] # nothing else tells what was sent
        await NEVER[kind](asked, writer)

    async with site(answer) as served, asyncio.timeout(60):
        with pytest.raises(SourceError):
            await fetched(served.url())
    assert sent_bytes < 64 * MIB


async def test_file_of_small_chunks_arrives() -> None:
    """What a script writes line by line has as much framing as file."""
    body = b"".join(
        b"%x\r\n%b\r\n" % (len(line), line)
        for line in (CONTENT[at : at + 7] for at in range(0, len(CONTENT), 7))
    )
    async with site(reply(200, "Transfer-Encoding: chunked", body=body + b"0\r\n\r\n")) as served:
        _, got = await fetched(served.url())
    assert CONTENT == got
