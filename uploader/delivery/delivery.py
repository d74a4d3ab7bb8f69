"""How a job's file comes to its person: as somebody else's before, whole, or in volumes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from uploader import limits
from uploader.captions import Captions
from uploader.delivery.held import HeldDelivery
from uploader.delivery.sender import Errand, NotWhole, Sender
from uploader.delivery.volumes import Cut, VolumeDelivery, Whole
from uploader.errors import ChannelUnusable, PartsLost, Reason, SourceError
from uploader.model import Delivered, Link, OverCap, Phase, RemoteFile
from uploader.posts import Post, message_of
from uploader.reuse import Reuse
from uploader.sources import CannotCut, Sources
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.volumes import Volumes
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.texts import Texts
from uploader.transfer.carriers import Carriers
from uploader.transfer.volumes import RawVolumes
from uploader.wishes import ASK

_log = structlog.get_logger(__name__)


class Delivery:
    """Carries files. `volume_bytes`: the size of volumes; every carrier takes files of that size."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        volumes: Volumes,
        people: People,
        sources: Sources,
        carriers: Carriers,
        gateway: Gateway,
        reuse: Reuse,
        held: HeldDelivery,
        texts: Texts,
        captions: Captions,
        volume_bytes: int,
    ) -> None:
        self._jobs = jobs
        self._volumes = volumes
        self._people = people
        self._sources = sources
        self._carriers = carriers
        self._gateway = gateway
        self._reuse = reuse
        self._held = held
        self._captions = captions
        self._volume_bytes = volume_bytes
        self._in_volumes = VolumeDelivery(
            jobs=jobs,
            volumes=volumes,
            people=people,
            carriers=carriers,
            gateway=gateway,
            texts=texts,
            captions=captions,
        )

    async def carry(self, errand: Errand) -> Delivered:
        """Bring the file; raises whatever the source, Telegram or the database raise."""
        errand.report(Phase.OPENING, 0)
        if errand.job.link_key is not None and errand.job.fetching is None:
            return await self._share(errand)
        message = message_of(errand.job.link)
        if message is None:
            return await self._open(errand, errand.job.link)
        try:
            return await self._held.carry(errand, message, self._fetch)
        except ChannelUnusable:
            if not isinstance(message, Post) or message.page is None:
                raise
        return await self._of_page(errand, message.page)

    async def _of_page(self, errand: Errand, page: Link) -> Delivered:
        """A public post of which the bot may see nothing but its page on the web."""
        try:
            return await self._open(errand, page)
        except SourceError as error:
            if error.reason is not Reason.NO_MEDIA:
                raise
            raise SourceError(Reason.NOT_VISIBLE, str(error)) from None

    async def _open(self, errand: Errand, link: Link) -> Delivered:

        def fetched(done_bytes: int) -> None:
            errand.place.brought(done_bytes)
            errand.report(Phase.PREPARING, done_bytes)

        most_bytes = await self._most_bytes(errand)
        opening = self._sources.open(link, errand.job.wish, most_bytes=most_bytes, fetched=fetched)
        if errand.job.wish.format != ASK:
            self._carriers.check()  # what could not be uploaded is not fetched; a question can be asked
        async with opening as remote:
            return await self._fetch(errand, remote)

    async def _most_bytes(self, errand: Errand) -> int:
        """What is put together for this person, at most: all volumes of a file, if they want those."""
        refuses = await self._people.over_cap(errand.person.user_id) is OverCap.REFUSE
        return self._carriers.cap_bytes if refuses else limits.VOLUMES * self._volume_bytes

    async def _share(self, errand: Errand) -> Delivered:
        """Give the person what was delivered to somebody else."""
        job = errand.job
        file = await self._reuse.find(job, lambda: self._sources.open(job.link, job.wish))
        await self._jobs.note_file(job, file.name, file.size_bytes)
        errand.report(Phase.FINISHING, file.size_bytes)
        random_id = await self._jobs.reserve_random_id(job, new_random_id())
        await errand.lease.begin_sending()
        caption = self._captions.of_kept(job, file)
        return await self._reuse.send(file, errand.person, random_id, caption, job.message_id)

    async def _fetch(self, errand: Errand, remote: RemoteFile) -> Delivered:
        """Carry the file from its source."""
        job, remote = errand.job, errand.place.metered(remote)
        await self._jobs.note_file(job, remote.name, remote.size_bytes)
        if job.fetching is not None and not remote.fresh_s:
            await self._jobs.keep_apart(job)
        errand.report.file = remote
        if remote.size_bytes is None:
            carried = await self._unmeasured(errand, remote)
        elif remote.size_bytes <= self._carriers.cap_bytes:
            carried = await self._whole(errand, remote)
        else:
            carried = await self._above_the_cap(errand, remote, remote.size_bytes)
        if not isinstance(carried, Whole):
            return carried
        if remote.fresh_s:
            await self._reuse.keep(job, remote, carried.facts, carried.delivered)
        return carried.delivered

    async def _whole(self, errand: Errand, remote: RemoteFile) -> Whole:
        job = errand.job
        account = "" if job.checkpoint is None else job.checkpoint.account
        async with self._carriers.use(remote.size_bytes, account) as carrier:
            sender = Sender(errand, carrier, self._gateway)
            try:
                uploaded = await sender.describe(remote, await sender.upload(remote, job.checkpoint))
                random_id = await self._jobs.reserve_random_id(job, new_random_id())
                await errand.lease.begin_sending()
                caption = self._captions.of_upload(job, uploaded)
                return Whole(await sender.post(remote, uploaded, random_id, caption), uploaded.facts)
            except PartsLost:
                await self._jobs.forget_checkpoint(job)
                raise
            except NotWhole:
                await self._jobs.forget_random_id(job)
                raise

    async def _unmeasured(self, errand: Errand, remote: RemoteFile) -> Delivered | Whole:
        """A file of which nobody knows the size may turn out to be above the cap on its way."""
        async with RawVolumes(remote, self._volume_bytes) as cut:
            return await self._in_volumes.carry(errand, remote, cut)

    async def _above_the_cap(self, errand: Errand, remote: RemoteFile, size_bytes: int) -> Delivered | Whole:
        """In volumes, if the person wants that."""
        if await self._people.over_cap(errand.person.user_id) is OverCap.REFUSE:
            raise SourceError(Reason.TOO_LARGE, f"{size_bytes} bytes, and the person wants no volumes")
        if size_bytes > limits.VOLUMES * self._volume_bytes:
            raise SourceError(Reason.TOO_MANY_VOLUMES, f"{size_bytes} bytes")
        if errand.job.fetching is not None:
            await self._jobs.keep_apart(errand.job)
        async with self._cut(errand, remote) as (cut, uncut):
            return await self._in_volumes.carry(errand, remote, cut, uncut=uncut)

    @asynccontextmanager
    async def _cut(self, errand: Errand, remote: RemoteFile) -> AsyncIterator[tuple[Cut, bool]]:
        """`remote` in volumes: a film's play if that can be had (and whether that was tried in vain)."""
        kept = await self._volumes.of(errand.job)
        was_raw = any(not volume.plays for volume in kept.values())
        is_film = self._sources.is_film(remote)
        async with AsyncExitStack() as exits:
            cut: Cut | None = None
            if is_film and not was_raw:
                try:
                    cut = await exits.enter_async_context(
                        self._sources.pieces(
                            remote,
                            self._volume_bytes,
                            lambda done_bytes: errand.report(Phase.PREPARING, done_bytes),
                        )
                    )
                except CannotCut as error:
                    _log.warning("a film goes in raw volumes", job=errand.job.id, cause=str(error))
            if cut is None:
                cut = await exits.enter_async_context(RawVolumes(remote, self._volume_bytes))
            yield cut, is_film and not cut.plays
