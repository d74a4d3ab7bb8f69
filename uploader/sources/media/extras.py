"""Subtitles and covers: strangers wrote them, so they are read in a cell, and go into a film written anew.

Whatever is wrong with them, the film comes without.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from uploader.errors import NotALink, SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources.direct import probe
from uploader.sources.exchange import Wishes
from uploader.sources.media import ffmpeg
from uploader.sources.media.local import save
from uploader.sources.media.process import Cell, Cells, ChildFailed
from uploader.sources.media.stream import Connect

SUBTITLES_BYTES: Final = 8 * MIB
_PICTURE_BYTES: Final = 8 * MIB
_COVER_BYTES: Final = MIB
_COVER_PIXELS: Final = 640
_LINK_CHARACTERS: Final = 8000
_PICTURES: Final = {"image/jpeg": "jpeg_pipe", "image/png": "png_pipe", "image/webp": "webp_pipe"}
_FETCH_S: Final = 20.0
_READ_S: Final = 15.0
_MEMORY_BYTES: Final = 512 * MIB

#: When a line is shown, and what it says.
_TIME: Final = r"(\d{2,4}:\d\d:\d\d,\d{3})"
_CUE: Final = re.compile(rf"^{_TIME} --> {_TIME}\n(.*?)(?=^\d+\n\d{{2,4}}:|\Z)", re.MULTILINE | re.DOTALL)

_log = structlog.get_logger(__name__)


def cut_subtitles(text: str, start_s: float, stop_s: float | None) -> str:
    """The lines of a SubRip file, as ffmpeg writes it, for a span of its film, which then begins at 0.

    ffmpeg itself is off by as much as there is before the first line.
    """
    length_s = float("inf") if stop_s is None else stop_s - start_s
    kept: list[str] = []
    for cue in _CUE.finditer(text):
        begin_s, end_s = (_seconds(cue[at]) - start_s for at in (1, 2))
        if end_s > 0 and begin_s < length_s:
            shown = f"{_clock(max(0.0, begin_s))} --> {_clock(min(end_s, length_s))}"
            kept.append(f"{len(kept) + 1}\n{shown}\n{cue[3].strip()}\n\n")
    return "".join(kept)


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _clock(seconds: float) -> str:
    whole_ms = round(seconds * 1000)
    minutes, rest_ms = divmod(whole_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest_ms // 1000:02},{rest_ms % 1000:03}"


class Extras:
    """Brings what goes into a film or a song besides."""

    def __init__(self, cells: Cells, connect: Connect) -> None:
        """`connect` makes an exchange with a site."""
        self._cells = cells
        self._connect = connect

    async def cover(self, link: str | None, folder: Path) -> Path | None:
        """The picture at `link` as a JPEG in `folder`, of a size that goes into a song."""
        exchange, picture, cover = self._connect(Wishes()), folder / "picture", folder / "cover.jpg"
        try:
            async with asyncio.timeout(_FETCH_S):
                remote = await probe(parse(link or "", characters=_LINK_CHARACTERS), exchange)
                demuxer = _PICTURES.get(remote.mime_type)
                if demuxer is None:
                    return None
                await save(remote, picture, _PICTURE_BYTES)
        except (SourceError, NotALink, TimeoutError) as error:
            _log.info("a song comes without its cover", cause=type(error).__name__)
            return None
        finally:
            await exchange.close()
        scale = f"scale='min({_COVER_PIXELS},iw)':-2,format=yuvj420p"
        made = ("-vf", scale, "-frames:v", "1", "-q:v", "4", "-f", "mjpeg")
        return cover if await self._written(picture, demuxer, made, cover, _COVER_BYTES) else None

    async def subtitles(self, raw: Path, start_s: float, stop_s: float | None) -> Path | None:
        """What stands in the file `raw` for a span of its film, as a SubRip file beside it."""
        clean = raw.with_name("clean.srt")
        made = ("-map", "0:s:0", "-c:s", "subrip", "-f", "srt")
        if not await self._written(raw, "webvtt,srt,ass", made, clean, 2 * SUBTITLES_BYTES):
            return None
        text = await asyncio.to_thread(clean.read_text, encoding="utf-8", errors="replace")
        span = await asyncio.to_thread(cut_subtitles, text, start_s, stop_s)
        await asyncio.to_thread(clean.write_text, span, encoding="utf-8")
        return clean if span else None

    async def _written(
        self, raw: Path, demuxers: str, made: Sequence[str], into: Path, most_bytes: int
    ) -> bool:
        inputs = ("-protocol_whitelist", "file", "-format_whitelist", demuxers, "-i", str(raw))
        program = (ffmpeg.program(), "-nostdin", "-loglevel", "error", "-y", "-threads", "1", *inputs)
        cell = Cell(
            folder=raw.parent,
            wall_s=_READ_S,
            cpu_s=int(_READ_S),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=most_bytes,
        )
        try:
            async with self._cells.start((*program, *made, str(into)), cell) as child:
                status = await child.ended()
        except (TimeoutError, ChildFailed) as error:
            _log.info("ffmpeg cannot read what was beside a film", cause=type(error).__name__)
            return False
        return not status
