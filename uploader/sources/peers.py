"""Who is at the other end of a connection over loopback: every user of the machine may open one."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

#: https://docs.kernel.org/networking/proc_net_tcp.html
_SOCKETS: Final = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _USER = 1, 2, 7


async def is_ours(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the other end of a connection over 127.0.0.1 belongs to the user that we run as."""
    if transport is None:
        return False
    here, there = (transport.get_extra_info(name) for name in ("sockname", "peername"))
    return await asyncio.to_thread(_user_of, _row(*there), _row(*here)) == os.getuid()


def _user_of(local: str, remote: str) -> int | None:
    """Whose the socket is that has these two addresses; None: there is none."""
    try:
        rows = map(str.split, _SOCKETS.read_text(encoding="ascii").splitlines()[1:])
        return next((int(row[_USER]) for row in rows if [local, remote] == row[_LOCAL : _REMOTE + 1]), None)
    except OSError:
        return None


def _row(host: str, port: int) -> str:
    """An address as the kernel lists it: four bytes in the machine's own order."""
    number = int.from_bytes(bytes(map(int, host.split("."))), sys.byteorder)
    return f"{number:08X}:{port:04X}"
