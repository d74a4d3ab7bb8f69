"""Transports under a stream cipher, for clients behind networks that look for MTProto.

https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.mtproto.transport import Abridged, BadFrame, Intermediate, Padded, Transport

#: A client begins with so many bytes, which hold the keys of both directions.
OPENING_BYTES: Final = 64

_WITHIN: Final[Mapping[bytes, Callable[[], Transport]]] = MappingProxyType(
    {b"\xef" * 4: Abridged, b"\xee" * 4: Intermediate, b"\xdd" * 4: Padded}
)


class Veil:
    """The cipher of one connection. Raises BadFrame when `opening` names no transport within it."""

    def __init__(self, opening: bytes) -> None:
        back = opening[8:56][::-1]
        self._there = Cipher(algorithms.AES(opening[8:40]), modes.CTR(opening[40:56])).decryptor()
        self._back = Cipher(algorithms.AES(back[:32]), modes.CTR(back[32:])).encryptor()
        transport = _WITHIN.get(self._there.update(opening)[56:60])
        if transport is None:
            raise BadFrame("unknown transport")
        self.transport = transport

    def lift(self, stream: memoryview) -> None:
        """Make the next bytes of the client readable, in place."""
        stream[:] = self._there.update(stream)

    def cover(self, packet: bytes) -> bytes:
        """The next bytes for the client."""
        return self._back.update(packet)
