"""The bodies of answers as they arrive: codings are undone piece by piece, what ends early is an error."""

import errno
import zlib
from typing import Final

import aiohttp

from uploader.limits import MIB
from uploader.sources.answers import coding_of
from uploader.sources.wire import Tls, Wire

#: What is inflated at once: a thousandth of it may be all that came.
_PIECE_BYTES: Final = MIB
_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15
_MAGIC: Final = b"\x1f\x8b"


class Body:
    """What is left of one answer."""

    def __init__(self, response: aiohttp.ClientResponse, wire: Wire | None) -> None:
        """`wire`: what it comes over; None: it is all there."""
        self._content = response.content
        self._wire = wire
        if wire is not None:
            wire.begin()
        transport = response.connection.transport if response.connection is not None else None
        self._tls = None if transport is None else transport.get_extra_info("ssl_object")
        coding = coding_of(response.headers)
        self._inflater = _Inflater(coding) if coding else None
        #: Then nothing but the end of the connection tells that it is whole.
        chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        self._is_until_close = not chunked and "Content-Length" not in response.headers

    async def read(self) -> bytes:
        """The next bytes of the file; nothing at its end.

        Raises:
            aiohttp.ClientError: it ended early, or is not coded as it says.
            OSError: EPROTO: hardly anything of what comes is of the file.
        """
        while not (data := self._inflater.take() if self._inflater else b""):
            chunk = await self._arrived()
            if not chunk:
                self._judge_end()
                return b""
            if self._wire is not None:
                self._wire.grant(len(chunk))
            if self._inflater is None:
                return chunk
            self._inflater.put(chunk)
        return data

    def close(self) -> None:
        """Nothing more is wanted of it."""
        if self._wire is not None:
            self._wire.end()

    async def _arrived(self) -> bytes:
        try:
            return await self._content.readany()
        except aiohttp.ClientError:
            if self._wire is not None and self._wire.is_useless:
                raise OSError(errno.EPROTO, "framing without end") from None
            raise

    def _judge_end(self) -> None:
        if self._inflater is not None and not self._inflater.is_whole:
            raise aiohttp.ClientPayloadError("the coding ends early")
        broke = self._wire is not None and self._wire.has_broken
        # https://www.rfc-editor.org/rfc/rfc9112#section-9.8
        cut = isinstance(self._tls, Tls) and not self._tls.has_ended
        if self._is_until_close and (broke or cut):
            raise aiohttp.ClientPayloadError("the connection broke")


class _Inflater:
    """Undoes gzip, of as many members as there are, or deflate with its head or without."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._coded = b""
        self._member: zlib._Decompress | None = None
        self._members = 0
        self._has_more = False  # of what is in already, more can be taken

    @property
    def is_whole(self) -> bool:
        """Whether nothing more is expected."""
        return self._member is None

    def put(self, coded: bytes) -> None:
        self._coded += coded

    def take(self) -> bytes:
        """Some of what is there. Raises aiohttp.ClientPayloadError: it is none of its coding."""
        while self._coded or self._has_more:
            if self._member is None and not self._begin():
                return b""
            try:
                data = self._inflated()
            except zlib.error:
                raise aiohttp.ClientPayloadError("damaged coding") from None
            if data:
                return data
        return b""

    def _begin(self) -> bool:
        """Whether another member begins; what is no member after one is ignored, as all do."""
        if self._members and not (self._is_gzip and self._coded.startswith(_MAGIC[: len(self._coded)])):
            self._coded = b""
            return False
        has_head = self._coded[0] & 0x0F == zlib.DEFLATED
        self._member = zlib.decompressobj(_GZIP if self._is_gzip else _ZLIB if has_head else _RAW)
        self._members += 1
        return True

    def _inflated(self) -> bytes:
        if self._member is None:
            return b""
        data = self._member.decompress(self._coded, _PIECE_BYTES)
        self._has_more = len(data) == _PIECE_BYTES and not self._member.eof
        self._coded = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        if self._member.eof:
            self._member = None
        return data
