"""Films above the cap in pieces: each under it, each plays from its first picture, and nothing is missing."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.films import ffmpeg
from tests.sources.sites import collected
from uploader.limits import JOINING_JOBS
from uploader.model import RemoteFile
from uploader.sources import CannotCut, Sources
from uploader.sources.media.facts import Prober
from uploader.sources.media.local import local_file
from uploader.sources.media.pieces import CONTAINERS, Cutter, starts_of
from uploader.sources.media.process import Cells
from uploader.sources.media.workshop import Workshop

SECONDS = 12
CAP_BYTES = 300_000
TYPES = {suffix: mime_type for mime_type, (suffix, _) in CONTAINERS.items()}
_PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={SECONDS}")
_TONE = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same film in all containers, and one without key frames but the first."""
    folder = tmp_path_factory.mktemp("films")
    ffmpeg(*_PICTURE, *_TONE, *_H264, "-g", "25", "-c:a", "aac", "-shortest", "film.mp4", cwd=folder)
    for suffix in ("mov", "mkv", "ts"):
        ffmpeg("-i", "film.mp4", "-c", "copy", f"film.{suffix}", cwd=folder)
    vp8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "800k")
    ffmpeg("-i", "film.mp4", *vp8, "-c:a", "libopus", "film.webm", cwd=folder)
    ffmpeg(*_PICTURE, *_TONE, *_H264, "-g", "9999", "-sc_threshold", "0", "one.mp4", cwd=folder)
    (folder / "noise.mp4").write_bytes(bytes(range(256)) * 4000)
    return folder


@pytest.fixture
async def sources(tmp_path: Path) -> AsyncIterator[Sources]:
    """Sources with a workshop, in which nothing is left."""
    async with Sources([], "Peyk/test", work_dir=tmp_path / "work") as opened:
        yield opened
        (engine,) = (tmp_path / "work").iterdir()
        assert ["alive"] == [path.name for path in engine.iterdir()]


def film(folder: Path, name: str) -> RemoteFile:
    """A film as a site gives it."""
    return replace(local_file(folder / name, name, TYPES[name.rpartition(".")[2]]), path=None)


def played(body: bytes) -> tuple[float, int, bool]:
    """Seconds, pictures, and whether the first one is whole, as a player finds them."""
    with av.open(io.BytesIO(body), "r") as piece:
        first = next(packet for packet in piece.demux(video=0) if packet.size)
        is_key = first.is_keyframe
    with av.open(io.BytesIO(body), "r") as piece:
        pictures = sum(1 for _ in piece.decode(video=0))
        return float((piece.duration or 0) / av.time_base), pictures, is_key


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "ts"])
async def test_film_when_cut_plays_on_in_every_piece(films: Path, sources: Sources, suffix: str) -> None:
    """All pictures are there once, durations add up, each piece begins with a key frame."""
    whole = film(films, f"film.{suffix}")
    assert sources.is_film(whole)
    async with sources.pieces(whole, CAP_BYTES, lambda done: None) as cut:
        pieces = []
        while not await cut.ended():
            pieces.append(cut.next())
        bodies = [await collected(piece) for piece in pieces]
    assert len(bodies) == cut.count
    assert 1 < len(bodies)
    assert [f"film.part{number + 1}.{suffix}" for number in range(len(bodies))] == [p.name for p in pieces]
    assert all(len(body) <= CAP_BYTES for body in bodies)
    seen = [played(body) for body in bodies]
    assert all(is_key for _, _, is_key in seen)
    assert SECONDS * 25 == sum(pictures for _, pictures, _ in seen)
    assert SECONDS == pytest.approx(sum(seconds for seconds, _, _ in seen), abs=0.15 * len(seen))


async def test_film_when_cut_again_gives_the_same_bytes(films: Path, sources: Sources) -> None:
    """What an earlier attempt sent is known by its digest."""
    validators = []
    for _ in range(2):
        async with sources.pieces(film(films, "film.mp4"), CAP_BYTES, lambda done: None) as cut:
            validators.append([cut.next().validator for _ in range(cut.count or 0)])
    assert validators[0] == validators[1]
    assert len(validators[0]) == len(set(validators[0])) > 1


@pytest.mark.parametrize("name", ["one.mp4", "noise.mp4"])
async def test_film_when_it_cannot_be_cut_says_so(films: Path, sources: Sources, name: str) -> None:
    """No key frame where one is needed, or no film at all."""
    with pytest.raises(CannotCut):
        async with sources.pieces(film(films, name), CAP_BYTES, lambda done: None):
            pass


async def test_film_when_the_disk_is_too_small_for_it_is_not_fetched(films: Path, sources: Sources) -> None:
    """Room for the film and its pieces is reserved before the first byte."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        raise AssertionError("a byte was fetched")
        yield b""

    huge = RemoteFile(name="a.mp4", size_bytes=2**60, mime_type="video/mp4", validator=None, read=read)
    with pytest.raises(CannotCut):
        async with sources.pieces(huge, CAP_BYTES, lambda done: None):
            pass


async def test_film_when_it_lies_here_already_is_not_written_again(
    films: Path, sources: Sources, tmp_path: Path
) -> None:
    """What was joined is cut where it is, and stays."""
    here = tmp_path / "film.mp4"
    here.write_bytes((films / "film.mp4").read_bytes())
    joined = replace(local_file(here, "film.mp4", "video/mp4"), read=_nothing)
    async with sources.pieces(joined, CAP_BYTES, lambda done: None) as cut:
        bodies = [await collected(cut.next()) for _ in range(cut.count or 0)]
    assert SECONDS * 25 == sum(played(body)[1] for body in bodies)
    assert here.exists()


async def _nothing(start: int, stop: int | None) -> AsyncIterator[bytes]:
    raise AssertionError("a byte was read")
    yield b""


async def test_film_when_others_are_being_cut_waits_for_its_turn(films: Path, tmp_path: Path) -> None:
    """Cores and disk are for those whose turn it is."""
    cells, whole = Cells(), film(films, "film.mp4")

    async def cut() -> int | None:
        async with cutter.pieces(whole, CAP_BYTES, lambda done: None) as pieces:
            return pieces.count

    async with asyncio.timeout(60), Workshop(tmp_path / "work") as workshop, asyncio.TaskGroup() as tasks:
        cutter = Cutter(cells, workshop, Prober(cells, workshop).facts_of)
        for _ in range(JOINING_JOBS):
            await workshop.turns.acquire()
        cutting = tasks.create_task(cut())
        done, _ = await asyncio.wait([cutting], timeout=2.0)
        assert set() == done
        workshop.turns.release()
        count = await cutting
    assert count is not None
    assert count > 1


PACKETS = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 400)), max_size=200)


@given(PACKETS)
def test_plan_when_made_for_any_packets_keeps_every_piece_under_the_cap(
    packets: list[tuple[bool, bool, int]],
) -> None:
    """Pieces begin at key frames, are as large as they can be, and no larger than that."""
    lines = [
        f"{0 if video else 1}, 0, 0, 1, {size}, 0x00000000{'' if key else ', F=0x0'}"
        for video, key, size in packets
    ]
    most_bytes = 3000
    try:
        starts = starts_of(lines, most_bytes)
    except CannotCut:
        return
    assert starts == sorted(set(starts))
    picture, piece, sizes, keys = -1, 0, [0], []
    for video, key, size in packets:
        if video:
            picture += 1
            if picture in starts:
                keys.append(key)
                piece += 1
                sizes.append(0)
        sizes[piece] += size + 32
    assert [True] * len(starts) == keys
    assert max(sizes) <= most_bytes
