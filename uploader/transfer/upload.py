"""The way of a file's bytes: source -> parts -> acknowledgements -> checkpoint."""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

from uploader.errors import PartsLost, Reason, SourceError, SourceTemporary, TransferError
from uploader.model import Checkpoint, RemoteFile, Uploaded
from uploader.transfer import parts
from uploader.transfer.failures import first_error
from uploader.transfer.ledger import Ledger
from uploader.transfer.parts import PART_BYTES
from uploader.transfer.pool import UploadPool
from uploader.transfer.reader import Reader
from uploader.transfer.room import PartRoom
from uploader.transfer.slots import Claim


async def upload(
    remote: RemoteFile,
    pool: UploadPool,
    *,
    checkpoint: Checkpoint | None,
    save: Callable[[Checkpoint], Awaitable[None]],
    report: Callable[[int], None],
    parked: Callable[[float], None] = lambda _until: None,
    digest: bool = False,
    cap_bytes: int = parts.CAP_BYTES,
) -> Uploaded:
    """Send all bytes of `remote` and return what its message needs.

    `checkpoint`: how far an earlier attempt came; if it is of the same file, only what is missing is read
    and sent. `save` is awaited about once a second, and a last time however the upload ends; never for a
    file that cannot be resumed (unknown size, no validator, small). `report` gets the acknowledged bytes,
    `parked` until when (epoch seconds) the data centre wants no parts. With `digest`, `Uploaded.sha256_hex`
    is told if all bytes were read now: a digest cannot be taken up where an earlier attempt left it.
    `cap_bytes`: what the account may send, in whole parts.

    Raises SourceError (EMPTY, TOO_LARGE, what the source raises; CHANGED or SITE_BROKEN as SourceTemporary
    when it yields more or less than it promised), TransferError, TransferTemporary (PartsLost: `checkpoint`
    is of no use), AccountStopped, and what `save` raises.
    """
    start = _start(remote, checkpoint, pool.account, cap_bytes)
    ledger = Ledger(start if _resumable(remote) else None, save, report)
    with _one_error(), _refused_as_lost(resumed=start is checkpoint):
        async with ledger.kept():
            with pool.claim(parked) as slots:
                way = _Way(remote, pool, slots, ledger, start.file_id, digest=digest)
                if remote.size_bytes is None:
                    return await way.carry_stream(cap_bytes)
                return await way.carry_known(remote.size_bytes, start.acked)


def _start(remote: RemoteFile, checkpoint: Checkpoint | None, account: str, cap_bytes: int) -> Checkpoint:
    """The checkpoint to go on from, or one of a new upload with nothing acknowledged yet."""
    size_bytes = remote.size_bytes or 0
    if remote.size_bytes is not None:
        parts.check_size(size_bytes, cap_bytes)
    if checkpoint is not None and parts.fits(checkpoint, size_bytes, remote.validator, account):
        return checkpoint
    return Checkpoint(
        file_id=secrets.randbits(64) - 2**63,  # any int64
        size_bytes=size_bytes,
        validator=remote.validator or "",
        acked=bytes(parts.blank(parts.part_count(size_bytes))),
        account=account,
    )


def _resumable(remote: RemoteFile) -> bool:
    size_bytes, validator = remote.size_bytes, remote.validator
    return size_bytes is not None and validator is not None and not parts.is_small(size_bytes)


class _Way:
    """One file on its way."""

    def __init__(
        self,
        remote: RemoteFile,
        pool: UploadPool,
        slots: Claim,
        ledger: Ledger,
        file_id: int,
        *,
        digest: bool,
    ) -> None:
        self._remote = remote
        self._pool = pool
        self._slots = slots
        self._ledger = ledger
        self._file_id = file_id
        self._sha256 = hashlib.sha256() if digest else None
        self._under_way = 0
        self._none_under_way = asyncio.Event()

    async def carry_known(self, size_bytes: int, acked: bytes) -> Uploaded:
        """Send the parts that `acked` lacks; of a small file the MD5 goes with it."""
        count = parts.part_count(size_bytes)
        small = parts.is_small(size_bytes)
        md5 = hashlib.md5(usedforsecurity=False) if small else None  # Telegram's check for accidents
        if any(acked):
            self._sha256 = None
        async with asyncio.TaskGroup() as tasks:
            for run in parts.missing_runs(acked, count):
                async with contextlib.aclosing(self._read(run, size_bytes)) as reading:
                    async for part, room in reading:
                        part_bytes = parts.part_size(size_bytes, part)
                        if md5 is not None:
                            await self._pool.digest(md5, room.data[:part_bytes])
                        self._begin(tasks, room, part, None if small else count, part_bytes)
            await self._all_sent()
        return self._uploaded(size_bytes, md5.hexdigest() if md5 is not None else None)

    async def carry_stream(self, cap_bytes: int) -> Uploaded:
        """Send a file of unknown size: the last part waits for all others, for it tells their number.

        https://core.telegram.org/api/files#streamed-uploads
        """
        part = 0
        async with Reader(self._remote.read(0, None)) as reader, asyncio.TaskGroup() as tasks:
            while True:
                room, part_bytes = await self._filled(reader, PART_BYTES)
                if await reader.ended():
                    break
                if (part + 1) * PART_BYTES >= cap_bytes:
                    raise SourceError(Reason.TOO_LARGE, f"more than {cap_bytes} bytes")
                self._begin(tasks, room, part, parts.TOTAL_UNKNOWN, part_bytes)
                part += 1
            await self._all_sent()
        if not part_bytes:
            raise SourceError(Reason.EMPTY, "the stream had no bytes")
        await self._send(room, part, part + 1, part_bytes)
        return self._uploaded(part * PART_BYTES + part_bytes, None)

    async def _read(self, run: parts.Run, size_bytes: int) -> AsyncGenerator[tuple[int, PartRoom], None]:
        """Read a run of parts, each when there is a slot for it, and see that the source kept its promise."""
        stop = None if run.stop == parts.part_count(size_bytes) else run.stop * PART_BYTES
        async with Reader(self._remote.read(run.start * PART_BYTES, stop)) as reader:
            for part in range(run.start, run.stop):
                part_bytes = parts.part_size(size_bytes, part)
                room, filled_bytes = await self._filled(reader, part_bytes)
                if filled_bytes < part_bytes:
                    raise SourceTemporary(Reason.SITE_BROKEN, f"ended in part {part} of {size_bytes} bytes")
                yield part, room
            if not await reader.ended():
                raise SourceTemporary(Reason.CHANGED, f"more than the promised {size_bytes} bytes")

    async def _filled(self, reader: Reader, part_bytes: int) -> tuple[PartRoom, int]:
        room = await self._slots.take()
        filled_bytes = await reader.fill(room.data[:part_bytes])
        if self._sha256 is not None:
            await self._pool.digest(self._sha256, room.data[:filled_bytes])
        # a source whose bytes are there already must not keep the event loop for a whole window
        await asyncio.sleep(0)
        return room, filled_bytes

    def _begin(
        self, tasks: asyncio.TaskGroup, room: PartRoom, part: int, total: int | None, part_bytes: int
    ) -> None:
        self._under_way += 1
        self._none_under_way.clear()
        tasks.create_task(self._send_aside(room, part, total, part_bytes))

    async def _send_aside(self, room: PartRoom, part: int, total: int | None, part_bytes: int) -> None:
        await self._send(room, part, total, part_bytes)
        self._under_way -= 1
        if not self._under_way:
            self._none_under_way.set()

    async def _all_sent(self) -> None:
        """Wait for the parts under way inside the group's block.

        In Python 3.11 a task whose group fails while it leaves the block looks cancelled ever after.
        """
        if self._under_way:
            await self._none_under_way.wait()

    async def _send(self, room: PartRoom, part: int, total: int | None, part_bytes: int) -> None:
        await self._pool.save(room, file_id=self._file_id, part=part, total=total, size_bytes=part_bytes)
        await self._ledger.acknowledge(part, part_bytes)
        self._slots.give_back(room)

    def _uploaded(self, size_bytes: int, md5_hex: str | None) -> Uploaded:
        return Uploaded(
            file_id=self._file_id,
            part_count=parts.part_count(size_bytes),
            size_bytes=size_bytes,
            name=self._remote.name,
            mime_type=self._remote.mime_type,
            md5_hex=md5_hex,
            sha256_hex=None if self._sha256 is None else self._sha256.hexdigest(),
        )


@contextlib.contextmanager
def _refused_as_lost(*, resumed: bool) -> Iterator[None]:
    """A data centre that refuses to go on from a checkpoint takes the file from the start."""
    try:
        yield
    except* TransferError as group:
        refused, rest = group.split(lambda error: type(error) is TransferError)
        if not resumed or refused is None:
            raise
        error = first_error(refused)
        raise PartsLost(error.reason, error.detail) from rest


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Of the errors of several tasks only the first matters: the others followed from it."""
    try:
        yield
    except BaseExceptionGroup as group:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from group
        error = first_error(group)
        raise error from error.__cause__
