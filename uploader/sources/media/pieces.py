"""A film above the cap in pieces that play by themselves: cut before key frames, nothing encoded anew.

ffmpeg has to see the whole film, so it lies on disk for the time of the job, and its pieces beside it: twice
its size is reserved before it is fetched. One that was put together here lies there already.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from uploader.errors import NotYet, PeykError, SourceError
from uploader.limits import MIB
from uploader.model import MediaFacts, RemoteFile
from uploader.names import piece_name
from uploader.sources.media import ffmpeg
from uploader.sources.media.join import DEMUXERS
from uploader.sources.media.local import local_file, save
from uploader.sources.media.process import Cell, Cells, ChildFailed
from uploader.sources.media.workshop import Workshop

#: The containers that can be cut, by their type: suffix and ffmpeg's name.
CONTAINERS: Final = {
    "video/mp4": ("mp4", "mp4"),
    "video/quicktime": ("mov", "mov"),
    "video/x-matroska": ("mkv", "matroska"),
    "video/webm": ("webm", "webm"),
    "video/mp2t": ("ts", "mpegts"),
}
#: What a container adds: to each packet, to all bytes (padding of transport streams), and once.
_PACKET_BYTES: Final = 32
_SHARE: Final = 0.94
_ONCE_BYTES: Final = 32 * 1024
#: ffmpeg's list of packets is about this much of a film, at most.
_LIST_SHARE: Final = 0.05

#: See `facts.Prober.facts_of`.
FactsOf = Callable[[Path, int], Awaitable[MediaFacts | None]]

#: ffmpeg reads the film twice, as fast as the disk is.
_CUT_S: Final = 900.0
_MEMORY_BYTES: Final = 1024 * MIB

_PACKET: Final = re.compile(r"(\d{1,3}),[^,]{1,30},[^,]{1,30},[^,]{1,30}, *(\d{1,10}), *0x[0-9a-f]{8}(.*)")
_FLAGS: Final = re.compile(r"F=0x([0-9A-F]{1,8})")


class CannotCut(PeykError):
    """The film has no key frames where they are needed, ffmpeg cannot read it, or the disk is too small."""


class Pieces:
    """The pieces of a film, as files on our disk. See `delivery.volumes.Cut`."""

    plays = True
    sha256_hex: str | None = None  # the film itself is not sent

    def __init__(self, files: Sequence[RemoteFile]) -> None:
        self._files = files
        self._given = 0

    @property
    def count(self) -> int | None:
        """How many there are."""
        return len(self._files)

    async def ended(self) -> bool:
        """Whether all were given."""
        return self._given == len(self._files)

    def next(self) -> RemoteFile:
        """The next piece."""
        self._given += 1
        return self._files[self._given - 1]


def room_bytes(size_bytes: int, copies: int = 2) -> int:
    """What a film and its pieces take on the disk; the pieces alone are one of the `copies`."""
    return int(size_bytes * (copies + _LIST_SHARE)) + 4 * _ONCE_BYTES


class Cutter:
    """Cuts films in the workshop."""

    def __init__(self, cells: Cells, workshop: Workshop, facts_of: FactsOf) -> None:
        """`facts_of`: see `facts.Prober`."""
        self._cells = cells
        self._workshop = workshop
        self._facts_of = facts_of

    @asynccontextmanager
    async def pieces(
        self, remote: RemoteFile, cap_bytes: int, progress: Callable[[int], None]
    ) -> AsyncIterator[Pieces]:
        """A film of known size in pieces of at most `cap_bytes`.

        Raises:
            CannotCut: on entering.
            NotYet: on entering: other jobs have the disk.
            SourceError: what reading `remote` raises.
        """
        size_bytes = remote.size_bytes or 0
        async with self._workshop.folder() as folder:
            try:
                await folder.reserve(room_bytes(size_bytes, 2 if remote.path is None else 1))
            except NotYet:
                raise  # there will be room for it
            except SourceError as error:
                raise CannotCut(str(error)) from None
            film = folder.path / "film"
            if remote.path is None:

                async def came(done_bytes: int) -> None:
                    progress(done_bytes)

                await save(remote, film, size_bytes, came)
            else:
                film.hardlink_to(remote.path)  # in the same workshop
            cell = Cell(
                folder=folder.path,
                wall_s=_CUT_S,
                cpu_s=int(_CUT_S),
                memory_bytes=_MEMORY_BYTES,
                file_bytes=room_bytes(size_bytes),
            )
            async with self._workshop.turns:
                pieces = await cut(film, remote, cap_bytes, self._cells, cell, self._facts_of)
            yield pieces


async def cut(
    film: Path, remote: RemoteFile, cap_bytes: int, cells: Cells, cell: Cell, facts_of: FactsOf
) -> Pieces:
    """Cut `film`, which is `remote`, into pieces of at most `cap_bytes` beside it.

    Raises:
        CannotCut
    """
    suffix, muxer = CONTAINERS[remote.mime_type]
    packets = film.with_name("packets")
    try:
        await _run(film, ["-f", "framecrc", str(packets)], cells, cell)
        starts = await asyncio.to_thread(_plan, packets, int(cap_bytes * _SHARE) - _ONCE_BYTES)
        await _run(film, _into(film, starts, suffix, muxer), cells, cell)
    except (TimeoutError, ChildFailed, OSError, ValueError) as error:
        raise CannotCut(f"{type(error).__name__}: {error}") from None
    await asyncio.to_thread(film.unlink)  # gigabytes
    paths = sorted(film.parent.glob(f"piece-*.{suffix}"))
    sizes = [path.stat().st_size for path in paths]
    if len(paths) != len(starts) + 1 or not all(0 < size <= cap_bytes for size in sizes):
        raise CannotCut(f"{len(starts) + 1} pieces were to be made, and these are there: {sizes}")
    return Pieces(
        [await _piece(path, remote, number, facts_of) for number, path in enumerate(paths, start=1)]
    )


def starts_of(lines: Iterable[str], most_bytes: int) -> list[int]:
    """The pictures (from 0) before which a film is cut, by ffmpeg's list of its packets, picture first.

    Each piece begins with a key frame and holds as much as goes into `most_bytes`.

    Raises:
        CannotCut: key frames are too far apart.
    """
    starts: list[int] = []
    begin = picture = 0  # of the piece; of the film
    last_key: int | None = None  # where the piece could end
    before_key = since_key = 0
    for line in lines:
        packet = _PACKET.match(line)
        if packet is None:
            continue
        flags = _FLAGS.search(packet[3])
        if packet[1] == "0":
            if picture > begin and (flags is None or int(flags[1], 16) & 1):
                last_key, before_key, since_key = picture, before_key + since_key, 0
            picture += 1
        since_key += int(packet[2]) + _PACKET_BYTES
        if before_key + since_key > most_bytes:
            if last_key is None or since_key > most_bytes:
                raise CannotCut(f"no key frame within {most_bytes} bytes from picture {begin} on")
            starts.append(last_key)
            begin, last_key, before_key = last_key, None, 0
    if not starts:
        raise CannotCut("no pictures to cut at")
    return starts


def _plan(packets: Path, most_bytes: int) -> list[int]:
    with packets.open(encoding="ascii", errors="replace") as lines:
        return starts_of(lines, most_bytes)


def _into(film: Path, starts: Sequence[int], suffix: str, muxer: str) -> list[str]:
    options = ["-segment_format_options", "movflags=+faststart"] if suffix in {"mp4", "mov"} else []
    return [
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-max_interleave_delta", "0"),
        *("-f", "segment", "-segment_format", muxer, "-reset_timestamps", "1", *options),
        *("-segment_frames", ",".join(map(str, starts)), str(film.with_name(f"piece-%03d.{suffix}"))),
    ]


async def _run(film: Path, output: Sequence[str], cells: Cells, cell: Cell) -> None:
    """All pictures, sounds and subtitles of `film` as they are, to `output`; the picture is stream 0."""
    inputs = ("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS, "-i", str(film))
    maps = ("-map", "0:V:0", "-map", "0:a?", "-map", "0:s?", "-c", "copy")
    program = (ffmpeg.program(), "-nostdin", "-loglevel", "error", "-y", *inputs, *maps, *output)
    async with cells.start(program, cell) as child:
        status = await child.ended()
    if status:
        raise CannotCut(f"ffmpeg ended with {status}")


async def _piece(path: Path, remote: RemoteFile, number: int, facts_of: FactsOf) -> RemoteFile:
    """A piece is known by its bytes: a later attempt makes the same ones of the same film."""
    with path.open("rb") as file:
        digest = await asyncio.to_thread(hashlib.file_digest, file, "sha256")
    made = local_file(path, piece_name(remote.name, number), remote.mime_type)
    return replace(
        made,
        validator=f"sha256:{digest.hexdigest()}",
        facts=lambda: facts_of(path, made.size_bytes or 0),
    )
