"""`bench pipeline`: from link to delivered file, beside the upload of as many bytes alone.

Both against the whole data centre, which keeps the bytes: the file comes from a site on loopback through
the engine into a chat, and the user's download is compared with the source. The upload alone has nothing to
fetch.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

from rich.console import Console
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import MemorySession

from sandbox.bench.figures import OURS, Sample
from sandbox.bench.plan import API_HASH, API_ID, Address, Order
from sandbox.bench.program import ProgramFailed, started
from sandbox.bench.roster import RUN
from sandbox.stage import StageError, running_sandbox

#: 2000 MiB through a busy machine, and back again for the digest.
_PATIENCE_S: Final = 1800.0
_MB: Final = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One file from link to chat. Disk: the engine's data folder at its largest, database included."""

    seconds: float
    is_equal: bool
    rss_mb: float
    disk_bytes: int

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From what the demo says. Raises ProgramFailed when nothing was delivered."""
        told = json.loads(text)
        delivery = told["deliveries"][0]
        if delivery.get("error") or delivery["seconds"] is None:
            raise ProgramFailed(f"nothing was delivered: {delivery.get('error')}")
        return cls(
            seconds=delivery["seconds"],
            is_equal=delivery["sha256_source"] == delivery["sha256_delivered"],
            rss_mb=told["rss_peak_mb"],
            disk_bytes=told["disk_peak_bytes"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The medians of some rounds."""

    size_bytes: int
    delivered_s: float
    upload_s: float
    ratio: float
    is_equal: bool  # every digest
    rss_mb: float
    disk_bytes: int

    def lines(self) -> list[str]:
        """For people."""
        mb = self.size_bytes / _MB
        return [
            f"{self.size_bytes / 2**20:.0f} MiB, link to delivered: {self.delivered_s:.1f} s "
            f"({mb / self.delivered_s:.0f} MB/s)",
            f"upload alone: {self.upload_s:.1f} s ({mb / self.upload_s:.0f} MB/s); ratio {self.ratio:.2f}",
            f"digests {'equal' if self.is_equal else 'DIFFERENT'}; the engine took {self.rss_mb:.0f} MB of "
            f"memory and {self.disk_bytes:,} bytes on disk at most",
        ]


def bench_pipeline(size_bytes: int, rounds: int, as_json: bool) -> int:
    """Measure and show; returns the exit status, which is 0 if every file arrived as it was."""
    console = Console(stderr=True, highlight=False)
    try:
        with console.status("measuring; each round takes minutes for a large file"):
            found = asyncio.run(compared(size_bytes, rounds))
    except (ProgramFailed, StageError) as error:
        console.print(f"The benchmark broke off: {error}", markup=False)
        return 1
    sys.stdout.write((json.dumps(asdict(found)) if as_json else "\n".join(found.lines())) + "\n")
    return 0 if found.is_equal else 1


async def compared(size_bytes: int, rounds: int) -> Comparison:
    """Deliver and upload in turn. Raises ProgramFailed, StageError."""
    deliveries, uploads = [], []
    with tempfile.TemporaryDirectory(prefix="peyk-bench-") as name:
        for _ in range(rounds):
            deliveries.append(await _delivered(size_bytes))
            uploads.append(await _uploaded(size_bytes, Path(name)))
    delivered_s = median(delivery.seconds for delivery in deliveries)
    upload_s = median(upload.seconds for upload in uploads)
    return Comparison(
        size_bytes=size_bytes,
        delivered_s=delivered_s,
        upload_s=upload_s,
        ratio=delivered_s / upload_s,
        is_equal=all(delivery.is_equal for delivery in deliveries),
        rss_mb=max(delivery.rss_mb for delivery in deliveries),
        disk_bytes=max(delivery.disk_bytes for delivery in deliveries),
    )


async def _delivered(size_bytes: int) -> Delivery:
    """The demo plays a site, a user and the engine, each on its own side of a socket."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(RUN),
        *("demo", "--json", "--size", str(size_bytes)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise ProgramFailed(f"no delivery in {_PATIENCE_S:.0f} s") from None
    if not said:
        raise ProgramFailed("the demo said nothing")
    return Delivery.from_json(said.decode())


async def _uploaded(size_bytes: int, folder: Path) -> Sample:
    path = folder / "hollow.bin"
    with path.open("wb") as file:
        file.truncate(size_bytes)
    async with (
        running_sandbox(folder) as centre,
        _logged_in(centre) as address,
        started([sys.executable, str(RUN), "bench", "client", OURS], folder) as program,
    ):
        program.tell(asdict(address))
        order = Order(path=str(path), size_bytes=size_bytes, like_bytes=size_bytes, files=1, chat=False)
        return Sample.from_json(await program.ask(asdict(order), _PATIENCE_S))


@asynccontextmanager
async def _logged_in(centre: Any) -> AsyncIterator[Address]:
    """Log the bot in, on an auth key for the upload to use."""
    rsa.add_key(Path(centre["public_key"]).read_bytes(), old=False)  # noqa: ASYNC240 - nobody else waits
    session = MemorySession()
    session.set_dc(centre["dc_id"], centre["host"], centre["port"])
    client = TelegramClient(session, API_ID, API_HASH, receive_updates=False)
    await client.connect()
    try:
        await client.sign_in(bot_token=centre["bot_token"])
        yield Address(
            host=centre["host"],
            port=centre["port"],
            dc_id=centre["dc_id"],
            auth_key_hex=session.auth_key.key.hex(),
        )
    finally:
        await client.disconnect()
