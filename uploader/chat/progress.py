"""One status message per job, edited as the job fares, at a pace that earns no flood wait.

Bots that edited every second or two were made to wait for minutes; one edit in five seconds is what held in
the field. A busy account skips edits, never the last one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from cachetools import LRUCache

from uploader.chat import choice, keyboards, list_card
from uploader.chat.choice import Card
from uploader.chat.file_card import FileCard
from uploader.chat.in_turn import InTurn
from uploader.chat.once import random_id_of
from uploader.chat.status_words import progress_text, state_text
from uploader.errors import HELD_UP, FloodWait, MessageGone, Reason, StorageUnavailable, TelegramError
from uploader.model import ENDED, Job, JobState, Person, Phase, Progress
from uploader.posts import message_of
from uploader.speed import Speed
from uploader.storage.choices import Choices
from uploader.storage.jobs import Jobs
from uploader.storage.owed import Owed
from uploader.storage.people import People
from uploader.supervision import every
from uploader.telegram.gateway import Gateway, Keyboard
from uploader.telegram.turns import Urgency
from uploader.texts import Texts
from uploader.verdicts import Place
from uploader.wishes import ASK, Offer

EDIT_S: Final = 5.0
#: An edit that would show nothing new is not made: the difference must be at least this part of the whole.
EDIT_SHARE: Final = 0.01
TICK_S: Final = 1.0
#: What a worker leaves a job as, if not for another worker.
_LEFT: Final = ENDED | {JobState.WAITING_CHOICE}

#: Jobs that were tried, and wait, before their message was there.
UNSAID: Final = 1000

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
        owed: Owed,
        texts: Texts,
        clock: Callable[[], float] = time.time,
        *,
        batch_changed: Callable[[int], None] = lambda batch_id: None,
        in_turn: InTurn | None = None,
    ) -> None:
        """`clock` gives epoch seconds; `batch_changed` is told of jobs that the card of their batch shows.

        `in_turn` is for all who edit these messages, or the cards of batches.
        """
        self._batch_changed = batch_changed
        self._gateway = gateway
        self._jobs = jobs
        self._people = people
        self._choices = choices
        self._owed = owed
        self._texts = texts
        self._clock = clock
        self._shown: dict[int, _Shown] = {}
        self._too_fast: LRUCache[int, Job] = LRUCache(UNSAID)  # for their messages, which are on their way
        self.in_turn = in_turn or InTurn()

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

    async def show(self, job: Job, place: Place | None = None, *, may_be_new: bool = False) -> None:
        """Bring the job's status message up to its state. How it ended is owed until it was said.

        What is said of one job is said in order, and the last word stands: a job that a worker took and left
        meanwhile is shown as it then is. `may_be_new`: without a message, a failure is told in a new one.
        """
        if job.batch_id is not None:
            self._batch_changed(job.batch_id)
            return
        async with self.in_turn.of(job.id):
            try:
                await self._show(job, place or Place(ahead=0), may_be_new=may_be_new)
            except HELD_UP as error:
                _log.warning("status not shown yet", job=job.id, cause=str(error))
                if job.state in ENDED:
                    await self._owed.later(job, error.wait_s if isinstance(error, FloodWait) else 0.0)
            except TelegramError as error:
                _log.warning("status not shown", job=job.id, cause=str(error))
                await self._said(job)

    async def renew(self, job_id: int, place: Place) -> bool:
        """Tell where a job stands that still waits; returns whether there was room for that."""
        turn = self.in_turn.of(job_id)
        if turn.locked():
            return False
        async with turn:
            job = await self._jobs.get(job_id)
            if job is None or job.state is not JobState.QUEUED:
                return False
            try:
                return await self._edit(job, *await self._drawn(job, place), urgency=None)
            except TelegramError as error:  # what is said next tells what is to be done
                _log.info("place in the queue not shown", job=job_id, cause=str(error))
                return not isinstance(error, HELD_UP)

    async def tell(self, job: Job) -> None:
        """Say how a job ended, of which it is not known that it was said.

        Raises:
            FloodWait, TelegramError: its message was not found, but may be there.
        """
        if job.status_message_id is None:
            adopted = await self.adopt(job, None)
            job = replace(job, status_message_id=None if adopted is None else adopted.status_message_id)
        await self.show(job, may_be_new=True)

    async def adopt(self, job: Job, message_id: int | None) -> Job | None:
        """Make a message of ours the one that shows how the job fares, and return the job as it is now.

        `message_id` None: Telegram has it and did not tell its id, so it is looked for by its buttons.
        Returns None if it is not there.
        """
        person = await self._people.get(job.user_id) if message_id is None else None
        if person is not None:
            message_id = await self._gateway.find(person, job.message_id, keyboards.of_job(job.id))
        current = None if message_id is None else await self._jobs.set_status_message(job.id, message_id)
        waits = self._too_fast.pop(job.id, None)
        if current is not None and waits is not None and current.state is JobState.QUEUED:
            current = replace(current, reason=waits.reason)
        return current

    async def _show(self, job: Job, place: Place, *, may_be_new: bool = False) -> None:
        job = await self._left(job) or job
        if await self._is_tried_again(job):
            return
        if job.status_message_id is None:
            if may_be_new:  # else it is on its way, and will then show this; or it was lost: see `tell`
                await self._without(job)
            elif job.reason is not None:
                self._too_fast[job.id] = job
            return
        text, keyboard = await self._drawn(job, place)
        try:
            await self._edit(job, text, keyboard)
        except MessageGone:
            await self._without(job)
            return
        if job.state is JobState.WAITING_CHOICE:
            await self._choices.shown(job.id)
        await self._said(job)
        if (left := await self._left(job)) is not None:
            await self._show(left, place)

    async def _without(self, job: Job) -> None:
        """Say how a job without a message ended, if it failed: all else speaks for itself."""
        person = await self._people.get(job.user_id)
        if job.state is JobState.FAILED and person is not None:
            text, keyboard = await self._drawn(job, Place(ahead=0))
            message_id = await self._gateway.say(
                person,
                text,
                keyboard,
                urgency=Urgency.MESSAGE,
                random_id=random_id_of("ended", job.id, job.updated_at),
                reply_to=job.message_id,
            )
            await self.adopt(job, message_id)
        await self._said(job)

    async def _said(self, job: Job) -> None:
        if job.state in ENDED:
            await self._owed.said(job)

    async def _is_tried_again(self, job: Job) -> bool:
        """Whether a job that had ended goes on, and its message shows that."""
        current = await self._jobs.get(job.id) if job.state in ENDED else None
        return current is not None and current.state not in ENDED

    async def _left(self, job: Job) -> Job | None:
        """A job that was queued, as it is if a worker is through with it."""
        current = await self._jobs.get(job.id) if job.state is JobState.QUEUED else None
        return current if current is not None and current.state in _LEFT else None

    async def ask(self, job: Job) -> None:
        """Put the question that a job waits for into a new message.

        Raises:
            ChatUnreachable, FloodWait, TelegramError
        """
        async with self.in_turn.of(job.id):
            person = await self._people.get(job.user_id)
            if person is not None:
                text, keyboard = await self._drawn(job, Place(ahead=0))
                message_id = await self._gateway.say(
                    person, text, keyboard, urgency=Urgency.MESSAGE, reply_to=job.message_id
                )
                await self.adopt(job, message_id)
            await self._choices.shown(job.id)

    async def ask_again(self) -> None:
        """Show questions in new messages that their people could not see so far."""
        for job in await self._choices.unseen():
            try:
                await self.ask(job)
            except HELD_UP as error:
                _log.warning("question not shown", job=job.id, cause=str(error))
                if not isinstance(error, FloodWait):  # which is of one chat, and holds up no other
                    return
            except TelegramError as error:
                _log.warning("question shown to nobody", job=job.id, cause=str(error))
                await self._choices.shown(job.id)

    async def ask_languages(self, person: Person, message_id: int, job: Job, offer: Offer, page: int) -> None:
        """Show the subtitles that there are in place of the question.

        Raises:
            MessageGone, ChatUnreachable, FloodWait, TelegramError
        """
        text, keyboard = (await self.card(job, offer)).languages(page)
        async with self.in_turn.of(job.id):
            current = await self._jobs.get(job.id)
            if current is not None and current.state is JobState.WAITING_CHOICE:
                await self._gateway.edit(person, message_id, text, keyboard)

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
        turn = self.in_turn.of(shown.job.id)
        if shown.job.status_message_id is None or text == shown.text or not worth or turn.locked():
            return
        keyboard = keyboards.cancel(self._texts, shown.job.language, shown.job.id)
        async with turn:
            if self._shown.get(shown.job.id) is not shown:
                return  # it ended, and that was said
            try:
                if await self._edit(shown.job, text, keyboard, urgency=None):
                    shown.text, shown.share, shown.at = text, share, self._clock()
                    shown.parked_until = latest.parked_until
            except (TelegramError, StorageUnavailable) as error:
                # the next edit is tried twice as late; the last one will be tried anyway
                shown.at = self._clock() + EDIT_S
                _log.warning("progress not shown", job=shown.job.id, cause=str(error))

    async def _drawn(self, job: Job, place: Place) -> tuple[str, Keyboard]:
        """What the status message of a job that does not run says, and its buttons."""
        if job.state is JobState.WAITING_CHOICE and job.offer is not None:
            return await self._question(job, job.offer)
        text, keyboard = state_text(self._texts, job, place, self._clock()), self._keyboard(job)
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

    async def _edit(
        self, job: Job, text: str, keyboard: Keyboard, *, urgency: Urgency | None = Urgency.EDIT
    ) -> bool:
        person = await self._people.get(job.user_id)
        if person is None or job.status_message_id is None:
            return False
        return await self._gateway.edit(person, job.status_message_id, text, keyboard, urgency=urgency)

    def _keyboard(self, job: Job) -> Keyboard:
        if job.state is JobState.FAILED and job.reason is not Reason.CHAT_UNREACHABLE:
            return keyboards.again(self._texts, job.language, job.id)
        return () if job.state in ENDED else keyboards.cancel(self._texts, job.language, job.id)
