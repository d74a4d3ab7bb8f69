"""The control API as its clients use it. No Textual in here: `run.py status` is such a client too."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from uploader.snapshot import WIRE_VERSION, MaintenanceSwitch, Snapshot

#: An engine answers from memory and a few rows.
ANSWER_S: Final = 10.0

#: The engine writes a comment every 10 s; one that is silent for longer hangs.
SILENCE_S: Final = 25.0

#: Waits between attempts to reach an engine that is away: doubling from the first to the last.
RETRY_FIRST_S: Final = 0.25
RETRY_LAST_S: Final = 4.0

#: The longest line of an answer: a full snapshot with the longest names is far below it.
LINE_BYTES: Final = 1 << 20

#: aiohttp wants a host in a URL; over a unix socket nobody looks it up.
_BASE: Final = "http://engine"


class ControlError(Exception):
    """The engine cannot be asked, or refused; the message is a sentence for the admin."""


class EngineUnreachable(ControlError):
    """Nobody listens at the socket, or it does not speak our wire version."""


class EngineTroubled(ControlError):
    """It runs, and something keeps it from serving."""


@dataclass(frozen=True, slots=True)
class Away:
    """What `ControlClient.watch` yields instead of a snapshot while the engine is away."""

    why: str


class ControlClient:
    """Asks the engine whose control socket is `socket_path`, while its `async with` block runs."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        connector = aiohttp.UnixConnector(path=str(self._path))
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(_BASE, connector=connector, read_bufsize=LINE_BYTES)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def snapshot(self) -> Snapshot:
        """Ask once how the engine is. Raises ControlError."""
        return await self._ask("GET", "/api/snapshot")

    async def set_maintenance(self, on: bool) -> Snapshot:
        """Switch maintenance and return how the engine is afterwards. Raises ControlError."""
        return await self._ask("POST", "/api/maintenance", MaintenanceSwitch(on=on).model_dump_json())

    async def drain(self) -> Snapshot:
        """Let the engine stop: nothing new is taken, and it ends by itself. Raises ControlError."""
        return await self._ask("POST", "/api/drain")

    async def watch(self) -> AsyncGenerator[Snapshot | Away, None]:
        """Yield every new snapshot, for ever; an `Away` after each attempt that lost or missed the engine."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                async with aclosing(self._events()) as events:
                    async for seen in events:
                        wait_s = RETRY_FIRST_S
                        yield seen
                yield Away("it closed the connection")
            except ControlError as problem:
                yield Away(str(problem))
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, RETRY_LAST_S)

    async def _ask(self, method: str, route: str, body: str | None = None) -> Snapshot:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with self._session.request(method, route, data=body, timeout=timeout) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise _unreachable(problem) from problem
        if answer.status != 200:
            raise _refusal(answer.status, text)
        return _parsed(text)

    async def _events(self) -> AsyncGenerator[Snapshot, None]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=SILENCE_S)
        try:
            async with self._session.get("/api/events", timeout=timeout) as answer:
                if answer.status != 200:
                    raise _refusal(answer.status, await answer.text())
                async for line in answer.content:
                    if line.startswith(b"data:"):
                        yield _parsed(line.removeprefix(b"data:"))
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise _unreachable(problem) from problem
        except HttpProcessingError as problem:  # a line over LINE_BYTES, or no HTTP at all
            raise EngineUnreachable("it sends more than this program can read") from problem


def _parsed(text: str | bytes) -> Snapshot:
    try:
        snapshot = Snapshot.model_validate_json(text)
    except ValidationError as problem:
        raise EngineUnreachable("it speaks another version of the control API; update both") from problem
    if snapshot.wire_version != WIRE_VERSION:
        raise EngineUnreachable(
            f"it speaks version {snapshot.wire_version} of the control API, this program {WIRE_VERSION}; "
            "update both"
        )
    return snapshot


def _refusal(status: int, text: str) -> ControlError:
    """What an answer says that is no snapshot: of an engine in trouble, which."""
    try:
        why = str(json.loads(text)["error"])
    except (ValueError, TypeError, LookupError):
        return ControlError(f"it answered {status}: {text[:200]}")
    return EngineTroubled(why) if status == 503 else ControlError(f"it answered {status}: {why}")


def _unreachable(problem: Exception) -> EngineUnreachable:
    if isinstance(problem, TimeoutError):
        return EngineUnreachable("it does not answer")
    cause = problem.__cause__ if isinstance(problem, aiohttp.ClientConnectorError) else problem
    match cause:
        case FileNotFoundError() | ConnectionRefusedError():
            return EngineUnreachable("nobody listens at its control socket")
        case PermissionError():
            return EngineUnreachable("its control socket belongs to another user")
        case _:
            return EngineUnreachable("the connection broke")
