"""A media site on loopback whose files are made up as they are read: nothing on disk or in memory.

The bytes of a file are the AES-CTR keystream of its name and seed, so that any range of any size can be
served at once, and its digest is known without a copy.

    GET /{name}?size=N[&seed=S][&length=no]

`length=no` leaves out the length and refuses ranges, as sites that make their files on the way do.
"""

import asyncio
import hashlib
import re
from typing import Final, Self
from urllib.parse import quote, urlencode

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK_BYTES: Final = 16
#: A multiple of the block; small enough that one piece does not hold up the event loop.
_PIECE_BYTES: Final = 1 << 18
#: What is enciphered: new zeros for each piece would take six times as long as their encryption.
_ZEROS: Final = memoryview(bytes(_PIECE_BYTES + _BLOCK_BYTES))
_LARGEST_BYTES: Final = 1 << 43
_RANGE: Final = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")


class Keystream:
    """The bytes of one file, from any offset on."""

    def __init__(self, name: str, seed: int) -> None:
        self._key = hashlib.sha256(f"{seed}/{name}".encode()).digest()

    def read(self, start: int, size_bytes: int) -> bytes:
        """The `size_bytes` bytes from `start` on."""
        block, skipped = divmod(start, _BLOCK_BYTES)
        counter = block.to_bytes(_BLOCK_BYTES, "big")
        encryptor = Cipher(algorithms.AES(self._key), modes.CTR(counter)).encryptor()
        zeros = _ZEROS[: skipped + size_bytes]
        if len(zeros) < skipped + size_bytes:
            zeros = memoryview(bytes(skipped + size_bytes))
        return encryptor.update(zeros)[skipped:]

    def sha256(self, size_bytes: int) -> str:
        """The digest of the first `size_bytes` bytes, in hexadecimal."""
        digest = hashlib.sha256()
        for at in range(0, size_bytes, _PIECE_BYTES):
            digest.update(self.read(at, min(_PIECE_BYTES, size_bytes - at)))
        return digest.hexdigest()


class MediaSite:
    """The site; an async context manager that listens while it is open."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0: any that is free."""
        self._host = host
        self._port = port
        self._digests: dict[tuple[str, int, int], str] = {}  # as many as the tests or the demo ask for
        app = web.Application()
        app.router.add_get("/{name:.+}", _serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def url(self, name: str, size_bytes: int, *, seed: int = 0, with_length: bool = True) -> str:
        """The address of the file with these bytes."""
        query = {"size": size_bytes, "seed": seed} | ({} if with_length else {"length": "no"})
        return f"http://{self._host}:{self._port}/{quote(name)}?{urlencode(query)}"

    async def sha256_of(self, name: str, size_bytes: int, *, seed: int = 0) -> str:
        """The digest of that file in hexadecimal, computed once, in a thread."""
        key = (name, size_bytes, seed)
        if key not in self._digests:
            self._digests[key] = await asyncio.to_thread(Keystream(name, seed).sha256, size_bytes)
        return self._digests[key]


async def _serve(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    try:
        size_bytes, seed = int(request.query["size"]), int(request.query.get("seed", "0"))
    except (KeyError, ValueError):
        raise web.HTTPNotFound from None
    if not 0 <= size_bytes <= _LARGEST_BYTES:
        raise web.HTTPNotFound
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    start, stop = 0, size_bytes
    if request.query.get("length") != "no":
        start, stop = _announce(request, response, f'"{_tag(name, size_bytes, seed)}"', size_bytes)
    await response.prepare(request)
    if request.method == "GET":
        await _write(response, Keystream(name, seed), start, stop)
    return response


def _tag(name: str, size_bytes: int, seed: int) -> str:
    """What stands in the ETag of a file."""
    return hashlib.sha256(f"{seed}/{size_bytes}/{name}".encode()).hexdigest()[:24]


def _announce(
    request: web.Request, response: web.StreamResponse, etag: str, size_bytes: int
) -> tuple[int, int]:
    """Set status and headers for the range asked for; its start and stop."""
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    start, stop = 0, size_bytes
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked and request.headers.get("If-Range", etag) == etag:
        start = int(asked[1])
        stop = min(size_bytes, int(asked[2]) + 1) if asked[2] else size_bytes
        if start >= stop:
            raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size_bytes}"})
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    response.content_length = stop - start
    return start, stop


async def _write(response: web.StreamResponse, content: Keystream, start: int, stop: int) -> None:
    try:
        for at in range(start, stop, _PIECE_BYTES):
            await response.write(content.read(at, min(_PIECE_BYTES, stop - at)))
        await response.write_eof()
    except ConnectionError:
        return  # the reader has had enough
