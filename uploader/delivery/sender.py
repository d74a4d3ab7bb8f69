"""Sends one file of a job by one carrier, and sees that Telegram holds what was sent."""

from dataclasses import dataclass

import structlog

from uploader import limits
from uploader.delivery.lease import Lease
from uploader.delivery.report import Reporter
from uploader.errors import PartsLost, Reason, TransferError
from uploader.model import Caption, Checkpoint, Delivered, Job, Person, Phase, RemoteFile, Uploaded
from uploader.places import Place
from uploader.telegram.gateway import Gateway
from uploader.transfer import all_but, pictured, upload
from uploader.transfer.carriers import Carrier

_log = structlog.get_logger(__name__)


class NotWhole(TransferError):
    """Telegram held something else than was sent: the message was taken back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """One job on its way."""

    job: Job
    person: Person
    report: Reporter
    lease: Lease
    place: Place


class Sender:
    """Sends a file, of which `before_bytes` came in volumes before."""

    def __init__(self, errand: Errand, carrier: Carrier, gateway: Gateway, *, before_bytes: int = 0) -> None:
        self._errand = errand
        self._carrier = carrier
        self._gateway = gateway
        self._before_bytes = before_bytes

    async def upload(
        self, remote: RemoteFile, checkpoint: Checkpoint | None, *, digest: bool = False
    ) -> Uploaded:
        """See `transfer.upload`; what Telegram has of it is kept in the job's row."""
        errand, carrier = self._errand, self._carrier

        uploaded = await upload(
            remote,
            carrier.pool,
            checkpoint=checkpoint,
            save=errand.lease.save,
            report=lambda done_bytes: self._report(Phase.UPLOADING, done_bytes),
            parked=errand.report.parked,
            digest=digest,
            cap_bytes=carrier.cap_bytes,
        )
        self._report(Phase.FINISHING, uploaded.size_bytes)
        return uploaded

    async def describe(self, remote: RemoteFile, uploaded: Uploaded) -> Uploaded:
        """What was uploaded of `remote`, with what a chat shows of a film or a song."""
        facts = None if remote.facts is None else await remote.facts()
        return await pictured(uploaded, facts, self._carrier.pool)

    async def post(
        self, remote: RemoteFile, uploaded: Uploaded, random_id: int, caption: Caption
    ) -> Delivered:
        """Post what was uploaded of `remote`. Parts that Telegram lost it gets again.

        Raises:
            NotWhole, and what `transfer.upload` and `Gateway.deliver` raise.
        """
        carrier = self._carrier
        for _ in range(limits.PARTS_SENT_AGAIN):
            try:
                delivered = await carrier.post(
                    self._errand.person, uploaded, random_id, caption, self._errand.job.message_id
                )
            except PartsLost as lost:
                checkpoint = all_but(lost.part, uploaded, remote.validator, carrier.pool.account)
                if checkpoint is None:
                    raise
                _log.warning("parts lost: sent again", job=self._errand.job.id, part=lost.part)
                again = await self.upload(remote, checkpoint)
                uploaded = await pictured(again, uploaded.facts, carrier.pool)
            else:
                await self._compare(uploaded, delivered)
                return delivered
        raise PartsLost(Reason.UPLOAD_FAILED, "one after the other")

    async def _compare(self, uploaded: Uploaded, delivered: Delivered) -> None:
        """A file that is not whole must not stay in the chat; what it is called is Telegram's own affair."""
        if delivered.size_bytes not in {None, uploaded.size_bytes} and delivered.message_id is not None:
            await self._gateway.withdraw(delivered.message_id)
            held = f"Telegram holds {delivered.size_bytes} of {uploaded.size_bytes} bytes"
            raise NotWhole(Reason.UPLOAD_FAILED, held)
        if delivered.name not in {None, uploaded.name}:
            _log.info("Telegram changed the name of the file", job=self._errand.job.id)

    def _report(self, phase: Phase, done_bytes: int) -> None:
        self._errand.report(phase, self._before_bytes + done_bytes)
