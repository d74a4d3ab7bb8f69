"""Connections to sites: what they carry beside files is bounded, and how they ended is known.

Notes before an answer, heads, trailers and the framing of chunks are no bytes of a file: a site can send them
for ever. aiohttp tells nothing of them, nor does it tell a connection that broke from one that was closed.
"""

import errno
import socket
import ssl
from typing import Any, Final

from uploader.limits import MIB

#: Borne before a file: TLS, notes and a head, with what comes in one go behind it.
_HEAD_BYTES: Final = MIB // 2
#: Borne beside a file, and read ahead of it, before more of the file has to come.
_SPARE_BYTES: Final = 4 * MIB
#: For each byte of a file so many are borne.
_FOR_EACH: Final = 2


class Wire(socket.socket):
    """A socket that ends when too little of what it brings is of use."""

    has_broken = False
    _left_bytes = _HEAD_BYTES

    @property
    def is_useless(self) -> bool:
        """Whether it has brought too much that is of no use."""
        return self._left_bytes < 0

    def begin(self) -> None:
        """The body of an answer begins."""
        self._left_bytes = _SPARE_BYTES

    def grant(self, size_bytes: int) -> None:
        """So much of the body was of use."""
        self._left_bytes = min(_SPARE_BYTES, self._left_bytes + _FOR_EACH * size_bytes)

    def end(self) -> None:
        """The body is over; there may be another answer."""
        self._left_bytes = _HEAD_BYTES

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Raises OSError EPROTO, once it has brought too much."""
        try:
            data = super().recv(bufsize, flags)
        except OSError as error:
            self._failed(error)
            raise
        self._came(len(data))
        return data

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:
        """See `recv`."""
        try:
            size_bytes = super().recv_into(buffer, nbytes, flags)
        except OSError as error:
            self._failed(error)
            raise
        self._came(size_bytes)
        return size_bytes

    def _failed(self, error: OSError) -> None:
        self.has_broken |= not isinstance(error, BlockingIOError | InterruptedError)

    def _came(self, size_bytes: int) -> None:
        self._left_bytes -= size_bytes
        if self.is_useless:
            self.has_broken = True
            raise OSError(errno.EPROTO, "framing without end")


class Tls(ssl.SSLObject):
    """TLS that notices whether its end was announced: asyncio ends either way."""

    has_ended = False

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        """See `ssl.SSLObject.read`."""
        came = super().read(len) if buffer is None else super().read(len, buffer)
        self.has_ended |= not came
        return came


def tls_context() -> ssl.SSLContext:
    """Certificates are verified, and each connection is a `Tls`."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    context.sslobject_class = Tls
    return context
