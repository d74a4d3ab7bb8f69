"""ffmpeg, in a child: makes what a recipe says of a film, reading no more of it than it needs."""

import asyncio
import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.limits import MIB
from uploader.model import MediaFacts, RemoteFile
from uploader.sources.guard import Guard
from uploader.sources.media import ffmpeg
from uploader.sources.media.atoms import atoms
from uploader.sources.media.chunks import closing
from uploader.sources.media.facts import Prober
from uploader.sources.media.feed import Feed
from uploader.sources.media.front import read_front
from uploader.sources.media.join import DEMUXERS, PROBE_BYTES
from uploader.sources.media.local import local_file, save
from uploader.sources.media.offers import SOUND_KBPS
from uploader.sources.media.process import Cell, Cells
from uploader.sources.media.recipes import SUBTITLED, Recipe, check_span, span_s
from uploader.sources.media.workshop import Folder, Workshop
from uploader.sources.sniffing import HEAD_BYTES, kind_of

_DEMUXERS: Final = f"{DEMUXERS},avi,wav"
_MUXERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "ts": "mpegts"},
        **{"m4a": "ipod", "mp3": "mp3", "opus": "opus", "ogg": "ogg", "flac": "flac", "wav": "wav"},
    }
)
_ENCODERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "m4a": ("aac", "-b:a", f"{SOUND_KBPS['m4a']}k"),
        "mp3": ("libmp3lame", "-q:a", "2"),  # about 190 kbit/s
        "opus": ("libopus", "-b:a", f"{SOUND_KBPS['opus']}k"),
    }
)
#: As ffmpeg calls the codecs that need not be encoded.
_CODECS: Final[Mapping[str, str]] = MappingProxyType({"m4a": "aac", "mp3": "mp3", "opus": "opus"})
#: Of these the pictures of a song's cover cannot be tracks.
_NO_COVER: Final = frozenset({"ogg", "opus", "wav"})
#: The index is put to their front.
_INDEXED: Final = frozenset({"mp4", "mov", "m4a"})
_MEMORY_BYTES: Final = 1024 * MIB
#: Heads, indexes, covers and tags.
_AROUND_BYTES: Final = 4 * MIB
#: The loudest second of a sound, above its mean; and of pictures, which begin with a key frame before.
_PEAK: Final = 1.5
#: Where the index of a film in fragments ends, and the first of them begins.
_BEGINNING_BYTES: Final = 64 * 1024
#: How much more than its share of the bytes a part of a film may have.
_UNEVEN: Final = 4.0
#: What a copied sound has per second, at most: lossless stereo.
_SOUND_BYTES: Final = 400_000
#: An argument of a program holds no more: https://man7.org/linux/man-pages/man2/execve.2.html
_BLOCK_CHARACTERS: Final = 120_000

Input = Path | RemoteFile


class Renderer:
    """Makes files, in folders of the workshop."""

    def __init__(self, cells: Cells, workshop: Workshop, prober: Prober, guard: Guard, wall_s: float) -> None:
        """`wall_s`: for one file, whose source may be slow."""
        self._cells = cells
        self._workshop = workshop
        self._prober = prober
        self._guard = guard
        self._wall_s = wall_s

    async def render(
        self,
        inputs: Sequence[Input],
        recipe: Recipe,
        name: str,
        folder: Folder,
        most_bytes: int,
        *,
        fetched: Callable[[int], None] = lambda done_bytes: None,
        cover: Path | None = None,
        subtitles: Path | None = None,
    ) -> RemoteFile:
        """What `recipe` makes of the `inputs`: one file, or a picture and a sound. It is called `name`.

        A remote file that can be read from any place is not stored. At most `most_bytes` are made; `fetched`
        is told how much was read for it.

        Raises:
            SourceError: OUT_OF_RANGE, NO_SOUND, NO_ROOM, TOO_LARGE, SITE_BROKEN, or what reading raises.
            TimeoutError, ChildFailed: see `Cells.start`.
        """
        check_span(recipe)
        read_bytes = 0

        def given(size_bytes: int) -> None:
            nonlocal read_bytes
            read_bytes += size_bytes
            fetched(read_bytes)

        readable = [
            await self._readable(each, at, folder, most_bytes, fetched) for at, each in enumerate(inputs)
        ]
        recipe = await self._looked_up(recipe, readable[-1])
        if recipe.is_span and not recipe.sound:
            readable = [await self._indexed(each, at, folder, given) for at, each in enumerate(readable)]
        into = folder.path / f"made.{recipe.container}"
        await self._make(readable, recipe, into, folder, most_bytes, given, cover, subtitles)
        folder.keep(into.stat().st_size)
        made, facts = await self._made(into, recipe, name)
        facts = replace(facts, subtitles=recipe.language if subtitles else "")

        async def told() -> MediaFacts | None:
            return facts

        return replace(made, facts=told)

    async def _make(
        self,
        inputs: Sequence[Input],
        recipe: Recipe,
        into: Path,
        folder: Folder,
        most_bytes: int,
        given: Callable[[int], None],
        cover: Path | None = None,
        subtitles: Path | None = None,
    ) -> None:
        """One run of ffmpeg; the `inputs` that lie on the disk are gone then."""
        room_bytes = min(_room_bytes(recipe, [_size(each) for each in inputs]), most_bytes)
        await folder.reserve(room_bytes)
        async with AsyncExitStack() as exits:
            feed, is_fed = Feed(self._guard), not all(isinstance(each, Path) for each in inputs)
            if is_fed:
                await exits.enter_async_context(feed)
            else:
                await exits.enter_async_context(self._workshop.turns)  # it is as fast as the machine
            places = [each if isinstance(each, Path) else feed.serve(each, given) for each in inputs]
            cell = Cell(
                folder=folder.path,
                wall_s=self._wall_s,
                cpu_s=int(self._wall_s),
                memory_bytes=_MEMORY_BYTES,
                file_bytes=room_bytes,
            )
            try:
                await self._run(
                    arguments(places, recipe, into, cover, subtitles), cell, feed if is_fed else None
                )
            except SourceError:
                if await asyncio.to_thread(_is_full, into, room_bytes):
                    raise SourceError(Reason.TOO_LARGE, f"more than {room_bytes} bytes") from None
                raise
        for each in inputs:
            if isinstance(each, Path):
                await asyncio.to_thread(each.unlink)

    async def _indexed(self, source: Input, at: int, folder: Folder, given: Callable[[int], None]) -> Input:
        """The same, with its key frames listed: in a transport stream they are not found."""
        head = (
            await asyncio.to_thread(_head, source) if isinstance(source, Path) else await _beginning(source)
        )
        kind = kind_of(head)
        if kind is None or kind.mime_type != "video/mp2t":
            return source
        into = folder.path / f"indexed-{at}.mkv"
        most_bytes = 2 * _size(source) + _AROUND_BYTES
        await self._make([source], Recipe(container="mkv"), into, folder, most_bytes, given)
        return into

    async def _readable(
        self, given: Input, at: int, folder: Folder, most_bytes: int, fetched: Callable[[int], None]
    ) -> Input:
        """The same, as something that can be read from any place."""
        if isinstance(given, Path) or (given.size_bytes is not None and given.validator is not None):
            return given
        path, before_bytes = folder.path / f"input-{at}", folder.reserved_bytes
        await folder.hold(before_bytes + (given.size_bytes or 0))

        async def came(done_bytes: int) -> None:
            fetched(done_bytes)
            await folder.hold(before_bytes + done_bytes)

        await save(given, path, most_bytes, came)
        return path

    async def _looked_up(self, recipe: Recipe, given: Input) -> Recipe:
        """The recipe with what only the file itself can tell."""
        if not (recipe.is_span and recipe.duration_s is None) and not (
            recipe.sound and recipe.copies is None
        ):
            return recipe
        facts, length_s = await self._facts(given)
        if recipe.sound and facts is not None and facts.audio_codec is None:
            raise SourceError(Reason.NO_SOUND, "a film without a sound")
        codec = None if facts is None else facts.audio_codec
        recipe = replace(
            recipe,
            duration_s=recipe.duration_s or length_s,
            copies=codec == _CODECS.get(recipe.sound) if recipe.copies is None else recipe.copies,
        )
        check_span(recipe)
        return recipe

    async def _facts(self, given: Input) -> tuple[MediaFacts | None, float | None]:
        """What it is, and how long; None: it does not tell."""
        if isinstance(given, Path):
            facts = await self._prober.facts_of(given, given.stat().st_size)
            return facts, None if facts is None else facts.duration_s
        async with self._prober.watched(given) as watched:
            facts = None if watched.facts is None else await watched.facts()
        # of a film in fragments the first ones tell nothing about the others, unless there is a list of them
        kinds = {atom.kind for atom in atoms(await _beginning(given))} if facts else set[bytes]()
        fragments = b"moof" in kinds and b"sidx" not in kinds
        return facts, None if facts is None or fragments else facts.duration_s

    async def _run(self, program: Sequence[str], cell: Cell, feed: Feed | None) -> None:
        async with self._cells.start(program, cell, feed) as child:
            status = await child.ended()
        if feed is not None and feed.failure is not None:
            raise feed.failure
        if status:
            raise SourceError(Reason.SITE_BROKEN, f"ffmpeg ended with {status}")

    async def _made(self, into: Path, recipe: Recipe, name: str) -> tuple[RemoteFile, MediaFacts]:
        front = await asyncio.to_thread(read_front, into) if recipe.container in _INDEXED else None
        made = local_file(into, name, _TYPES[recipe.container], front)
        facts = await self._prober.facts_of(into, made.size_bytes or 0, front)
        if facts is None:  # nothing that plays
            reason = Reason.OUT_OF_RANGE if recipe.is_span else Reason.SITE_BROKEN
            raise SourceError(reason, f"{made.size_bytes} bytes of {recipe.container}")
        return made, facts


_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{"mp4": "video/mp4", "mov": "video/quicktime", "mkv": "video/x-matroska", "webm": "video/webm"},
        **{"ts": "video/mp2t", "m4a": "audio/mp4", "mp3": "audio/mpeg", "opus": "audio/ogg"},
        **{"ogg": "audio/ogg", "flac": "audio/flac", "wav": "audio/wav"},
    }
)


def arguments(
    places: Sequence[Path | str], recipe: Recipe, into: Path, cover: Path | None, subtitles: Path | None
) -> list[str]:
    """The program that makes `into`. A place is a file, or the address of one that is fed to it."""
    span = ["-ss", f"{recipe.start_s:.3f}"] if recipe.start_s else []
    if recipe.stop_s is not None:
        span += ["-to", f"{recipe.stop_s:.3f}"]
    inputs: list[str] = []
    for place in places:
        fed = isinstance(place, str)
        inputs += ["-protocol_whitelist", "http,tcp" if fed else "file", "-format_whitelist", _DEMUXERS]
        inputs += [*(() if fed else ("-probesize", PROBE_BYTES)), *span, "-i", str(place)]
    tracks = _sound(recipe) if recipe.sound else _film(recipe, len(places))
    if subtitles:
        inputs += ["-protocol_whitelist", "file", "-format_whitelist", "srt", "-i", str(subtitles)]
        tracks += ["-map", f"{len(places)}:s:0", "-c:s", SUBTITLED[recipe.container]]
        tracks += ["-metadata:s:s:0", f"language={recipe.language}", "-disposition:s:0", "default"]
    tags = [part for name, value in recipe.tags for part in ("-metadata", f"{name}={value}")]
    if cover and recipe.container in _NO_COVER:
        tags += _block(cover)
    elif cover:
        inputs += ["-protocol_whitelist", "file", "-format_whitelist", "jpeg_pipe,image2", "-i", str(cover)]
        tracks += ["-map", f"{len(places)}:v:0", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
    return [
        *(ffmpeg.program(), "-nostdin", "-loglevel", "error", "-y", *inputs, *tracks),
        *("-map_metadata", "0" if recipe.keeps else "-1", *tags),
        *("-max_interleave_delta", "0", "-f", _MUXERS[recipe.container], str(into)),
    ]


def _sound(recipe: Recipe) -> list[str]:
    encoder = ("copy",) if recipe.copies else _ENCODERS[recipe.sound]
    version = ["-id3v2_version", "3"] if recipe.container == "mp3" else []
    return ["-map", "0:a:0", "-c:a", *encoder, *version]


def _film(recipe: Recipe, places: int) -> list[str]:
    """All tracks as they are, as far as the container has a place for them."""
    if places == 2:
        return ["-map", "0:v:0", "-map", "1:a:0", "-c", "copy"]
    if not recipe.keeps:
        return ["-map", "0:V:0?", "-map", "0:a:0?", "-c", "copy"]
    pictures = [] if recipe.container in _NO_COVER else ["-map", "0:v?"]
    words = ["-map", "0:s?"] if recipe.container in SUBTITLED else []
    return [*pictures, "-map", "0:a?", *words, "-c", "copy"]


def _block(cover: Path) -> list[str]:
    """The cover as Ogg has it: https://www.rfc-editor.org/rfc/rfc9639#name-picture"""
    data, kind = cover.read_bytes(), b"image/jpeg"
    block = struct.pack(">II", 3, len(kind)) + kind + struct.pack(">6I", 0, 0, 0, 24, 0, len(data)) + data
    text = base64.b64encode(block).decode()
    return ["-metadata:s:a:0", f"METADATA_BLOCK_PICTURE={text}"] if len(text) <= _BLOCK_CHARACTERS else []


def _is_full(made: Path, room_bytes: int) -> bool:
    """Whether ffmpeg ended because the file may not be larger."""
    return made.is_file() and made.stat().st_size >= room_bytes


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


async def _beginning(remote: RemoteFile) -> bytes:
    async with closing(remote.read(0, min(_BEGINNING_BYTES, remote.size_bytes or 0))) as chunks:
        return b"".join([chunk async for chunk in chunks])


def _size(given: Input) -> int:
    return given.stat().st_size if isinstance(given, Path) else given.size_bytes or 0


def _room_bytes(recipe: Recipe, sizes: Sequence[int]) -> int:
    """How much what is made may weigh."""
    whole_bytes, length_s = sum(sizes) * 1.05, span_s(recipe)
    if length_s is not None and recipe.duration_s and not recipe.sound:
        whole_bytes *= min(1.0, _UNEVEN * length_s / recipe.duration_s)
    if recipe.sound and not recipe.copies and length_s is not None:
        return int(length_s * SOUND_KBPS[recipe.sound] * 125 * _PEAK) + _AROUND_BYTES
    if recipe.sound and recipe.copies and length_s is not None:
        return int(min(whole_bytes, length_s * _SOUND_BYTES)) + _AROUND_BYTES
    # encoded, of unknown length: files that weigh less than what is made of them are small
    return int(whole_bytes * (4 if recipe.sound and not recipe.copies else 1)) + _AROUND_BYTES
