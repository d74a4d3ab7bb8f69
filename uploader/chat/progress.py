"""One status message per job, edited as the job fares, at a pace that earns no flood wait.

Bots that edited every second or two were made to wait for minutes; one edit in five seconds is what held in
the field. A busy account skips edits, never the last one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from uploader import limits
from uploader.chat import choice, keyboards, list_card
from uploader.chat.choice import Card
from uploader.chat.file_card import FileCard
from uploader.errors import FloodWait, NoAnswer, Reason, StorageUnavailable, TelegramError
from uploader.model import ENDED, Job, JobState, Phase, Progress
from uploader.posts import message_of
from uploader.speed import Speed, eta_s
from uploader.storage.choices import Choices
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.supervision import every
from uploader.telegram.gateway import Gateway, Keyboard
from uploader.telegram.turns import Urgency
from uploader.texts import Texts, bar
from uploader.verdicts import Place, Refused
from uploader.wishes import ASK, Offer

EDIT_S: Final = 5.0
#: An edit that would show nothing new is not made: the difference must be at least this part of the whole.
EDIT_SHARE: Final = 0.01
TICK_S: Final = 1.0
#: What a worker leaves a job as, if not for another worker.
_LEFT: Final = ENDED | {JobState.WAITING_CHOICE}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Shown:
    """A running job, what is known of it and what its message shows."""

    job: Job
    latest: Progress | None = None
    speed: Speed = field(default_factory=Speed)
    text: str = ""
    share: float = -1.0
    parked_until: float | None = None
    at: float = 0.0


class StatusMessages:
    """A watcher of the worker that speaks in the chat."""

    def __init__(
        self,
        gateway: Gateway,
        jobs: Jobs,
        people: People,
        choices: Choices,
        texts: Texts,
        clock: Callable[[], float] = time.time,
        *,
        batch_changed: Callable[[int], None] = lambda batch_id: None,
    ) -> None:
        """`clock` gives epoch seconds; `batch_changed` is told of jobs that the card of their batch shows."""
        self._batch_changed = batch_changed
        self._gateway = gateway
        self._jobs = jobs
        self._people = people
        self._choices = choices
        self._texts = texts
        self._clock = clock
        self._shown: dict[int, _Shown] = {}

    def started(self, job: Job) -> None:
        """A worker took the job."""
        self._shown[job.id] = _Shown(job, at=self._clock() - EDIT_S + TICK_S)

    def progress(self, progress: Progress) -> None:
        """The job came further; shown at the next tick that is due."""
        shown = self._shown.get(progress.job_id)
        if shown is not None:
            shown.latest = progress
            if progress.phase is Phase.UPLOADING:
                shown.speed.report(self._clock(), progress.done_bytes)

    async def ended(self, job: Job) -> None:
        """The job left the worker: say how, now."""
        self._shown.pop(job.id, None)
        if job.state is not JobState.RUNNING:
            await self.show(job)

    def running(self) -> list[tuple[Progress, float]]:
        """How the running jobs fare, each with its speed in bytes per second, oldest first."""
        now = self._clock()
        return [
            (shown.latest, shown.speed.bytes_s(now))
            for shown in self._shown.values()
            if shown.latest is not None
        ]

    async def show(self, job: Job, place: Place | None = None, *, is_late: bool = False) -> None:
        """Bring the job's status message up to its state; a failure without one is told in a new message.

        `is_late`: its person did not do in time what the job waited for. A job that a worker took and left
        meanwhile is shown as it then is.
        """
        if job.batch_id is not None:
            self._batch_changed(job.batch_id)
            return
        try:
            job = await self._left(job) or job
            text, keyboard = await self._drawn(job, place or Place(ahead=0), is_late=is_late)
            if job.status_message_id is not None:
                await self._edit(job, text, keyboard)
                if job.state is JobState.WAITING_CHOICE:
                    await self._choices.shown(job.id)
                if (left := await self._left(job)) is not None:
                    await self.show(left)
            elif job.state is JobState.FAILED:
                await self._say(job, text, keyboard)
        except TelegramError as error:
            _log.warning("status not shown", job=job.id, cause=str(error))

    async def _left(self, job: Job) -> Job | None:
        """A job that was queued, as it is if a worker is through with it."""
        current = await self._jobs.get(job.id) if job.state is JobState.QUEUED else None
        return current if current is not None and current.state in _LEFT else None

    async def ask(self, job: Job) -> None:
        """Put the question that a job waits for into a new message.

        Raises:
            ChatUnreachable, FloodWait, TelegramError
        """
        await self._say(job, *await self._drawn(job, Place(ahead=0)))
        await self._choices.shown(job.id)

    async def ask_again(self) -> None:
        """Show questions in new messages that their people could not see so far."""
        for job in await self._choices.unseen():
            try:
                await self.ask(job)
            except (FloodWait, NoAnswer) as error:
                _log.warning("question not shown", job=job.id, cause=str(error))
                return
            except TelegramError as error:
                _log.warning("question shown to nobody", job=job.id, cause=str(error))
                await self._choices.shown(job.id)

    async def card(self, job: Job, offer: Offer) -> Card:
        """The question that a job waits for."""
        return Card(self._texts, job, offer, await self._people.over_cap(job.user_id))

    async def run(self) -> None:
        """Edit the messages of running jobs for as long as the engine runs."""
        await every(TICK_S, "status messages", self._tick)

    async def _tick(self) -> None:
        # the one that waited longest first: when the account is busy, each has its turn
        for shown in sorted(self._shown.values(), key=lambda shown: shown.at):
            is_due = shown.job.batch_id is None and self._clock() - shown.at >= EDIT_S
            if shown.latest is not None and is_due:
                await self._refresh(shown, shown.latest)

    async def _refresh(self, shown: _Shown, latest: Progress) -> None:
        if shown.job.status_message_id is None:
            shown.job = await self._jobs.get(shown.job.id) or shown.job
        share = latest.done_bytes / latest.total_bytes if latest.total_bytes else 0.0
        now = self._clock()
        text = progress_text(self._texts, shown.job, latest, shown.speed.bytes_s(now), now)
        worth = (
            not latest.total_bytes
            or share - shown.share >= EDIT_SHARE
            or latest.phase is Phase.FINISHING
            or latest.parked_until != shown.parked_until
        )
        if shown.job.status_message_id is None or text == shown.text or not worth:
            return
        keyboard = keyboards.cancel(self._texts, shown.job.language, shown.job.id)
        try:
            if await self._edit(shown.job, text, keyboard, skippable=True):
                shown.text, shown.share, shown.at = text, share, self._clock()
                shown.parked_until = latest.parked_until
        except (TelegramError, StorageUnavailable) as error:
            # the next edit is tried twice as late; the last one will be tried anyway
            shown.at = self._clock() + EDIT_S
            _log.warning("progress not shown", job=shown.job.id, cause=str(error))

    async def _drawn(self, job: Job, place: Place, *, is_late: bool = False) -> tuple[str, Keyboard]:
        """What the status message of a job that does not run says, and its buttons."""
        if job.state is JobState.WAITING_CHOICE and job.offer is not None:
            return await self._question(job, job.offer)
        text = self._text_of_state(job, place)
        if is_late and job.state is JobState.CANCELLED:
            text = self._text_of_late(job)
        keyboard = self._keyboard(job)
        was_chosen = job.state in (JobState.QUEUED, JobState.DONE) and job.wish.format != ASK
        if was_chosen and message_of(job.link) is None and await self._people.preset(job.user_id) == ASK:
            keyboard = [*keyboard, *choice.always(self._texts, job)]
        return text, keyboard

    async def _question(self, job: Job, offer: Offer) -> tuple[str, Keyboard]:
        if offer.kind == "list":
            return list_card.card(self._texts, job, offer)
        is_file = offer.kind == "file"
        card = FileCard(self._texts, job, offer) if is_file else await self.card(job, offer)
        return card.text(), card.keyboard()

    def _text_of_late(self, job: Job) -> str:
        if job.offer is None:
            return self._texts.get(job.language, "sponsors-expired")
        wait = self._texts.duration(job.language, limits.WAITING_CHOICE_S)
        return self._texts.get(job.language, "choice-expired", wait=wait)

    def _text_of_state(self, job: Job, place: Place) -> str:
        get, language = self._texts.get, job.language
        if job.state is JobState.DONE:
            size = self._texts.size(language, job.size_bytes or 0)
            return get(language, "done", name=job.name or job.link.host, total=size)
        if job.state is JobState.FAILED:
            return get(language, "failed", reason=self.reason(job, job.reason or Reason.INTERNAL))
        if job.state is JobState.CANCELLED:
            return get(language, "cancelled")
        if job.reason is not None:
            wait = self._texts.duration(language, job.run_at - self._clock())
            return get(language, "retrying", reason=self.reason(job, job.reason), wait=wait)
        return queued_text(self._texts, language, place)

    def reason(self, job: Job, reason: Reason) -> str:
        """A cause in the person's words."""
        return reason_text(self._texts, job.language, reason, job.id)

    async def _edit(self, job: Job, text: str, keyboard: Keyboard, *, skippable: bool = False) -> bool:
        person = await self._people.get(job.user_id)
        if person is None or job.status_message_id is None:
            return False
        return await self._gateway.edit(person, job.status_message_id, text, keyboard, skippable=skippable)

    async def _say(self, job: Job, text: str, keyboard: Keyboard) -> None:
        person = await self._people.get(job.user_id)
        if person is not None:
            message_id = await self._gateway.say(person, text, keyboard, urgency=Urgency.MESSAGE)
            await self._jobs.set_status_message(job.id, message_id)

    def _keyboard(self, job: Job) -> Keyboard:
        if job.state is JobState.FAILED and job.reason is not Reason.CHAT_UNREACHABLE:
            return keyboards.again(self._texts, job.language, job.id)
        return () if job.state in ENDED else keyboards.cancel(self._texts, job.language, job.id)


def queued_text(texts: Texts, language: str, place: Place) -> str:
    """Where a queued job stands, in the person's words."""
    if place.behind_own:
        return texts.get(language, "queued-own")
    if place.wait_s is None:
        return texts.get(language, "queued", ahead=place.ahead)
    wait = texts.duration(language, place.wait_s)
    return texts.get(language, "queued-wait", ahead=place.ahead, wait=wait)


def reason_text(texts: Texts, language: str, reason: Reason, job_id: int = 0) -> str:
    """A cause in the person's words, with what to do next."""
    return texts.get(language, f"reason-{reason.value}", cap=texts.cap(language), job=job_id)


def refusal_text(texts: Texts, language: str, refused: Refused) -> str:
    """Why nothing was kept of what the person asked for, and when it may go better."""
    wait = texts.duration(language, refused.wait_s)
    return texts.get(language, f"refused-{refused.reason}", count=refused.count, wait=wait)


def progress_text(texts: Texts, job: Job, progress: Progress, speed_bytes_s: float, now: float) -> str:
    """What the status message of a running job says at `now`, in epoch seconds."""
    language, total_bytes = job.language, progress.total_bytes
    name = progress.name or job.link.host
    if progress.phase is Phase.OPENING:
        return texts.get(language, "opening", host=job.link.host)
    done = texts.size(language, progress.done_bytes)
    if progress.phase is Phase.PREPARING and total_bytes is None:
        return texts.get(language, "making", name=name, done=done)
    if progress.phase is Phase.PREPARING:
        total = texts.size(language, total_bytes or 0)
        return texts.get(language, "preparing", name=name, done=done, total=total)
    parked_s = (progress.parked_until or 0.0) - now
    if parked_s > 0:
        return texts.get(language, "parked", name=name, done=done, wait=texts.duration(language, parked_s))
    if progress.phase is Phase.FINISHING:
        return texts.get(language, "finishing", name=name, total=done)
    speed = texts.size(language, speed_bytes_s)
    if total_bytes is None:
        return texts.get(language, "uploading-unknown", name=name, done=done, speed=speed)
    left_s = eta_s(progress.done_bytes, total_bytes, speed_bytes_s)
    return texts.get(
        language,
        "uploading",
        name=name,
        bar=bar(progress.done_bytes, total_bytes),
        percent=texts.percent(language, progress.done_bytes, total_bytes),
        done=done,
        total=texts.size(language, total_bytes),
        speed=speed,
        eta="…" if left_s is None else texts.duration(language, left_s),
    )
