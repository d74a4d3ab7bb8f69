"""Brings a file above the cap in volumes: each is a message of its own, and arrives once.

A volume is noted, with the random_id of its message, before it is sent. An attempt that comes later looks at
those that are in the chat: if the source still has the same bytes, it goes on behind them; else all of them
are taken back, and it begins anew.
"""

from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from uploader import limits
from uploader.captions import Captions
from uploader.delivery.manifest import caption as volume_caption
from uploader.delivery.manifest import manifest
from uploader.delivery.sender import Errand, NotWhole, Sender
from uploader.errors import PartsLost, Reason, SourceError, SourceTemporary
from uploader.model import Delivered, MediaFacts, OverCap, RemoteFile, Uploaded, Volume
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.volumes import Volumes
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.telegram.turns import Urgency
from uploader.texts import Texts
from uploader.transfer.carriers import Carriers
from uploader.transfer.volumes import sha256_of


class Cut(Protocol):
    """A file in volumes, which are read one after the other."""

    @property
    def plays(self) -> bool:
        """Whether each volume plays by itself."""

    @property
    def count(self) -> int | None:
        """How many there are; None: nobody knows before the last one was read."""

    @property
    def sha256_hex(self) -> str | None:
        """Of the whole file, once all was read; None: it was not."""

    async def ended(self) -> bool:
        """Whether the volumes so far are all."""

    def next(self) -> RemoteFile:
        """The next one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The file was no larger than one volume after all, and was delivered as what it is."""

    delivered: Delivered
    facts: MediaFacts | None


class VolumeDelivery:
    """Sends all volumes of a file, and what they are."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        volumes: Volumes,
        people: People,
        carriers: Carriers,
        gateway: Gateway,
        texts: Texts,
        captions: Captions,
    ) -> None:
        self._jobs = jobs
        self._volumes = volumes
        self._people = people
        self._carriers = carriers
        self._gateway = gateway
        self._texts = texts
        self._captions = captions

    async def carry(
        self, errand: Errand, remote: RemoteFile, cut: Cut, *, uncut: bool = False
    ) -> Delivered | Whole:
        """Deliver `remote`, which is `cut`. Returns the message that tells of the volumes.

        `uncut`: see `manifest`.
        """
        kept = await self._volumes.of(errand.job)
        sent: list[Volume] = []
        for number in count(1):
            volume, before_bytes = cut.next(), sum(each.size_bytes for each in sent)
            if (there := kept.get(number)) is not None and there.is_sent:
                await self._verify(errand, kept, there, volume)
                sent.append(there)
            else:
                errand.report.file = replace(remote, name=volume.name)
                bringing = await self._bring(errand, remote, cut, volume, number, before_bytes)
                if isinstance(bringing, Whole):
                    return bringing
                sent.append(bringing)
            if await cut.ended():
                break
            if number == limits.VOLUMES:
                await self._take_back(errand, await self._volumes.of(errand.job))
                raise SourceError(Reason.TOO_MANY_VOLUMES, f"more than {number}")
        total_bytes = sum(each.size_bytes for each in sent)
        await self._jobs.note_file(errand.job, remote.name, total_bytes)
        return await self._tell(errand, remote, cut, sent, uncut=uncut)

    async def _bring(
        self, errand: Errand, remote: RemoteFile, cut: Cut, volume: RemoteFile, number: int, before_bytes: int
    ) -> Volume | Whole:
        """Upload and post one volume."""
        checkpoint = errand.job.checkpoint
        account = "" if checkpoint is None else checkpoint.account
        async with self._carriers.use(volume.size_bytes, account) as carrier:
            sender = Sender(errand, carrier, self._gateway, before_bytes=before_bytes)
            try:
                uploaded = await sender.upload(volume, checkpoint, digest=True)
                if number == 1 and cut.count is None:
                    if await cut.ended():
                        return await self._post_whole(errand, sender, remote, uploaded)
                    if await self._people.over_cap(errand.person.user_id) is OverCap.REFUSE:
                        raise SourceError(Reason.TOO_LARGE, f"more than {uploaded.size_bytes} bytes")
                return await self._post(errand, sender, remote, cut, volume, uploaded, number)
            except PartsLost:
                await self._jobs.forget_checkpoint(errand.job)
                raise

    async def _post(
        self,
        errand: Errand,
        sender: Sender,
        remote: RemoteFile,
        cut: Cut,
        volume: RemoteFile,
        uploaded: Uploaded,
        number: int,
    ) -> Volume:
        row = Volume(
            number=number,
            name=volume.name,
            size_bytes=uploaded.size_bytes,
            validator=volume.validator,
            sha256_hex=uploaded.sha256_hex,
            plays=cut.plays,
        )
        uploaded = await sender.describe(volume, uploaded)
        random_id = await self._volumes.reserve(errand.job, row, new_random_id())
        await errand.lease.begin_sending()
        under = volume_caption(self._texts, errand.job.language, remote.name, number, cut.count)
        try:
            delivered = await sender.post(volume, uploaded, random_id, under)
        except NotWhole:
            await self._volumes.forget_random_id(errand.job, number, new_random_id())
            raise
        await self._volumes.sent(errand.job, number, delivered.message_id)
        errand.lease.sending.clear()
        return row

    async def _post_whole(
        self, errand: Errand, sender: Sender, remote: RemoteFile, uploaded: Uploaded
    ) -> Whole:
        uploaded = replace(uploaded, name=remote.name, mime_type=remote.mime_type)
        uploaded = await sender.describe(remote, uploaded)
        await self._jobs.note_file(errand.job, remote.name, uploaded.size_bytes)
        random_id = await self._jobs.reserve_random_id(errand.job, new_random_id())
        await errand.lease.begin_sending()
        try:
            caption = self._captions.of_upload(errand.job, uploaded)
            return Whole(await sender.post(remote, uploaded, random_id, caption), uploaded.facts)
        except NotWhole:
            await self._jobs.forget_random_id(errand.job)
            raise

    async def _verify(
        self, errand: Errand, kept: dict[int, Volume], there: Volume, volume: RemoteFile
    ) -> None:
        """See that what is in the chat is what the source has. Raises SourceTemporary (CHANGED)."""
        if volume.validator is not None:
            is_same = volume.validator == there.validator
        else:
            is_same = await sha256_of(volume) == (there.size_bytes, there.sha256_hex)
        if not is_same:
            await self._take_back(errand, kept)
            raise SourceTemporary(Reason.CHANGED, f"volume {there.number} was another before")

    async def _take_back(self, errand: Errand, kept: dict[int, Volume]) -> None:
        await errand.lease.renew()
        for volume in kept.values():
            if volume.message_id is not None:
                await self._gateway.withdraw(volume.message_id)
        await self._volumes.forget(errand.job)

    async def _tell(
        self, errand: Errand, remote: RemoteFile, cut: Cut, sent: list[Volume], *, uncut: bool
    ) -> Delivered:
        text = manifest(
            self._texts, errand.job.language, remote.name, sent, sha256_hex=cut.sha256_hex, uncut=uncut
        )
        random_id = await self._jobs.reserve_random_id(errand.job, new_random_id())
        await errand.lease.begin_sending()
        message_id = await self._gateway.say(
            errand.person,
            text,
            urgency=Urgency.MESSAGE,
            random_id=random_id,
            reply_to=errand.job.message_id,
        )
        return Delivered(message_id=message_id)
