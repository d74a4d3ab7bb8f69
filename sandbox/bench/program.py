"""A measured client or a sink: a process that is told lines of JSON and answers with lines of JSON."""

import asyncio
import json
import secrets
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

_STOP_S: Final = 10.0
_LINE_BYTES: Final = 1 << 20
_LAST_WORDS: Final = 600


class ProgramFailed(Exception):
    """It ended or does not answer; the message holds its last words."""


class Program:
    """A running one; see `started`."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    async def ask(self, question: Mapping[str, Any], time_s: float) -> str:
        """Tell it a line and wait for its answer, which is one. Raises ProgramFailed."""
        self.tell(question)
        line = b""
        if self._process.stdout is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(time_s):
                    line = await self._process.stdout.readline()
        if not line:
            raise ProgramFailed(self._log.read_text(errors="replace")[-_LAST_WORDS:].strip() or "no answer")
        return line.decode()

    def tell(self, fact: Mapping[str, Any]) -> None:
        """Tell it a line."""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(fact).encode() + b"\n")

    async def end(self) -> None:
        """End its standard input, upon which it ends by itself; else by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def started(command: Sequence[str], folder: Path) -> AsyncIterator[Program]:
    """Start a program, with its log in `folder`; it ends with the block."""
    log = folder / f"{secrets.token_hex(4)}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=errors, limit=_LINE_BYTES
        )
    program = Program(process, log)
    try:
        yield program
    finally:
        await program.end()
        log.unlink()
