"""What the demo and the tests of the whole play on: a data centre and the engine, each in its own process."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RUN: Final = Path(__file__).parents[1] / "run.py"
#: A first start makes an RSA key and a login; a machine under load takes its time.
START_S: Final = 60.0
#: Longer than the engine's own deadline for running transfers.
STOP_S: Final = 30.0
ANSWER_S: Final = 10.0
ANSWER_BYTES: Final = 1 << 20
LOOPBACK: Final = "127.0.0.0/8,::1/128"


class StageError(Exception):
    """A program of the demo did not start or broke; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and its log."""

    process: Process
    log: Path

    async def stop(self) -> int:
        """End it with SIGTERM, or by force after STOP_S; returns its exit status."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
        return await self.process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:].strip()


async def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], name: str) -> Program:
    """Start `run.py` with `arguments` in `folder`, where no settings of the operator's lie."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("PEYK_")}
    log = folder / f"{name}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(RUN),
            *arguments,
            cwd=folder,
            env={**settings, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if name == "sandbox" else errors,
            stderr=errors,
        )
    return Program(process, log)


@asynccontextmanager
async def running_sandbox(folder: Path) -> AsyncIterator[Mapping[str, Any]]:
    """A data centre of its own process; yields what it says of itself (see docs/SANDBOX.md)."""
    arguments = ["sandbox", "--port", "0", "--key", str(folder / "dc.pem"), "--json"]
    program = await start(arguments, folder, {"TMPDIR": str(folder)}, "sandbox")
    try:
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                if program.process.stdout is not None:
                    line = await program.process.stdout.readline()
        if not line:
            raise StageError(f"the data centre did not start:\n{program.last_words()}")
        yield json.loads(line)
    finally:
        await program.stop()


async def asked(control: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """One request to a data centre's control port (see docs/SANDBOX.md), and its answer."""
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection(control["host"], control["port"], limit=ANSWER_BYTES)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            answer: Mapping[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
    if not answer["ok"]:
        raise StageError(f"the data centre refuses {request}: {answer['error']}")
    return answer


def settings_for(centre: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The settings of an engine that serves this data centre's bot, with its state in `folder`."""
    return {
        "PEYK_API_ID": str(centre["api_id"]),
        "PEYK_API_HASH": str(centre["api_hash"]),
        "PEYK_BOT_TOKEN": centre["bot_token"],
        "PEYK_ADMINS": str(centre["admin"]["id"]),
        "PEYK_DATA_DIR": str(folder / "data"),
        "PEYK_SESSIONS_DIR": str(folder / "sessions"),
        "PEYK_DC_ID": str(centre["dc_id"]),
        "PEYK_DC_ADDRESS": f"{centre['host']}:{centre['port']}",
        "PEYK_DC_PUBLIC_KEY": centre["public_key"],
        "PEYK_ALLOW_NETWORKS": LOOPBACK,
        "PEYK_CLOSED_PORTS": str(centre["control"]["port"]),
    }


@asynccontextmanager
async def running_engine(settings: Mapping[str, str], folder: Path) -> AsyncIterator[Program]:
    """The engine in its own process, ready to serve; stopped as an operator stops it."""
    program = await start(["bot"], folder, settings, "engine")
    try:
        await _until_it_listens(program, Path(settings["PEYK_DATA_DIR"]) / "control.sock")
        yield program
    finally:
        await program.stop()


async def _until_it_listens(program: Program, socket: Path) -> None:
    try:
        async with asyncio.timeout(START_S):
            while program.process.returncode is None:
                with suppress(OSError):
                    _reader, writer = await asyncio.open_unix_connection(str(socket))
                    writer.close()
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass
    raise StageError(f"the engine did not start:\n{program.last_words()}")


async def dashboard(
    settings: Mapping[str, str], folder: Path, control: Mapping[str, Any], sample_link: str
) -> int:
    """The dashboard on this terminal until the newcomer leaves it; returns its exit status."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(RUN),
        "dashboard",
        *("--socket", str(folder / "data" / "control.sock")),
        *("--chat", f"{control['host']}:{control['port']}"),
        *("--sample-link", sample_link),
        env={**os.environ, **settings},
    )
    return await process.wait()
