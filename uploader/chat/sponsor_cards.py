"""The card that says which channels are still to be joined: owed until it was shown, changed as they are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from uploader.chat import keyboards
from uploader.chat.in_turn import InTurn
from uploader.chat.once import random_id_of
from uploader.chat.progress import StatusMessages
from uploader.errors import FloodWait, MessageGone, NoAnswer, TelegramError
from uploader.model import Dues, Job, JobState, Person, Sponsor
from uploader.names import one_line
from uploader.sponsors import Look, SponsorLocks
from uploader.storage.batches import Batches
from uploader.storage.holds import Holds
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.supervision import FaultBarrier, Helpers
from uploader.telegram.gateway import Gateway, Keyboard
from uploader.telegram.turns import Urgency
from uploader.texts import Texts

#: People to whom looks are shown at once; who comes then is looked at later.
SHOWN_AT_ONCE: Final = 200

_log = structlog.get_logger(__name__)


class SponsorCards:
    """Shows what is owed in the status message of a job, or in the card of a batch."""

    def __init__(
        self,
        gateway: Gateway,
        locks: SponsorLocks,
        holds: Holds,
        jobs: Jobs,
        batches: Batches,
        people: People,
        rates: Rates,
        status: StatusMessages,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._locks = locks
        self._holds = holds
        self._jobs = jobs
        self._batches = batches
        self._people = people
        self._rates = rates
        self._status = status
        self._texts = texts
        self._looking = InTurn()
        self._barrier = FaultBarrier("cards of people who wait for sponsors")
        self._being_shown = Counter[int]()  # people, to whom looks are being shown

    async def show(self, jobs: Sequence[Job], dues: Dues, *, urgency: Urgency = Urgency.ANSWER) -> None:
        """Show what holds these jobs, which share a card; then it is owed no more.

        Who comes while it is being shown waits, and shows only what has changed since.

        Raises:
            ChatUnreachable, FloodWait, TelegramError
        """
        async with self._looking.of_card(jobs[0]):
            first, person = await self._jobs.get(jobs[0].id), await self._people.get(jobs[0].user_id)
            if first is None or person is None:
                return
            if first.state is JobState.WAITING_SPONSORS and first.dues_shown != dues.written:
                await self._locks.ask(person.user_id, dues)
                async with self._status.in_turn.of_card(first):
                    await self._put(person, first, dues, urgency)
                    await self._holds.shown(jobs, dues)
                first = await self._jobs.get(first.id) or first
            if first.state is not JobState.WAITING_SPONSORS:
                place = await self._rates.place(first) if first.state is JobState.QUEUED else None
                await self._status.show(first, place)  # it was faster than its card

    async def looked(self, look: Look) -> None:
        """Show what came of a look: those who go on, and what has changed for those who do not."""
        for job in look.admitted:
            await self._status.show(job, await self._rates.place(job))
        changed = [job for job in look.held if job.dues_shown != look.dues.written]
        for jobs in _by_card(changed):
            try:
                await self.show(jobs, look.dues, urgency=Urgency.MESSAGE)
            except (FloodWait, NoAnswer) as error:
                _log.warning("sponsors' card not shown", job=jobs[0].id, cause=str(error))
            except TelegramError as error:
                _log.warning("sponsors' card shown to nobody", job=jobs[0].id, cause=str(error))
                await self._holds.shown(jobs, look.dues)

    async def look_around(self, helpers: Helpers) -> None:
        """The looks that are due; see `SponsorLocks.looks`. One whose chat has to wait holds up no other."""
        if len(self._being_shown) >= SHOWN_AT_ONCE:
            return
        for look in await self._locks.looks():
            person = next((job.user_id for job in (*look.admitted, *look.held)), None)
            if person is not None and (look.admitted or person not in self._being_shown):
                helpers.start(self._look_shown(person, look), name=f"what {person} owes")

    async def _look_shown(self, user_id: int, look: Look) -> None:
        self._being_shown[user_id] += 1
        try:
            with self._barrier:
                await self.looked(look)
        finally:
            self._being_shown -= Counter({user_id: 1})  # and what is 0 goes

    async def pressed(self, person: Person, query_id: int) -> None:
        """The button "I have joined"."""
        look = await self._locks.look(person.user_id)
        text = self._still_owed(person.language, look.dues)
        await self._gateway.answer(query_id, text, alert=bool(text))
        await self.looked(look)

    def _still_owed(self, language: str, dues: Dues) -> str:
        if dues.missing:
            count, titles = len(dues.missing), _titles(dues.missing)
            return self._texts.get(language, "sponsors-missing", count=count, titles=titles)
        if dues.unsure:
            return self._texts.get(language, "sponsors-unsure", titles=_titles(dues.unsure))
        return ""

    def _drawn(self, language: str, dues: Dues) -> tuple[str, Keyboard]:
        unsure = self._texts.get(language, "sponsors-unsure", titles=_titles(dues.unsure))
        if not dues.missing:
            return self._texts.get(language, "sponsors-wait", unsure=unsure), ()
        text = self._texts.get(language, "sponsors", count=len(dues.missing))
        keyboard = keyboards.sponsor_card(self._texts, language, dues.missing)
        return "\n\n".join([text, unsure] if dues.unsure else [text]), keyboard

    async def _put(self, person: Person, job: Job, dues: Dues, urgency: Urgency) -> None:
        """Into the message that shows how the job fares, or a new one if there is none any more."""
        current = await self._jobs.get(job.id)
        if current is None or current.state is not JobState.WAITING_SPONSORS:
            return  # what it became since was shown there
        text, keyboard = self._drawn(job.language, dues)
        card_id = await self._card_of(current)
        if card_id is not None:
            try:
                await self._gateway.edit(person, card_id, text, keyboard)
                return
            except MessageGone:
                pass  # they deleted it, and are still owed it
        random_id = random_id_of("owes", job.id, job.updated_at, dues.written, card_id)
        card_id = await self._gateway.say(person, text, keyboard, urgency=urgency, random_id=random_id)
        if card_id is None:
            card_id = await self._gateway.find(person, job.message_id, [keyboards.JOINED])
        if card_id is None:
            return  # it is there, and nobody knows where
        if job.batch_id is not None:
            await self._batches.set_card(job.batch_id, card_id)
        else:
            await self._jobs.set_status_message(job.id, card_id)

    async def _card_of(self, job: Job) -> int | None:
        if job.batch_id is None:
            return job.status_message_id
        batch = await self._batches.get(job.batch_id)
        return None if batch is None else batch.status_message_id


def _by_card(jobs: Iterable[Job]) -> list[list[Job]]:
    cards: dict[tuple[str, int], list[Job]] = {}
    for job in jobs:
        card = ("job", job.id) if job.batch_id is None else ("batch", job.batch_id)
        cards.setdefault(card, []).append(job)
    return list(cards.values())


def _titles(sponsors: Sequence[Sponsor]) -> str:
    return ", ".join(one_line(sponsor.title) for sponsor in sponsors)
