"""What `run.py bench` needs of the engine: its uploads alone, and a trial at the configured data centre."""

import os
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uploader import __version__
from uploader.clock import Clock
from uploader.config import Config
from uploader.model import Checkpoint, RemoteFile
from uploader.telegram.client import DEVICE_MODEL, log_in
from uploader.transfer import PART_BYTES, Endpoint, UploadPool, take_short_turns, upload

#: A data centre that only counts takes any application.
_ANY_API_ID: Final = 1

Carry = Callable[[Path, int], Awaitable[None]]


@asynccontextmanager
async def uploads(host: str, port: int, auth_key: bytes) -> AsyncIterator[Carry]:
    """The engine's uploads to a data centre on an auth key: a function of a file and its size in bytes."""
    take_short_turns()
    async with UploadPool(_endpoint(host, port, auth_key, _ANY_API_ID)) as pool:

        async def carry(path: Path, size_bytes: int) -> None:
            await _carry(pool, size_bytes, lambda start, _stop: _bytes_of(path, start, size_bytes), _ignore)

        yield carry


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What one upload to the real data centre took."""

    size_bytes: int
    seconds: float
    cpu_s: float


async def try_live(config: Config, size_bytes: int, report: Callable[[int], None]) -> Trial:
    """Upload random bytes as the configured bot; no message is sent, so Telegram drops them by itself.

    `report` gets the acknowledged bytes.

    Raises:
        ConfigError: the settings cannot be used.
        TelegramError: the data centre does not answer.
        TransferError: it does not take the parts.
    """
    login = await log_in(config, __version__, Clock())
    block = os.urandom(PART_BYTES)

    async def read(start: int, _stop: int | None) -> AsyncIterator[bytes]:
        for at in range(start, size_bytes, PART_BYTES):
            yield block[: size_bytes - at]

    async with UploadPool(_endpoint(login.host, login.port, login.auth_key, config.api_id)) as pool:
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        await _carry(pool, size_bytes, read, report)
        seconds, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    return Trial(size_bytes=size_bytes, seconds=seconds, cpu_s=cpu_s)


async def _carry(
    pool: UploadPool,
    size_bytes: int,
    read: Callable[[int, int | None], AsyncIterator[bytes]],
    report: Callable[[int], None],
) -> None:
    remote = RemoteFile(
        name="bench.bin",
        size_bytes=size_bytes,
        mime_type="application/octet-stream",
        validator=None,  # nothing to be resumed
        read=read,
    )
    await upload(remote, pool, checkpoint=None, save=_forget, report=report)


async def _bytes_of(path: Path, start: int, stop: int) -> AsyncIterator[bytes]:
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        for _ in range(start, stop, PART_BYTES):
            yield file.read(PART_BYTES)  # not kept while it is waited for the next turn


async def _forget(checkpoint: Checkpoint) -> None:
    """The checkpoints of a benchmark are not kept."""


def _ignore(_done_bytes: int) -> None:
    """Nobody looks at the progress of a benchmark."""


def _endpoint(host: str, port: int, auth_key: bytes, api_id: int) -> Endpoint:
    return Endpoint(
        host=host,
        port=port,
        auth_key=auth_key,
        api_id=api_id,
        device_model=DEVICE_MODEL,
        system_version=platform.release(),
        app_version=__version__,
    )
