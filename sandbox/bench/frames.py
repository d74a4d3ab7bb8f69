"""Where a packet ends, told by its first bytes alone. Pure.

The data centre of `sandbox.mtproto` waits for whole packets; the sink throws most of each away unread.
https://core.telegram.org/mtproto/mtproto-transports
"""

from dataclasses import dataclass
from typing import Final

from sandbox.mtproto.transport import MAX_PACKET_BYTES, Abridged, Full, Intermediate, Transport

#: A packet has at least this many bytes in any transport.
LEAST_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet's place in the stream: the payload is [start, stop) of its `total_bytes`."""

    start: int
    stop: int
    total_bytes: int


def packet(transport: Transport, head: bytes) -> Packet:
    """The packet that begins with `head`, of LEAST_BYTES or more. Raises ValueError for an impossible one."""
    word = int.from_bytes(head[:4], "little")
    match transport:
        case Full():
            found = Packet(8, word - 4, word)
        case Intermediate():
            found = Packet(4, 4 + word, 4 + word)
        case Abridged() if head[0] == 0x7F:
            found = Packet(4, 4 + (word >> 8) * 4, 4 + (word >> 8) * 4)
        case Abridged():
            found = Packet(1, 1 + head[0] * 4, 1 + head[0] * 4)
        case _:
            raise ValueError("a transport that no measured client speaks")
    if not LEAST_BYTES <= found.stop - found.start <= MAX_PACKET_BYTES:
        raise ValueError(f"a packet of {found.total_bytes} bytes")
    return found
