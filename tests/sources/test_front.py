"""Films read with their index first, while it lies behind the pictures on the disk."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.films import ffmpeg
from tests.sources.sites import collected
from tests.sources.test_media import seen, starts_fast
from uploader.sources.media import front as front_module
from uploader.sources.media.front import move_offsets, read_front
from uploader.sources.media.join import join
from uploader.sources.media.local import local_file
from uploader.sources.media.process import Cell, Cells


def box(kind: bytes, body: bytes) -> bytes:
    """A box of an MP4."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def index(kind: bytes, offsets: list[int]) -> bytes:
    """An index with one table of offsets, `stco` or `co64`."""
    code = "I" if kind == b"stco" else "Q"
    table = struct.pack(f">II{len(offsets)}{code}", 0, len(offsets), *offsets)
    inner = box(b"stsz", bytes(12)) + box(kind, table)
    for outer in (b"stbl", b"minf", b"mdia", b"trak"):
        inner = box(outer, inner)
    return box(b"moov", box(b"mvhd", bytes(100)) + inner)


async def test_film_with_its_index_behind_is_given_out_with_it_before(films: Path) -> None:
    """The same size, the same pictures, playable while it arrives; any span is that of the whole."""
    late = films / "late.mp4"
    given_out = local_file(late, "late.mp4", "video/mp4", read_front(late))
    body = await collected(given_out)
    assert not starts_fast(late.read_bytes())
    assert starts_fast(body)
    assert (late.stat().st_size, given_out.size_bytes) == (len(body), len(body))
    assert seen(late.read_bytes()) == seen(body)
    for start, stop in ((0, 1), (20, 40), (30, 40_000), (5000, 5001), (60_000, None), (len(body), None)):
        assert body[start:stop] == await collected(given_out, start, stop)


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "tone.mp3", "page.html"])
def test_file_that_is_no_film_with_its_index_behind_keeps_its_order(name: str, films: Path) -> None:
    """The index lies before the pictures already, or there is none."""
    assert read_front(films / name) is None


async def test_film_whose_index_is_too_long_is_written_anew_and_starts_fast(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we do not take into memory, ffmpeg moves on the disk."""
    monkeypatch.setattr(front_module, "INDEX_BYTES", 100)
    cell = Cell(folder=tmp_path, wall_s=60, cpu_s=60, memory_bytes=1 << 30, file_bytes=1 << 30)
    (tmp_path / "part").write_bytes((films / "late.mp4").read_bytes())
    assert await join([tmp_path / "part"], tmp_path / "film.mp4", Cells(), cell) is None
    assert starts_fast((tmp_path / "film.mp4").read_bytes())


async def test_sound_that_begins_late_is_found(films: Path, tmp_path: Path) -> None:
    """More of a file is looked through than ffmpeg would by itself: 4K films have 5 MB of pictures first."""
    noise = ("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=1,noise=alls=100:allf=t")
    tone = ("-itsoffset", "0.9", "-i", str(films / "tone.m4a"))
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "1", "-c:a", "copy")
    ffmpeg(*noise, *tone, *coded, "-muxdelay", "0", "part.ts", cwd=tmp_path)
    cell = Cell(folder=tmp_path, wall_s=60, cpu_s=60, memory_bytes=1 << 30, file_bytes=1 << 30)
    await join([tmp_path / "part.ts"], tmp_path / "film.mp4", Cells(), cell)
    assert ["aac", "h264"] == seen((tmp_path / "film.mp4").read_bytes()).codecs


@given(
    st.sampled_from([b"stco", b"co64"]),
    st.lists(st.integers(0, 2**32 - 1), max_size=50),
    st.integers(0, 2**20),
)
def test_offsets_are_moved_or_the_table_is_too_small_for_them(
    kind: bytes, offsets: list[int], by: int
) -> None:
    """Each by the same; none wraps around."""
    data = bytearray(index(kind, offsets))
    fits = kind == b"co64" or max(offsets, default=0) + by < 2**32
    assert fits == move_offsets(data, by)
    if fits:
        assert index(kind, [offset + by for offset in offsets]) == bytes(data)


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_index_of_nonsense_breaks_nothing(body: bytes, by: int) -> None:
    """Lengths and counts that lie lead nowhere."""
    data = bytearray(box(b"moov", box(b"trak", box(b"stco", body)) + body))
    size_bytes = len(data)
    move_offsets(data, by)
    assert size_bytes == len(data)
