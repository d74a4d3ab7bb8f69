"""What is known of a film when it was brought, and what a hostile one does to those who look at it."""

import asyncio
import io
import os
import random
import resource
import struct
import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest

from tests.sources.films import HEIGHT, SECONDS, WIDTH, ffmpeg, web
from tests.sources.sites import Answer, Asked, collected, head, reply, site
from tests.sources.test_media import media
from tests.sources.test_media import work as work
from uploader.limits import MIB
from uploader.links import parse
from uploader.model import MediaFacts, RemoteFile
from uploader.sources import Sources
from uploader.sources.media.atoms import atoms, index_of, starts_fast
from uploader.sources.media.facts import Prober, is_media
from uploader.sources.media.process import Cells
from uploader.sources.media.sample import Sample
from uploader.sources.media.workshop import Workshop
from uploader.wishes import BEST, Wish

FILM = MediaFacts(
    kind="video", duration_s=SECONDS, width=WIDTH, height=HEIGHT, streamable=True, audio_codec="aac"
)
SONG = MediaFacts(kind="audio", duration_s=SECONDS, audio_codec="aac")


async def told(sources: Sources, url: str) -> MediaFacts | None:
    """The facts of the file at `url`, which is read first, as an upload does."""
    async with sources.open(parse(url), Wish(format=BEST)) as remote:
        await collected(remote)
        return None if remote.facts is None else await remote.facts()


def picture(facts: MediaFacts | None) -> tuple[int, int, float]:
    """Size of the thumbnail, and how bright it is on average."""
    assert facts is not None
    assert facts.thumbnail is not None
    assert len(facts.thumbnail) <= 20_000
    assert facts.thumbnail.startswith(b"\xff\xd8\xff")
    with av.open(io.BytesIO(facts.thumbnail), "r") as opened:
        frame = next(opened.decode(video=0))
        shades = bytes(frame.reformat(width=16, height=16, format="gray").planes[0])
    return frame.width, frame.height, sum(shades) / len(shades)


def shades(content: bytes) -> bytes:
    """How bright a picture is, in 16 times 16 places."""
    with av.open(io.BytesIO(content), "r") as opened:
        frame = next(opened.decode(video=0))
        return bytes(frame.reformat(width=16, height=16, format="gray").planes[0])


async def facts_of(tmp_path: Path, path: Path) -> MediaFacts | None:
    """The facts of a whole file."""
    size_bytes = os.stat(path).st_size  # noqa: PTH116 - a file of the test's own
    async with Workshop(tmp_path / "work") as workshop:
        return await Prober(Cells(), workshop).facts_of(path, size_bytes)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/film.mp4", FILM),
        ("/late.mp4", replace(FILM, streamable=False)),
        ("/picture.mp4", replace(FILM, silent=True, audio_codec=None)),
        ("/film.mkv", replace(FILM, streamable=False)),
        ("/page.html", replace(FILM, title="The Tone: a Film")),
        ("/dash/list.mpd", replace(FILM, title="list")),
        ("/tone.mp3", replace(SONG, title="A Tone", performer="Anna", audio_codec="mp3")),
        ("/tone.m4a", SONG),
        ("/cover.jpg", None),
        ("/film.zip", None),
    ],
)
async def test_facts_of_what_was_brought_are_those_of_the_file(
    path: str, expected: MediaFacts | None, films: Path, work: Path
) -> None:
    """Films, songs, and what is neither; the site is asked for nothing more than the file."""
    zipped = reply(200, "Content-Type: video/mp4", body=b"PK\x03\x04" + bytes(5000))
    async with web(films, {"film_zip": zipped}) as there, media(work) as sources:
        facts = await told(sources, there.url(path))
        plain = [asked for asked in there.asked if asked.path == path]
    assert len(plain) <= 2 or path.endswith((".html", ".mpd"))
    if expected is None:
        assert facts is None
        return
    assert facts is not None
    assert expected.duration_s == pytest.approx(facts.duration_s, abs=0.1)
    assert replace(expected, duration_s=0) == replace(
        facts, duration_s=0, thumbnail=None, streamable=facts.streamable and expected.streamable
    )
    if expected.kind == "video":
        width, height, shade = picture(facts)
        assert (WIDTH, HEIGHT) == (width, height)
        assert shade > 30


def without_ranges(content: bytes, *lines: str, step: int = 50_000) -> Answer:
    """A site that sends the whole film each time, and perhaps does not say how much that is."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, "Content-Type: video/mp4", *lines))
        for at in range(0, len(content), step):
            writer.write(content[at : at + step])
            await writer.drain()

    return answer


@pytest.mark.parametrize("name", ["film.mp4", "late.mp4"])
@pytest.mark.parametrize("sized", [True, False])
async def test_facts_of_a_site_without_ranges_cost_no_second_request(
    name: str, sized: bool, films: Path, work: Path
) -> None:
    """Beginning and end are kept as they pass, whether or not the end was announced."""
    content = (films / name).read_bytes()
    lines = [f"Content-Length: {len(content)}"] if sized else []
    async with site(without_ranges(content, *lines)) as there, media(work) as sources:
        facts = await told(sources, there.url("/film.mp4"))
    assert facts is not None
    assert (SECONDS, WIDTH, HEIGHT) == (facts.duration_s, facts.width, facts.height)
    assert 1 == len(there.asked)


def remote_of(content: bytes, asked: list[tuple[int, int]], sized: bool = True) -> RemoteFile:
    """A remote file of these bytes, in odd chunks, that notes what was asked for."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        end = len(content) if stop is None else stop
        asked.append((start, end))
        for at in range(start, end, 70_001):
            yield content[at : min(at + 70_001, end)]

    size_bytes = len(content) if sized else None
    return RemoteFile(name="a.mp4", size_bytes=size_bytes, mime_type="video/mp4", validator="v", read=read)


def drops(content: bytes) -> Callable[[int, int | None], AsyncIterator[bytes]]:
    """A read in which every byte comes alone."""

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        for at in range(start, len(content) if stop is None else stop):
            yield content[at : at + 1]

    return read


def samples(folder: Path) -> list[Path]:
    """What is kept of the files that pass by."""
    return [*folder.rglob("sample")]


def grown(late: bytes, more_bytes: int) -> bytes:
    """An MP4 whose index comes last, with so many more bytes among its pictures, which nobody needs."""
    mdat, moov = late.find(b"mdat") - 4, late.rindex(b"moov") - 4
    length = struct.pack(">I", moov - mdat + more_bytes)
    return late[:mdat] + length + late[mdat + 4 : moov] + bytes(more_bytes) + late[moov:]


async def test_facts_of_a_resumed_upload_fetch_what_was_read_before_and_no_more(
    films: Path, tmp_path: Path
) -> None:
    """An earlier attempt has sent the beginning: now it is read again, up to a MiB, and only that."""
    content = (films / "film.mp4").read_bytes() + struct.pack(">I4s", 5 * MIB, b"free") + bytes(5 * MIB - 8)
    asked: list[tuple[int, int]] = []
    async with (
        Workshop(tmp_path) as workshop,
        Prober(Cells(), workshop).watched(remote_of(content, asked)) as remote,
    ):
        await collected(remote, 3 * MIB)
        assert remote.facts is not None
        facts = await remote.facts()
    assert facts is not None
    assert (SECONDS, WIDTH, HEIGHT) == (facts.duration_s, facts.width, facts.height)
    assert [(3 * MIB, len(content)), (0, MIB)] == asked


@pytest.mark.parametrize("sized", [True, False])
async def test_facts_of_a_large_film_hold_its_ends_alone(sized: bool, films: Path, tmp_path: Path) -> None:
    """Of 20 MiB, little more than two are kept; the hole between is no hindrance."""
    content = grown((films / "late.mp4").read_bytes(), 20 * MIB)
    asked: list[tuple[int, int]] = []
    async with Workshop(tmp_path) as workshop:
        prober = Prober(Cells(), workshop)
        async with prober.watched(remote_of(content, asked, sized)) as remote:
            await collected(remote)
            assert remote.facts is not None
            facts = await remote.facts()
            kept = [file.stat().st_blocks * 512 for file in samples(tmp_path)]
    assert facts is not None
    assert (SECONDS, WIDTH, HEIGHT) == (facts.duration_s, facts.width, facts.height)
    assert sum(kept) < 3 * MIB
    assert [(0, len(content))] == asked


async def test_facts_with_a_long_index_keep_all_of_it(tmp_path: Path) -> None:
    """The index of a long film is longer than what is kept of others: it is seen from its beginning."""
    content = (
        (struct.pack(">I4s", 16, b"ftyp") + b"isom" * 2 + struct.pack(">I4s", 3 * MIB, b"moov")).ljust(
            3 * MIB + 16, b"\1"
        )
        + struct.pack(">I4s", 9 * MIB, b"mdat")
        + bytes(9 * MIB - 8)
    )
    asked: list[tuple[int, int]] = []
    async with (
        Workshop(tmp_path) as workshop,
        Prober(Cells(), workshop).watched(remote_of(content, asked)) as remote,
    ):
        await collected(remote)
        assert remote.facts is not None
        assert await remote.facts() is None
        (sample,) = samples(tmp_path)
        assert sample.read_bytes()[: 3 * MIB + 16] == content[: 3 * MIB + 16]
    assert [(0, len(content))] == asked


async def test_picture_of_a_film_that_begins_black_is_not_black(tmp_path: Path) -> None:
    """A fade from black is how films begin; the picture is taken from behind it, or further on."""
    form = "size=640x360:rate=25"
    lavfi = f"color=black:{form}:duration=1[a];testsrc2={form}:duration=2[b];[a][b]concat"
    h264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    ffmpeg("-f", "lavfi", "-i", lavfi, *h264, "black.mp4", cwd=tmp_path)
    width, height, shade = picture(await facts_of(tmp_path, tmp_path / "black.mp4"))
    assert (320, 180) == (width, height)
    assert shade > 30


@pytest.mark.parametrize(("turn", "size"), [(90, (180, 320)), (180, (320, 180)), (270, (180, 320))])
async def test_film_that_lies_in_its_file_is_seen_upright(
    turn: int, size: tuple[int, int], films: Path, tmp_path: Path
) -> None:
    """Telephones turn nothing: they note which way is up."""
    ffmpeg("-display_rotation", str(turn), "-i", str(films / "film.mp4"), "-c", "copy", "t.mp4", cwd=tmp_path)
    facts = await facts_of(tmp_path, tmp_path / "t.mp4")
    assert facts is not None
    assert size == (facts.width, facts.height)
    assert size == picture(facts)[:2]


@pytest.mark.parametrize("turn", [90, 180, 270])
async def test_picture_of_a_turned_film_is_the_one_that_players_show(
    turn: int, films: Path, tmp_path: Path
) -> None:
    """Upright is not enough: the head must be above. ffmpeg itself shows what is expected."""
    ffmpeg("-display_rotation", str(turn), "-i", str(films / "film.mp4"), "-c", "copy", "t.mp4", cwd=tmp_path)
    first = ("-i", "t.mp4", "-frames:v", "1", "-pix_fmt", "yuvj420p", "shown.jpg")
    ffmpeg(*first, cwd=tmp_path)
    facts = await facts_of(tmp_path, tmp_path / "t.mp4")
    assert facts is not None
    assert facts.thumbnail is not None
    pairs = zip(shades((tmp_path / "shown.jpg").read_bytes()), shades(facts.thumbnail), strict=True)
    assert max(abs(shown - ours) for shown, ours in pairs) < 40


@pytest.mark.parametrize(
    ("ratio", "size", "small"), [("4/3", (427, 180), (320, 135)), ("1/2", (160, 180), (160, 180))]
)
async def test_film_whose_pixels_are_no_squares_is_measured_as_it_is_seen(
    ratio: str, size: tuple[int, int], small: tuple[int, int], films: Path, tmp_path: Path
) -> None:
    """Old discs hold pictures that players stretch."""
    h264 = ("-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart", "s.mp4")
    ffmpeg("-i", str(films / "film.mp4"), "-vf", f"setsar={ratio}", *h264, cwd=tmp_path)
    facts = await facts_of(tmp_path, tmp_path / "s.mp4")
    assert facts is not None
    assert (size, small) == ((facts.width, facts.height), picture(facts)[:2])


async def test_sample_of_a_file_that_comes_in_drops_stays_small(films: Path, tmp_path: Path) -> None:
    """A site that sends a byte at a time makes us keep bytes, and no list of them."""
    content = (films / "film.mp4").read_bytes()[:60_000]
    sample = Sample(replace(remote_of(content, []), read=drops(content)), tmp_path / "sample")
    tracemalloc.start()
    async for _ in sample.read(0, None):
        pass
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(content) == await sample.finish()
    sample.close()
    assert content == sample.path.read_bytes()
    assert held_bytes < 100_000


async def test_file_is_brought_when_there_is_no_room_for_a_sample(films: Path, tmp_path: Path) -> None:
    """A full disk takes the film's picture, not the film."""
    content = (films / "film.mp4").read_bytes()
    async with Workshop(tmp_path) as workshop:
        prober = Prober(Cells(), workshop)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        remote = remote_of(content, [])
        taken = [os.open("/dev/null", os.O_RDONLY)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0], hard))
        try:
            async with prober.watched(remote) as watched:
                assert watched is remote
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            os.close(taken[0])


async def test_cover_of_a_song_is_its_picture(films: Path, tmp_path: Path) -> None:
    """It makes no film of it."""
    cover = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic")
    ffmpeg("-i", str(films / "tone.mp3"), "-i", str(films / "cover.jpg"), *cover, "c.mp3", cwd=tmp_path)
    facts = await facts_of(tmp_path, tmp_path / "c.mp3")
    assert facts is not None
    assert ("audio", 0, 0, "Anna") == (facts.kind, facts.width, facts.height, facts.performer)
    assert (WIDTH, HEIGHT) == picture(facts)[:2]


def broken(film: bytes, seed: int) -> bytes:
    """The film, cut or with some bytes of its index changed."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return film[: chance.randrange(len(film))]
    changed = bytearray(film)
    moov = film.find(b"moov")
    for _ in range(20):
        at = chance.randrange(moov, min(moov + 3000, len(film)))
        changed[at] = chance.choice((0, 0xFF, 0x7F, chance.randrange(256)))
    return bytes(changed)


def huge(film: bytes) -> bytes:
    """The film, which says that it is 65535 pixels wide and high."""
    changed = film
    for kind, skip in ((b"avc1", 28), (b"tkhd", 80)):
        at = film.find(kind) + skip
        size = b"\xff\xff\xff\xff" if kind == b"avc1" else b"\xff\xff\0\0\xff\xff\0\0"
        changed = changed[:at] + size + changed[at + len(size) :]
    return changed


async def test_hostile_films_tell_nothing_that_cannot_be_shown(films: Path, tmp_path: Path) -> None:
    """Cut, with a hostile index, with huge dimensions: an answer or none, and the prober goes on."""
    film = (films / "film.mp4").read_bytes()
    hostile = [broken(film, seed) for seed in range(15)]
    hostile += [huge(film), film[:8] + bytes(50_000), b"", b"ftypmoov" * 1000]
    path = tmp_path / "hostile.mp4"
    async with Workshop(tmp_path / "work") as workshop:
        prober = Prober(Cells(), workshop)
        for content in hostile:
            path.write_bytes(content)
            facts = await prober.facts_of(path, len(content))
            assert facts is None or (facts.duration_s > 0 and (facts.kind == "audio" or facts.width > 0))
        path.write_bytes(film)
        assert await prober.facts_of(path, len(film)) is not None


@pytest.mark.parametrize(
    ("mime_type", "name", "expected"),
    [
        ("video/mp4", "x", True),
        ("application/octet-stream", "x.mkv", True),
        ("text/plain", "x.mp3", True),
        ("application/zip", "x.zip", False),
        ("application/octet-stream", "x", False),
    ],
)
def test_files_that_are_looked_at_are_films_and_songs(mime_type: str, name: str, expected: bool) -> None:
    """By type or by name; nothing else is worth a process."""
    assert expected == is_media(mime_type, name)


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    """An atom, which may lie about its length."""
    return struct.pack(">I4s", len(content) + 8 if length is None else length, kind) + content


@pytest.mark.parametrize(
    ("content", "size_bytes", "index", "fast"),
    [
        (box(b"ftyp", bytes(8)) + box(b"moov", bytes(92)) + box(b"mdat"), 1000, (16, 116), True),
        (box(b"ftyp", bytes(8)) + box(b"mdat", length=500), 1000, (516, 1000), False),
        (box(b"ftyp", bytes(8)) + box(b"mdat", length=984), 1000, None, False),
        (box(b"ftyp", bytes(8)) + box(b"mdat", length=500), None, None, False),
        (box(b"ftyp", bytes(8)) + box(b"moov", length=0), 1000, (16, 1000), True),
        (box(b"ftyp", bytes(8)) + box(b"mdat", length=3), 1000, (16, 1000), False),
        (
            box(b"ftyp", length=1) + struct.pack(">Q", 16) + box(b"moov", length=2**31),
            50,
            (16, 2**31 + 16),
            True,
        ),
        (box(b"ftyp", length=0), 1000, None, False),
        (b"no mp4 at all", 1000, None, False),
        (b"", 0, None, False),
        (box(b"free") * 1000, 8000, (512, 8000), False),
    ],
)
def test_index_of_a_film_is_found_from_its_beginning(
    content: bytes, size_bytes: int | None, index: tuple[int, int] | None, fast: bool
) -> None:
    """Whatever the atoms say of their lengths."""
    assert (index, fast) == (index_of(content, size_bytes), starts_fast(content))
    assert len(atoms(content)) <= 64
