"""Child processes: shut in, spoken to in lines of JSON, and gone with all their children when we are done."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from uploader.errors import PeykError
from uploader.limits import MIB
from uploader.sources.media.cell import NO_NETWORK

#: What a child needs of the machine: its own programs and libraries, certificates, and noise.
_READS: Final = (
    *(sys.prefix, sys.base_prefix, str(Path(__file__).parent)),
    *("/usr", "/lib", "/lib64", "/bin", "/proc", "/sys/devices/system/cpu", "/dev/urandom", "/dev/zero"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/localtime"),
)
_CELL: Final = Path(__file__).with_name("cell.py")
#: The longest thing that a child has to say: all formats of a film.
_LINE_BYTES: Final = 8 * MIB
#: From the start of a child to the listener in its network.
_SHUT_S: Final = 10.0
#: A killed process is gone at once, unless the kernel itself is stuck.
_GONE_S: Final = 10.0

_log = structlog.get_logger(__name__)


class ChildFailed(PeykError):
    """The child ended before it said what it was asked for; the message is its exit status."""


class Outlet(Protocol):
    """What a child may speak to: a server of ours on loopback, which listens on any other socket as well."""

    @property
    def port(self) -> int:
        """Where it listens, and is found by the child in a network of its own, too."""

    def listening(self, listener: socket.socket) -> AbstractAsyncContextManager[None]:
        """Serve `listener` within the context."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What a child may use."""

    folder: Path  # the only place where it may write
    wall_s: float
    cpu_s: int
    memory_bytes: int  # of each process in it
    file_bytes: int  # of each file that it writes
    files: int = 256  # open at once
    reads: tuple[str, ...] = ()  # besides what every child may read


class Child:
    """A running child. `port` is where it finds its outlet; 0: it has no way out."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self._process = process

    @property
    def pid(self) -> int:
        """The id of the process, and of its group."""
        return self._process.pid

    async def say(self, message: Any) -> None:
        """Send one line.

        Raises:
            ChildFailed: nobody listens.
        """
        if self._process.stdin is None:
            raise ChildFailed("no stdin")
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()
        except ConnectionError:
            raise ChildFailed(await self.ended()) from None

    async def hear(self) -> Any:
        """The next line.

        Raises:
            ChildFailed: there is none, or it is no JSON.
        """
        if self._process.stdout is None:
            raise ChildFailed("no stdout")
        try:
            line = await self._process.stdout.readline()
            if line.endswith(b"\n"):
                return json.loads(line)
        except ValueError as error:
            raise ChildFailed(type(error).__name__) from None
        raise ChildFailed(await self.ended())

    async def ended(self) -> int:
        """Wait for its end; returns the exit status."""
        return await self._process.wait()


class Cells:
    """Starts children, and knows whether this machine lets them have a network of their own."""

    def __init__(self, *, isolated: bool = True) -> None:
        """`isolated` False: do not even try to give children a network of their own."""
        self._isolated = isolated

    @asynccontextmanager
    async def start(
        self, program: Sequence[str], cell: Cell, outlet: Outlet | None = None
    ) -> AsyncIterator[Child]:
        """A running child, killed at the end of the context with all that it started.

        Without `outlet` it has no network. Where the machine refuses a network of its own, a child with an
        `outlet` has the whole network before it, and only its manners lead it there and nowhere else.

        Raises:
            TimeoutError: on leaving: the context took longer than the cell allows.
            ChildFailed: it could not be started.
        """
        async with asyncio.timeout(cell.wall_s), AsyncExitStack() as exits:
            started = await self._started(program, cell, outlet, exits) if self._isolated else None
            if started is None:
                process = await exits.enter_async_context(_running(program, cell, isolated=False))
                started = Child(process, outlet.port if outlet else 0)
            yield started

    async def _started(
        self, program: Sequence[str], cell: Cell, outlet: Outlet | None, exits: AsyncExitStack
    ) -> Child | None:
        """The child in a network of its own; None: the machine does not allow that."""
        if outlet is None:
            process = await exits.enter_async_context(_running(program, cell, isolated=True))
            return Child(process, 0)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            process = await exits.enter_async_context(
                _running(program, cell, isolated=True, listener=(theirs.fileno(), outlet.port))
            )
            theirs.close()
            ours.settimeout(_SHUT_S)
            _, descriptors, _, _ = await asyncio.to_thread(socket.recv_fds, ours, 1, 1)
        if not descriptors:
            status = await process.wait()
            if status != NO_NETWORK:
                raise ChildFailed(status)
            _log.warning("children share the machine's network: namespaces are not allowed here")
            self._isolated = False
            return None
        await exits.enter_async_context(outlet.listening(socket.socket(fileno=descriptors[0])))
        return Child(process, outlet.port)


@asynccontextmanager
async def _running(
    program: Sequence[str], cell: Cell, *, isolated: bool, listener: tuple[int, int] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process; `listener`: the socket to hand a listener over by, and the port of that."""
    settings = {
        "isolated": isolated,
        "listener": listener,
        "parent": os.getpid(),
        "reads": [*_READS, *cell.reads],
        "writes": [str(cell.folder), "/dev/null"],
        "cpu_s": cell.cpu_s,
        "memory_bytes": cell.memory_bytes,
        "file_bytes": cell.file_bytes,
        "files": cell.files,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_CELL), json.dumps(settings), *program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=cell.folder,
        env=_environment(cell.folder),
        start_new_session=True,
        pass_fds=() if listener is None else listener[:1],
        limit=_LINE_BYTES,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        async with asyncio.timeout(_GONE_S):
            await process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of our own: settings with secrets are in there."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "YTDLP_NO_PLUGINS": "1",
    }
