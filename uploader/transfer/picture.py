"""The small picture of a film or a song, uploaded beside it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import structlog

from uploader.errors import TransferError
from uploader.model import Checkpoint, MediaFacts, RemoteFile, Uploaded
from uploader.transfer.pool import UploadPool
from uploader.transfer.upload import upload

_log = structlog.get_logger(__name__)


async def pictured(uploaded: Uploaded, facts: MediaFacts | None, pool: UploadPool) -> Uploaded:
    """`uploaded` with what is known of it; without its picture, if the data centre does not take that."""
    content = facts and facts.thumbnail
    if not content:
        return replace(uploaded, facts=facts)

    async def read(start: int, stop: int | None) -> AsyncIterator[bytes]:
        yield content[start:stop]

    async def never(_checkpoint: Checkpoint) -> None:
        raise AssertionError("a small file is not resumed")

    remote = RemoteFile(
        name="thumbnail.jpg", size_bytes=len(content), mime_type="image/jpeg", validator=None, read=read
    )
    try:
        picture = await upload(remote, pool, checkpoint=None, save=never, report=lambda _done_bytes: None)
    except TransferError as error:
        _log.info("a picture is left out", cause=str(error))
        picture = None
    return replace(uploaded, facts=facts, thumbnail=picture)
