"""How fast the data centre is: `python -m sandbox.bench.server_speed`.

The client costs next to nothing: it sends packets that were sealed before the clock started, and does not
open the answers. The data centre has a process of its own, whose CPU time and memory are what is told.
"""

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final, Self

from telethon.tl import functions, types

from sandbox.bench.packets import PART_BYTES, Writer

_MB: Final = 1e6
_GB: Final = 1e9
_POLL_S: Final = 0.02
_DEADLINE_S: Final = 300.0
#: Parts that are sealed at once, before the clock goes on.
_AHEAD: Final = 1024
_PARTS_OF_A_FILE: Final = 4000
#: Longer than any request here takes to be read, far shorter than the client's patience.
_END_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the data centre has used and done so far."""

    cpu_s: float
    rss_mb: float
    peak_mb: float
    parts: int
    messages: int
    calls: int


class Server:
    """The data centre in its process; see `speed_host`."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "sandbox.bench.speed_host", *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port: int = self.ask("port")["port"]

    def ask(self, request: str) -> dict[str, Any]:
        """Ask by a line. Raises ValueError when the data centre is no more."""
        requests, answers = _both(self._process.stdin), _both(self._process.stdout)
        requests.write(request + "\n")
        requests.flush()
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    def writer(self, whose: str) -> Writer:
        """A session on a new key of this account."""
        facts = self.ask(whose)
        return Writer(bytes.fromhex(facts["secret"]), facts["salt"])

    def usage(self) -> Usage:
        """What was used and done."""
        return Usage(**self.ask("usage"))

    def wait(self, goal: int, counter: Callable[[Usage], int]) -> None:
        """Wait until a counter has come so far. Raises TimeoutError."""
        deadline = time.monotonic() + _DEADLINE_S
        while counter(usage := self.usage()) < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the data centre stands at {usage}")
            time.sleep(_POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.communicate(timeout=_END_S)


def _both(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise ValueError("no pipe")
    return pipe


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """A connection whose answers are thrown away."""
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(b"\xee" * 4)
        drain = threading.Thread(target=_drain, args=(line,), daemon=True)
        drain.start()
        yield line
        line.shutdown(socket.SHUT_RDWR)
        drain.join(_END_S)


def _drain(line: socket.socket) -> None:
    trash = bytearray(256 * 1024)
    while line.recv_into(trash):
        pass


def parts(server: Server, gigabytes: float, *, glanced: bool) -> str:
    """Send parts; how fast they were taken, and what that cost."""
    wanted = int(gigabytes * _GB / PART_BYTES)
    writer, content = server.writer("bot"), bytes(PART_BYTES)
    write = writer.glanced_part if glanced else writer.part
    sent, wall_s, cpu_s = 0, 0.0, 0.0
    with connected(server) as line:
        while sent < wanted:
            numbers = range(sent, min(sent + _AHEAD, wanted))
            packets = [
                write(number // _PARTS_OF_A_FILE, number % _PARTS_OF_A_FILE, _PARTS_OF_A_FILE, content)
                for number in numbers
            ]
            sent, start, before = numbers.stop, time.perf_counter(), server.usage()
            for packet in packets:
                line.sendall(packet)
            server.wait(before.parts + len(packets), lambda usage: usage.parts)
            wall_s += time.perf_counter() - start
            cpu_s += server.usage().cpu_s - before.cpu_s
    used, done = server.usage(), sent * PART_BYTES
    speed = f"{done / wall_s / _MB:.0f} MB/s, {done / cpu_s / _MB:.0f} MB per CPU-s"
    memory = f"memory {used.rss_mb:.0f} MB, at most {used.peak_mb:.0f} MB"
    return f"{speed}, {cpu_s / done * _GB:.2f} CPU-s/GB; {memory}"


def messages(server: Server, count: int) -> str:
    """Send messages from a bot to a user who listens: stored twice, pushed once."""
    bot, user = server.writer("bot"), server.writer("user")
    peer = types.InputPeerUser(**server.ask("peer"))
    listen = bytes(functions.updates.GetStateRequest())
    with connected(server) as bots, connected(server) as users:
        users.sendall(user.call(listen))
        bots.sendall(bot.call(listen))
        packets = [
            bot.call(bytes(functions.messages.SendMessageRequest(peer, f"message {n}", random_id=n + 1)))
            for n in range(count)
        ]
        server.wait(2, lambda usage: usage.calls)
        before, start = server.usage(), time.perf_counter()
        for packet in packets:
            bots.sendall(packet)
        server.wait(before.messages + count, lambda usage: usage.messages)
        wall_s, cpu_s = time.perf_counter() - start, server.usage().cpu_s - before.cpu_s
    return f"{count / wall_s:.0f} messages/s; {cpu_s / count * 1000:.2f} CPU-s per 1000"


def idle(server: Server, count: int) -> str:
    """Connect many clients that called once, and listen."""
    before = server.usage()
    with ExitStack() as stack:
        for _ in range(count):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            state = server.writer("other").call(bytes(functions.updates.GetStateRequest()))
            line.sendall(b"\xee" * 4 + state)
        server.wait(before.calls + count, lambda usage: usage.calls)
        after = server.usage()
    each_kb = (after.rss_mb - before.rss_mb) * 1000 / count
    return f"{count} clients: memory {after.rss_mb:.0f} MB, {each_kb:.0f} kB each"


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bench.server_speed", description=__doc__)
    parser.add_argument("--gb", type=float, default=2.0, help="GB to send in each mode of uploading")
    parser.add_argument("--messages", type=int, default=5000, help="messages to send")
    parser.add_argument("--clients", type=int, default=1000, help="clients that are connected and idle")
    chosen = parser.parse_args()
    for keep in ("content", "digests", "sizes"):
        with Server(keep) as server:
            _say(f"parts, verified, keeping {keep}", parts(server, chosen.gb, glanced=False))
    with Server("sizes", "trusting") as server:
        _say("parts, clients trusted", parts(server, chosen.gb, glanced=True))
    with Server("content") as server:
        _say("messages", messages(server, chosen.messages))
    with Server("content") as server:
        _say("idle", idle(server, chosen.clients))


def _say(what: str, figures: str) -> None:
    sys.stdout.write(f"{what}: {figures}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
