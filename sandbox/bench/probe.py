"""Measures one client inside its own process: time, CPU, memory, stalls of the event loop, chat."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Final, Protocol

from sandbox.bench.figures import Sample, Spread
from sandbox.bench.plan import Address, Order

#: How often the event loop is asked whether it is late.
_TICK_S: Final = 0.005
#: How often somebody writes to the bot while it uploads.
_CHAT_S: Final = 0.02

_STATUS: Final = Path("/proc/self/status")
_FORGET_PEAK: Final = Path("/proc/self/clear_refs"), "5"


class Client(Protocol):
    """A client that is connected."""

    async def upload(self, order: Order) -> None:
        """Upload the order's file, once."""

    async def chat(self) -> None:
        """A small call on the connection that serves the users."""


Connect = Callable[[Address], AbstractAsyncContextManager[Client]]


async def serve(connect: Connect) -> None:
    """A client's process: reads an address and then orders, and says a sample for each."""
    async with connect(Address(**json.loads(await _line()))) as client:
        probe = Probe(client)
        while line := await _line():
            sample = await probe.carry(Order(**json.loads(line)))
            sys.stdout.write(sample.as_json() + "\n")
            sys.stdout.flush()


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


class Probe:
    """One connected client under observation."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._idle_bytes = _memory_bytes("VmRSS")

    async def carry(self, order: Order) -> Sample:
        """Let the client upload, and measure it meanwhile. Raises what the client raises."""
        lags: list[float] = []
        chats: list[float] = []
        with suppress(OSError):  # not on this system: the peak is then that of all orders so far
            _FORGET_PEAK[0].write_text(_FORGET_PEAK[1])
        async with asyncio.TaskGroup() as tasks:
            watchers = [tasks.create_task(_watch(lags))]
            if order.chat:
                watchers.append(tasks.create_task(_talk(self._client, chats)))
            begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
            async with asyncio.TaskGroup() as upload_tasks:
                for _ in range(order.files):
                    upload_tasks.create_task(self._client.upload(order))
            seconds, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
            for watcher in watchers:
                watcher.cancel()
        return Sample(
            size_bytes=order.size_bytes * order.files,
            seconds=seconds,
            cpu_s=cpu_s,
            rss_idle_bytes=self._idle_bytes,
            rss_peak_bytes=_memory_bytes("VmHWM"),
            lag=Spread.of(lags),
            chat=Spread.of(chats),
        )


async def _watch(lags: list[float]) -> None:
    """Sleep a little, again and again, and note by how much each sleep was too long."""
    now = asyncio.get_running_loop().time
    while True:
        due = now() + _TICK_S
        await asyncio.sleep(_TICK_S)
        lags.append(max(0.0, now() - due))


async def _talk(client: Client, chats: list[float]) -> None:
    """Call every 20 ms, also while earlier calls still wait: people do not wait for each other."""
    async with asyncio.TaskGroup() as tasks:
        while True:
            tasks.create_task(_say(client, chats))
            await asyncio.sleep(_CHAT_S)


async def _say(client: Client, chats: list[float]) -> None:
    begin_s = time.perf_counter()
    await client.chat()
    chats.append(time.perf_counter() - begin_s)


def _memory_bytes(key: str) -> int:
    """A line of the kernel's account of this process; 0 where there is none."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024
    return 0
