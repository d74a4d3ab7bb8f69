"""Gives a person a file that was delivered to somebody else before, without a byte of it moving."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from uploader.errors import PeykError
from uploader.model import Caption, Delivered, Job, KeptFile, MediaFacts, Person, RemoteFile
from uploader.storage.files import Files
from uploader.telegram.gateway import Gateway
from uploader.telegram.refusals import ReferenceLost

_log = structlog.get_logger(__name__)

Open = Callable[[], AbstractAsyncContextManager[RemoteFile]]


class Stale(PeykError):
    """There is no kept file any more, or not the right one: it has to be fetched after all."""


class Reuse:
    """The kept files of one account."""

    def __init__(self, files: Files, gateway: Gateway) -> None:
        self._files = files
        self._gateway = gateway

    async def find(self, job: Job, ask: Open) -> KeptFile:
        """The file for this job's link. One that is no longer fresh is compared with what `ask` opens.

        Raises:
            Stale: there is none, or the source has another by now.
            SourceError: the source does not give it any more.
        """
        file = None if job.link_key is None else await self._files.get(job.link_key)
        if file is None:
            raise Stale("no kept file")
        if not file.is_fresh:
            async with ask() as remote:
                if not is_same(file, remote):
                    await self._files.drop(file)
                    raise Stale("the source has another file")
            await self._files.confirm(file, remote.fresh_s)
        return file

    async def send(
        self, file: KeptFile, person: Person, random_id: int, caption: Caption, reply_to: int
    ) -> Delivered:
        """Post the file; a reference that expired is renewed from the message that it came in.

        Raises:
            Stale: Telegram does not have it any more.
            and what `Gateway.deliver` raises.
        """
        try:
            return await self._gateway.deliver_again(person, file.document, random_id, caption, reply_to)
        except ReferenceLost as lost:
            document = await self._gateway.document_of(file.message_id) if lost.may_be_renewed else None
        if document is not None and document.id == file.document.id:
            await self._files.refer(file, document)
            try:
                return await self._gateway.deliver_again(person, document, random_id, caption, reply_to)
            except ReferenceLost:
                _log.info("a new reference is refused", document=document.id)
        await self._files.drop(file)
        raise Stale("Telegram does not have it any more")

    async def keep(
        self, job: Job, remote: RemoteFile, facts: MediaFacts | None, delivered: Delivered
    ) -> None:
        """Keep what was just delivered for others, if it is fit for that."""
        if job.fetching is None or delivered.document is None or delivered.message_id is None:
            return
        await self._files.keep(
            KeptFile(
                key=job.fetching,
                document=delivered.document,
                message_id=delivered.message_id,
                name=remote.name,
                size_bytes=delivered.size_bytes or 0,
                validator=remote.validator,
                title=facts.title if facts else None,
                performer=facts.performer if facts else None,
                duration_s=facts.duration_s if facts else None,
                width=facts.width if facts else 0,
                height=facts.height if facts else 0,
            ),
            remote.fresh_s,
        )


def is_same(file: KeptFile, remote: RemoteFile) -> bool:
    """Whether the source still has the file that was kept, as far as it says."""
    return (
        remote.fresh_s > 0
        and remote.validator is not None
        and (file.validator, file.size_bytes, file.name)
        == (remote.validator, remote.size_bytes or file.size_bytes, remote.name)
    )
