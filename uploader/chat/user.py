"""The conversation with a person: commands, links, buttons."""

from collections.abc import Sequence

import structlog

from uploader import limits
from uploader.batch import Batched
from uploader.chat import keyboards
from uploader.chat.albums import AlbumCards
from uploader.chat.batch import BatchChat
from uploader.chat.commands import CAPTION
from uploader.chat.keyboards import AgainPressed, CancelPressed, JoinedPressed
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.status_words import queued_text, reason_text, refusal_text
from uploader.errors import NoAnswer, TelegramError
from uploader.intake import Incoming, Intake, Verdict
from uploader.model import ENDED, Job, JobState, Person
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.telegram.gateway import Gateway, Keyboard
from uploader.telegram.turns import Urgency
from uploader.texts import Texts
from uploader.verdicts import Accepted, Asked, Ignored, NeedsSponsors, NoLink, Refused, TooFast
from uploader.wishes import Offer

_log = structlog.get_logger(__name__)


class UserChat:
    """Says what the intake decided."""

    def __init__(
        self,
        gateway: Gateway,
        intake: Intake,
        people: People,
        rates: Rates,
        status: StatusMessages,
        texts: Texts,
        batches: BatchChat,
        sponsors: SponsorCards,
        albums: AlbumCards,
    ) -> None:
        self._gateway = gateway
        self._intake = intake
        self._people = people
        self._rates = rates
        self._status = status
        self._texts = texts
        self._batches = batches
        self._sponsors = sponsors
        self._albums = albums

    async def start(self, incoming: Incoming) -> None:
        """`/start`"""
        await self._say(incoming.person, "start", name=incoming.person.name)

    async def help(self, incoming: Incoming) -> None:
        """`/help`"""
        await self._say(incoming.person, "help", cap=self._texts.cap(incoming.person.language))

    async def cancel(self, incoming: Incoming) -> None:
        """`/cancel`: everything of this person. What their messages show of it is owed, and comes later."""
        jobs = await self._intake.cancel(incoming.person.user_id)
        if jobs:
            await self._say(incoming.person, "cancelling", count=len(jobs))
        else:
            await self._say(incoming.person, "nothing-to-cancel")

    async def text(self, incoming: Incoming) -> None:
        """Anything that is no command: hopefully a link."""
        await self._tell(incoming, await self._intake.take(incoming))

    async def edited(self, incoming: Incoming, offer: Offer | None) -> None:
        """A message was changed: a link in it may be right now. `offer`: what can be done with its file."""
        await self._tell(incoming, await self._intake.take_edited(incoming, offer))

    async def unknown(self, person: Person, word: str) -> None:
        """A command that is none of ours."""
        await self._say(person, "no-file-asked" if word == CAPTION else "no-such-command")

    async def text_file(self, incoming: Incoming, offer: Offer | None) -> None:
        """A text file: links in it, or else a file like others."""
        verdict = await self._intake.take_text(incoming, lambda: self._batches.read(incoming), offer)
        await self._tell(incoming, verdict)

    async def file(self, incoming: Incoming, offer: Offer) -> None:
        """A file, with which `offer` can be done."""
        await self._tell(incoming, await self._intake.take_file(incoming, offer))

    async def _tell(self, incoming: Incoming, verdict: Verdict) -> None:
        person, language = incoming.person, incoming.person.language
        match verdict:
            case NoLink(reason=None):
                await self._answer(incoming, self._texts.get(language, "no-link"))
            case NoLink(reason=reason) if reason is not None:
                why = reason_text(self._texts, language, reason)
                await self._answer(incoming, self._texts.get(language, "bad-link", reason=why))
            case Refused() as refused:
                await self.refused(incoming, refused)
            case Batched() as batched:
                await self._batches.show(person, batched)
            case Accepted(job=job, place=place):
                text = queued_text(self._texts, language, place)
                keyboard = keyboards.cancel(self._texts, language, job.id)
                await self._open(person, job, text, keyboard)
            case Asked(job=Job(offer=Offer(album_id=album_id)) as job) if album_id:
                self._albums.soon(job)
            case Asked(job=job):
                await self._status.ask(job)
            case NeedsSponsors(job=job, dues=dues):
                await self._sponsors.show([job], dues)

    async def pressed(self, person: Person, query_id: int, data: bytes) -> None:
        """A button under one of our messages."""
        match keyboards.pressed(data):
            case CancelPressed(job_id=job_id):
                await self._cancel_one(person, query_id, job_id)
            case AgainPressed(job_id=job_id):
                await self._again(person, query_id, job_id)
            case JoinedPressed():
                await self._sponsors.pressed(person, query_id)
            case None:
                await self._gateway.answer(query_id)

    async def refused(self, incoming: Incoming, refused: Refused) -> None:
        """Nothing was kept of what the person asked for: say why, and when it may go better."""
        urgency = Urgency.TOO_FAST if isinstance(refused, TooFast) else Urgency.ANSWER
        await self._answer(incoming, refusal_text(self._texts, incoming.person.language, refused), urgency)

    async def put_off(self, person: Person) -> None:
        """What was sent is kept, and cannot be looked at now."""
        await self._say(person, "put-off")

    async def excuse(self, person: Person, query_id: int | None = None) -> None:
        """Something that was asked for, by the button of `query_id` or in a message, cannot be done now."""
        text = self._texts.get(person.language, "not-now")
        try:
            if query_id is None:
                await self._gateway.say(person, text)
            else:
                await self._gateway.answer(query_id, text, alert=True)
        except TelegramError as error:
            _log.warning("excuse not said", user=person.user_id, cause=str(error))

    async def back(self, away_s: float) -> None:
        """The bot was away: tell those whose files waited, which nobody waits for."""
        for user_id, count in await self._rates.kept_waiting(away_s, limits.AWAY_PEOPLE):
            person = await self._people.get(user_id)
            if person is None:
                continue
            wait = self._texts.duration(person.language, away_s)
            text = self._texts.get(person.language, "back", count=count, wait=wait)
            try:
                await self._gateway.say(person, text, urgency=Urgency.BROADCAST)
            except TelegramError as error:
                _log.warning("not told of the absence", user=user_id, cause=str(error))

    async def expired(self, jobs: Sequence[Job]) -> None:
        """These jobs waited too long: for what their people were asked, or in the queue."""
        for job in jobs:
            await self._status.show(job)

    async def _cancel_one(self, person: Person, query_id: int, job_id: int) -> None:
        job = await self._intake.cancel_one(job_id, person.user_id)
        if job is None:
            await self._gateway.answer(query_id, self._texts.get(person.language, "too-late"))
            return
        await self._gateway.answer(query_id, self._texts.get(person.language, "cancelled"))
        if job.state is JobState.CANCELLED:
            await self._status.show(job)

    async def _again(self, person: Person, query_id: int, job_id: int) -> None:
        match await self._intake.again(job_id, person.user_id):
            case Refused() as refused:
                await self._gateway.answer(
                    query_id, refusal_text(self._texts, person.language, refused), alert=True
                )
            case Accepted(job=job, place=place):
                await self._gateway.answer(query_id)
                await self._status.show(job, place)
            case NeedsSponsors(job=job, dues=dues):
                await self._gateway.answer(query_id)
                await self._sponsors.show([job], dues)
            case Ignored():
                return
            case None:
                await self._gateway.answer(query_id, self._texts.get(person.language, "too-late"))

    async def _open(self, person: Person, job: Job, text: str, keyboard: Keyboard) -> None:
        """Say what became of a link, in a message that is from now on the job's status message.

        It is brought up to date if the job was faster. Whether it was heard or not: the job is kept.
        """
        try:
            message_id = await self._gateway.say(person, text, keyboard, reply_to=job.message_id)
        except NoAnswer:
            message_id = None
        try:
            current = await self._status.adopt(job, message_id)
        except TelegramError as error:
            _log.warning("status message not found", job=job.id, cause=str(error))
            return
        if current is None:
            return
        if current.state in ENDED or current.state is JobState.WAITING_CHOICE or current.reason is not None:
            await self._status.show(current)

    async def _answer(self, incoming: Incoming, text: str, urgency: Urgency = Urgency.ANSWER) -> None:
        await self._gateway.say(incoming.person, text, urgency=urgency, reply_to=incoming.message_id)

    async def _say(self, person: Person, key: str, **arguments: str | int) -> None:
        await self._gateway.say(person, self._texts.get(person.language, key, **arguments))
