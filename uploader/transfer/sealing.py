"""Threads that seal messages off the event loop."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar, TypeVarTuple

from uploader.transfer import seal
from uploader.transfer.room import HEADER_BYTES, MESSAGE_BYTES
from uploader.transfer.seal import AuthKey
from uploader.transfer.session import Outgoing

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

#: More threads than this gain nothing, for then the event loop is what is full.
_THREADS: Final = 4

#: Messages up to this size are sealed on the spot; a thread would cost more than it saves.
_AT_ONCE_BYTES: Final = 4096

#: How much the threads give way to the event loop where the system schedules threads, as Linux does.
_NICE: Final = 5


#: How long one thread may keep the others waiting for the interpreter; Python's own 5 ms leave cores idle.
#: On two cores uploads are 8 % faster with this, at the same CPU time. https://docs.python.org/3/library/sys.html#sys.setswitchinterval
_TURN_S: Final = 0.0005


def take_short_turns() -> None:
    """Let the threads of this process, the event loop's among them, wait less for each other."""
    sys.setswitchinterval(_TURN_S)


class _Scratch(threading.local):
    """Memory that each thread works in."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(MESSAGE_BYTES + seal.SCRATCH_MORE_BYTES))


class Sealing:
    """Seals the messages of all connections on one auth key, in place and in up to `_THREADS` threads."""

    def __init__(self, key: AuthKey) -> None:
        self._key = key
        self._scratch = _Scratch()
        self._threads = ThreadPoolExecutor(
            min(_THREADS, os.cpu_count() or 1), thread_name_prefix="seal", initializer=_give_way
        )

    def close(self) -> None:
        """Let the threads end; what is being sealed is sealed to its end."""
        self._threads.shutdown(wait=False)

    async def sealed(self, outgoing: Outgoing, prefix: bytes, use: Callable[[memoryview], Result]) -> Result:
        """What `use` makes of `prefix` and the envelope of a message; it is called in the thread that sealed.

        The bytes are valid until the request's room is used anew.
        """
        if outgoing.request.stop - outgoing.request.start <= _AT_ONCE_BYTES:
            return use(self.seal(outgoing, prefix))
        return await self.aside(self._seal_and_use, outgoing, prefix, use)

    def _seal_and_use(self, outgoing: Outgoing, prefix: bytes, use: Callable[[memoryview], Result]) -> Result:
        return use(self.seal(outgoing, prefix))

    async def aside(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Call `function` in one of the threads: something long that lets the GIL go."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def seal(self, outgoing: Outgoing, prefix: bytes) -> memoryview:
        """The same in this thread. A message that was sealed before is opened first."""
        request = outgoing.request
        room, start = request.room, request.start - HEADER_BYTES
        stop = request.stop + len(outgoing.padding)
        with room.lock:
            if room.sealed is not None:
                seal.reopen(self._key, room.view, *room.sealed)
            room.view[start : request.start] = outgoing.header
            room.view[request.stop : stop] = outgoing.padding
            seal.seal(self._key, room.view, start, stop, self._scratch.view)
            room.sealed = start, stop
            front = start - seal.FRONT_BYTES
            room.view[front - len(prefix) : front] = prefix
            return room.view[front - len(prefix) : stop - seal.BLOCK_BYTES]


def _give_way() -> None:
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICE)
