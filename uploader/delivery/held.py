"""Brings what lies in a message on Telegram: by reference where that will do, else by its bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from uploader.delivery.sender import Errand
from uploader.model import Caption, Delivered, Document, MediaFacts, Phase, RemoteFile
from uploader.names import renamed
from uploader.posts import Post, Sent
from uploader.sources import Sources
from uploader.storage.jobs import Jobs
from uploader.telegram.downloads import Downloads, Reading
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.telegram.messages import Held, Messages, offer_of
from uploader.telegram.refusals import ReferenceLost
from uploader.template import plain
from uploader.wishes import ASK, ChoiceNeeded, Wish

_log = structlog.get_logger(__name__)

#: Carries a file as that of any link.
Fetch = Callable[[Errand, RemoteFile], Awaitable[Delivered]]

#: What begins a picture that Telegram takes as a thumbnail.
_JPEG = b"\xff\xd8\xff"


class HeldDelivery:
    """Sends on what is in messages."""

    def __init__(
        self, jobs: Jobs, gateway: Gateway, messages: Messages, downloads: Downloads, sources: Sources
    ) -> None:
        self._jobs = jobs
        self._gateway = gateway
        self._messages = messages
        self._downloads = downloads
        self._sources = sources

    async def carry(self, errand: Errand, message: Post | Sent, fetch: Fetch) -> Delivered:
        """Deliver the file of a message, as its person wishes; `fetch` carries it if its bytes are needed.

        Raises:
            ChoiceNeeded: they sent it, and have not said yet what they want with it.
            ChannelUnusable: the bot may not look into a channel that is open to everybody else.
            SourceError, and what `Gateway.deliver_again` and `fetch` raise.
        """
        job = errand.job
        if job.fetching is not None:
            await self._jobs.keep_apart(job)  # whoever asks for the same may not be allowed to see it
        held = await self._held(message, errand)
        if isinstance(message, Sent) and job.wish.format == ASK:
            raise ChoiceNeeded(job.offer or offer_of(held))
        if not _needs_bytes(held, job.wish):
            delivered = await self._refer(errand, held, lambda: self._held(message, errand))
            if delivered is not None:
                return delivered
        wish = replace(job.wish, caption=_caption(held, job.wish).text)
        errand = replace(errand, job=replace(job, wish=wish))
        async with self._remote(held, wish, lambda: self._held(message, errand)) as remote:
            return await fetch(errand, remote)

    async def _held(self, message: Post | Sent, errand: Errand) -> Held:
        if isinstance(message, Sent):
            return await self._messages.sent(message.message_id, errand.person)
        return await self._messages.post(message, errand.person)

    async def _refer(
        self, errand: Errand, held: Held, renew: Callable[[], Awaitable[Held]]
    ) -> Delivered | None:
        """Post the file without a byte of it moving; None: Telegram does not let this one go that way."""
        job = errand.job
        await self._jobs.note_file(job, held.name, held.size_bytes)
        errand.report(Phase.FINISHING, held.size_bytes)
        random_id = await self._jobs.reserve_random_id(job, new_random_id())
        await errand.lease.begin_sending()
        caption = _caption(held, job.wish)

        async def deliver(document: Document) -> Delivered:
            return await self._gateway.deliver_again(
                errand.person, document, random_id, caption, job.message_id
            )

        try:
            try:
                return await deliver(held.document)
            except ReferenceLost as lost:
                if not lost.may_be_renewed:
                    raise
            return await deliver((await renew()).document)
        except ReferenceLost as lost:
            _log.info("a file goes by its bytes", job=job.id, cause=str(lost))
            errand.lease.sending.clear()
            return None

    @asynccontextmanager
    async def _remote(
        self, held: Held, wish: Wish, renew: Callable[[], Awaitable[Held]]
    ) -> AsyncIterator[RemoteFile]:
        reading = self._downloads.reading(held, renew)
        remote = RemoteFile(
            name=renamed(held.name, wish.name, held.mime_type) if wish.name else held.name,
            size_bytes=held.size_bytes,
            mime_type=held.mime_type,
            validator=f"telegram {held.document.id}",
            read=reading.read,
            facts=_facts(held, reading),
        )
        if not _plays(held, wish):
            yield replace(remote, facts=None)
        elif remote.facts is not None:
            yield remote
        else:
            async with self._sources.watched(remote) as watched:
                yield watched


def _needs_bytes(held: Held, wish: Wish) -> bool:
    """Whether it is to become another file: what it is called and how it is shown cannot be changed.

    https://core.telegram.org/api/files#editing-uploaded-files
    """
    is_renamed = bool(wish.name) and renamed(held.name, wish.name, held.mime_type) != held.name
    is_shown = offer_of(held).as_document
    return is_renamed or (wish.as_document is not None and is_shown not in {None, wish.as_document})


def _plays(held: Held, wish: Wish) -> bool:
    """Whether the new file shall be shown as a film or a song."""
    if wish.as_document is None:
        return held.kind in {"video", "audio"}
    return not wish.as_document


def _facts(held: Held, reading: Reading) -> Callable[[], Awaitable[MediaFacts | None]] | None:
    """What Telegram knows of a film or a song already; None: nothing that a chat could show."""
    known = held.facts
    if (
        known is None
        or not known.duration_s
        or (known.kind == "video" and min(known.width, known.height) < 2)
    ):
        return None

    async def facts() -> MediaFacts | None:
        picture = await reading.thumbnail() or b""
        return replace(known, thumbnail=picture if picture.startswith(_JPEG) else None)

    return facts


def _caption(held: Held, wish: Wish) -> Caption:
    return held.caption if wish.caption is None else plain(wish.caption)
