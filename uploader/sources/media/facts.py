"""What a film or song is, learned from the bytes that pass by on their way: none is fetched twice."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field

from uploader.limits import MIB
from uploader.model import MediaFacts, RemoteFile
from uploader.names import one_line
from uploader.sources.answers import OCTET_STREAM, mime_type_of_name
from uploader.sources.media import atoms
from uploader.sources.media.front import Front
from uploader.sources.media.process import Cell, Cells, ChildFailed
from uploader.sources.media.sample import HEAD_BYTES, Sample
from uploader.sources.media.workshop import Workshop

_PROBE: Final = Path(__file__).with_name("probe.py")
#: Each is a process at full load; more files wait for their turn.
_AT_ONCE: Final = 2
_WALL_S: Final = 15.0
_CPU_S: Final = 10
_MEMORY_BYTES: Final = 512 * MIB
#: The largest picture that is drawn on screens; what claims more was made to hurt.
_PIXELS: Final = 16_384
_THUMBNAIL_BYTES: Final = 20_000
_TEXT_CHARACTERS: Final = 200
_JPEG: Final = b"\xff\xd8\xff"

_log = structlog.get_logger(__name__)

_Pixels = Annotated[int, Field(ge=0, le=_PIXELS)]
_Text = Annotated[str, Field(max_length=_TEXT_CHARACTERS)]


class _Told(BaseModel):
    """What the child says of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["video", "audio"]
    duration_s: Annotated[float, Field(ge=0, lt=1e8)]
    width: _Pixels
    height: _Pixels
    silent: bool
    audio_codec: _Text | None
    title: _Text | None
    performer: _Text | None
    thumbnail: Annotated[str, Field(max_length=2 * _THUMBNAIL_BYTES)] | None


class Prober:
    """Finds out what files are."""

    def __init__(self, cells: Cells, workshop: Workshop) -> None:
        self._cells = cells
        self._workshop = workshop
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def watched(self, remote: RemoteFile) -> AsyncIterator[RemoteFile]:
        """`remote`, which can tell its `facts` when it was read; unchanged if it is no film by its type."""
        if not is_media(remote.mime_type, remote.name):
            yield remote
            return
        async with AsyncExitStack() as exits:
            try:
                folder = await exits.enter_async_context(self._workshop.folder())
                sample = exits.enter_context(closing(Sample(remote, folder.path / "sample")))
            except OSError as error:
                _log.warning("no room to look at a file", cause=error.strerror)
                yield remote
                return

            async def facts() -> MediaFacts | None:
                known_bytes = await sample.finish()
                return None if known_bytes is None else await self.facts_of(sample.path, known_bytes)

            yield replace(remote, read=sample.read, facts=facts)

    async def facts_of(self, path: Path, known_bytes: int, front: Front | None = None) -> MediaFacts | None:
        """What the file is of which the first `known_bytes`, and perhaps its end or its index, are there.

        `front`: the order in which it is given out.

        The file is hostile, and its reader is not ours: whatever happens to that, the answer is None.
        """
        program = (sys.executable, "-I", str(_PROBE), str(path), str(known_bytes))
        cell = Cell(
            folder=path.parent,
            wall_s=_WALL_S,
            cpu_s=_CPU_S,
            memory_bytes=_MEMORY_BYTES,
            file_bytes=0,
            files=64,
        )
        try:
            async with self._turns, self._cells.start(program, cell) as child:
                said = await child.hear()
            return None if said is None else _checked(_Told.model_validate(said), path, front)
        except (OSError, ChildFailed, ValueError) as error:
            _log.info("a file cannot be probed", cause=type(error).__name__)
            return None


def is_media(mime_type: str, name: str) -> bool:
    """Whether a file of that type and name is to be looked at."""
    types = {mime_type, mime_type_of_name(name)} - {OCTET_STREAM}
    return any(each.startswith(("video/", "audio/")) for each in types)


def _checked(told: _Told, path: Path, front: Front | None) -> MediaFacts | None:
    """The facts, if a chat can show them: no square, black films of 0:00."""
    seen = told.width and told.height
    if not told.duration_s or (told.kind == "video" and not seen):
        return None
    thumbnail = base64.b64decode(told.thumbnail or "")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return MediaFacts(
        kind=told.kind,
        duration_s=told.duration_s,
        width=told.width,
        height=told.height,
        streamable=front is not None or atoms.starts_fast(head),
        silent=told.silent,
        audio_codec=told.audio_codec,
        title=one_line(told.title or "") or None,
        performer=one_line(told.performer or "") or None,
        thumbnail=thumbnail if thumbnail.startswith(_JPEG) and len(thumbnail) <= _THUMBNAIL_BYTES else None,
    )
