"""ffmpeg, in a child without a network: joins what was fetched into one file that plays while it arrives."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from uploader.errors import Reason, SourceError
from uploader.sources.media import ffmpeg
from uploader.sources.media.front import Front, read_front
from uploader.sources.media.process import Cell, Cells

#: What fetched files are. Not among them: lists that lead elsewhere (hls, dash, concat), and pictures.
DEMUXERS: Final = "mov,mp4,matroska,webm,mpegts,aac,mp3,ogg,flac,flv"
_MUXERS: Final = {
    "mp4": "mp4",
    "mkv": "matroska",
    "webm": "webm",
    "m4a": "ipod",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
}
#: Looked through for the first sound, which of 4K films comes after more than ffmpeg's own 5 MB.
PROBE_BYTES: Final = "64M"
#: Containers whose index belongs before their pictures.
_INDEXED: Final = frozenset({"mp4", "m4a"})


async def join(parts: Sequence[Path], into: Path, cells: Cells, cell: Cell) -> Front | None:
    """Copy the tracks of `parts` (one file, or a picture and a sound) into `into`, by its suffix.

    Returns the order in which `into` is to be given out, so that it plays while it arrives; None: as it is.

    Raises:
        SourceError: SITE_BROKEN: ffmpeg cannot read what the site sent.
        TimeoutError: it took longer than the cell allows.
    """
    await _copy(parts, into, (), cells, cell)
    if into.suffix.removeprefix(".") not in _INDEXED:
        return None
    front = await asyncio.to_thread(read_front, into)
    if front is None:
        await _copy(parts, into, ("-movflags", "+faststart"), cells, cell)
    return front


async def _copy(parts: Sequence[Path], into: Path, more: Sequence[str], cells: Cells, cell: Cell) -> None:
    container = into.suffix.removeprefix(".")
    inputs: list[str] = []
    for part in parts:
        inputs += ["-probesize", PROBE_BYTES, "-protocol_whitelist", "file", "-format_whitelist", DEMUXERS]
        inputs += ["-i", str(part)]
    if len(parts) == 2:
        maps = ["-map", "0:v:0", "-map", "1:a:0"]
    else:
        maps = ["-map", "0:v:0?", "-map", "0:a:0?"] if container in {"mp4", "mkv"} else ["-map", "0:a:0"]
    started = cells.start(
        (
            *(ffmpeg.program(), "-nostdin", "-loglevel", "error", "-y", *inputs, *maps),
            *("-c", "copy", "-map_metadata", "-1", "-max_interleave_delta", "0", *more),
            *("-f", _MUXERS[container], str(into)),
        ),
        cell,
    )
    async with started as child:
        status = await child.ended()
    if status:
        raise SourceError(Reason.SITE_BROKEN, f"ffmpeg ended with {status}")
