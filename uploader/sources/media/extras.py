"""Subtitles and covers: strangers wrote them, so they are read in a cell, and go into a film written anew.

Whatever is wrong with them, the film comes without.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog
from imageio_ffmpeg import get_ffmpeg_exe

from uploader.errors import NotALink, SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.sources.direct import probe
from uploader.sources.exchange import Wishes
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

_log = structlog.get_logger(__name__)


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
                await save(remote, picture, _PICTURE_BYTES, lambda done_bytes: None)
        except (SourceError, NotALink, TimeoutError) as error:
            _log.info("a song comes without its cover", cause=type(error).__name__)
            return None
        finally:
            await exchange.close()
        scale = f"scale='min({_COVER_PIXELS},iw)':-2,format=yuvj420p"
        made = ("-vf", scale, "-frames:v", "1", "-q:v", "4", "-f", "mjpeg")
        return cover if await self._written(picture, demuxer, made, cover, _COVER_BYTES) else None

    async def subtitles(self, raw: Path) -> Path | None:
        """What stands in the file `raw`, as a SubRip file beside it."""
        clean = raw.with_name("clean.srt")
        made = ("-map", "0:s:0", "-c:s", "subrip", "-f", "srt")
        return clean if await self._written(raw, "webvtt,srt,ass", made, clean, 2 * SUBTITLES_BYTES) else None

    async def _written(
        self, raw: Path, demuxers: str, made: Sequence[str], into: Path, most_bytes: int
    ) -> bool:
        inputs = ("-protocol_whitelist", "file", "-format_whitelist", demuxers, "-i", str(raw))
        ffmpeg = (str(get_ffmpeg_exe()), "-nostdin", "-loglevel", "error", "-y", "-threads", "1", *inputs)
        cell = Cell(
            folder=raw.parent,
            wall_s=_READ_S,
            cpu_s=int(_READ_S),
            memory_bytes=_MEMORY_BYTES,
            file_bytes=most_bytes,
        )
        try:
            async with self._cells.start((*ffmpeg, *made, str(into)), cell) as child:
                status = await child.ended()
        except (TimeoutError, ChildFailed) as error:
            _log.info("ffmpeg cannot read what was beside a film", cause=type(error).__name__)
            return False
        return not status
