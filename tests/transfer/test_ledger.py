"""What is written down of an upload, and when."""

import asyncio

from uploader.model import Checkpoint
from uploader.transfer import parts
from uploader.transfer.ledger import Ledger
from uploader.transfer.parts import PART_BYTES

PARTS = 200
NEW = Checkpoint(file_id=1, size_bytes=PARTS * PART_BYTES, validator="v", acked=bytes(parts.blank(PARTS)))


class Book:
    """Where checkpoints go; a save takes until `go` is set, and the clock moves by hand."""

    def __init__(self) -> None:
        self.saved: list[int] = []  # acknowledged parts in each checkpoint
        self.reported: list[int] = []
        self.go = asyncio.Event()
        self.go.set()
        self.clock = 100.0

    def now(self) -> float:
        return self.clock

    async def save(self, checkpoint: Checkpoint) -> None:
        self.saved.append(parts.marked_bytes(checkpoint.acked, checkpoint.size_bytes) // PART_BYTES)
        await self.go.wait()


async def test_save_when_parts_come_fast_then_once_per_64() -> None:
    """A fast upload saves by count, and the rest at the end."""
    book = Book()
    ledger = Ledger(NEW, book.save, book.reported.append, now=book.now)
    async with ledger.kept():
        for part in range(130):
            await ledger.acknowledge(part, PART_BYTES)
        assert [64, 128] == book.saved
    assert [64, 128, 130] == book.saved
    assert [PART_BYTES * done for done in range(131)] == book.reported


async def test_save_when_parts_come_slowly_then_once_per_second() -> None:
    """A slow upload saves by time."""
    book = Book()
    ledger = Ledger(NEW, book.save, book.reported.append, now=book.now)
    for part in range(9):
        book.clock += 0.3
        await ledger.acknowledge(part, PART_BYTES)
    assert [4, 8] == book.saved


async def test_save_when_the_last_one_is_not_done_then_waits_for_its_turn() -> None:
    """Two saves never run at once, so an older checkpoint cannot overtake a newer one."""
    book = Book()
    book.go.clear()
    ledger = Ledger(NEW, book.save, book.reported.append, now=book.now)
    async with ledger.kept(), asyncio.TaskGroup() as tasks:
        for part in range(130):
            tasks.create_task(ledger.acknowledge(part, PART_BYTES))
        await asyncio.sleep(0)
        assert [64] == book.saved
        book.go.set()
    assert [64, 130] == book.saved


async def test_save_when_nothing_is_new_then_is_left_out() -> None:
    """The end of an upload without news writes nothing; nor does a file that cannot be resumed."""
    book = Book()
    async with Ledger(NEW, book.save, book.reported.append, now=book.now).kept():
        pass
    hopeless = Ledger(None, book.save, book.reported.append, now=book.now)
    async with hopeless.kept():
        book.clock += 5
        await hopeless.acknowledge(0, 5)
    assert [] == book.saved
    assert [0, 0, 5] == book.reported
