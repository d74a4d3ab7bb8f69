"""From chunks to parts."""

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.transfer.reader import Reader


class Chunks:
    """A source's chunks, with a count of how many were asked for."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks
        self.asked = 0
        self.closed = False

    async def read(self) -> AsyncIterator[bytes]:
        try:
            for chunk in self._chunks:
                self.asked += 1
                yield chunk
        finally:
            self.closed = True


@given(
    chunks=st.lists(st.binary(max_size=20), max_size=12),
    rooms=st.lists(st.integers(1, 30), min_size=1, max_size=40),
)
async def test_fill_when_chunks_have_any_size_then_the_bytes_stay_in_order(
    chunks: list[bytes], rooms: list[int]
) -> None:
    """Only the last room is not full, nothing is lost, and the end is known as the end."""
    content, taken = b"".join(chunks), b""
    async with Reader(Chunks(chunks).read()) as reader:
        for size in rooms:
            room = bytearray(size)
            filled = await reader.fill(memoryview(room))
            assert min(size, len(content) - len(taken)) == filled
            taken += room[:filled]
        assert (len(taken) == len(content)) == await reader.ended()
    assert content[: len(taken)] == taken


async def test_fill_when_a_chunk_is_enough_then_no_other_is_asked_for() -> None:
    """The source is pulled only for bytes that have room."""
    chunks = Chunks([b"abcd", b"efgh"])
    async with Reader(chunks.read()) as reader:
        assert 3 == await reader.fill(memoryview(bytearray(3)))
        assert 1 == await reader.fill(memoryview(bytearray(1)))
        assert 1 == chunks.asked


async def test_reader_when_left_in_the_middle_then_closes_the_source() -> None:
    """However the block ends, the source's own clean-up runs at once."""
    chunks = Chunks([b"abcd", b"efgh"])
    with pytest.raises(LookupError):  # noqa: PT012 - the way out is what is tested
        async with Reader(chunks.read()) as reader:
            await reader.fill(memoryview(bytearray(1)))
            raise LookupError
    assert chunks.closed
