"""The conversation about a list's card: buttons, and answers that say which entries are wanted."""

from collections.abc import Sequence

from uploader import links, ranges
from uploader.batch import Batched
from uploader.chat.batch_cards import BatchCards
from uploader.chat.list_card import ListPressed
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.status_words import reason_text, refusal_text
from uploader.choosing import Choosing
from uploader.errors import Reason
from uploader.intake import Incoming, Intake
from uploader.model import Job, Person
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts
from uploader.verdicts import Accepted, NeedsSponsors, NoLink, Refused
from uploader.wishes import Offer


class Lists:
    """Says what became of an answer."""

    def __init__(
        self,
        gateway: Gateway,
        intake: Intake,
        choosing: Choosing,
        status: StatusMessages,
        cards: BatchCards,
        sponsors: SponsorCards,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._intake = intake
        self._choosing = choosing
        self._status = status
        self._cards = cards
        self._sponsors = sponsors
        self._texts = texts

    async def pressed(self, person: Person, query_id: int, pressed: ListPressed) -> None:
        """A button of a card: a list's, or that of a file with links under it."""
        asked = await self._choosing.asked(pressed.job_id, person.user_id)
        if asked is None or not asked[1].entries:
            text: str | None = self._texts.get(person.language, "choice-over")
        elif pressed.first is None:
            text = await self._all_as(person, asked[0], pressed.wanted)
        else:
            last = pressed.first or len(asked[1].entries)
            text = await self._pick(person, asked, range(1, last + 1))
        await self._gateway.answer(query_id, text or "", alert=text is not None)

    async def hears(self, incoming: Incoming) -> bool:
        """Whether the message is to say which entries of a list are wanted; then it is seen to.

        That is numbers and nothing else, of somebody who was asked last of a list, or any answer to the card
        of one but a link.
        """
        person, is_answer = incoming.person, incoming.reply_to is not None
        if not is_answer and ranges.parse(incoming.text, 1) is None:
            return False
        if links.find(incoming.text) is not None:
            return False
        asked = await self._choosing.answered(person.user_id, incoming.reply_to)
        if asked is None or asked[1].kind != "list":
            return False
        if await self._intake.is_new(incoming):
            numbers = ranges.parse(incoming.text, len(asked[1].entries))
            text = await self._pick(person, asked, numbers or ())
            if text is not None:
                await self._gateway.say(person, text)
        return True

    async def _all_as(self, person: Person, job: Job, wanted: str) -> str | None:
        changed = await self._choosing.all_as(job, wanted)
        if changed is None:
            return self._texts.get(person.language, "choice-over")
        await self._status.show(changed)
        return None

    async def _pick(self, person: Person, asked: tuple[Job, Offer], numbers: Sequence[int]) -> str | None:
        """Queue these entries; returns why that was not done."""
        if not numbers:
            return self._texts.get(person.language, "list-bad", last=len(asked[1].entries))
        match await self._intake.pick(*asked, numbers):
            case Batched(jobs=jobs, dues=dues) if dues:
                await self._sponsors.show(jobs, dues)
            case NeedsSponsors(job=job, dues=dues):
                await self._sponsors.show([job], dues)
            case Batched(batch=batch):
                await self._cards.draw(batch.id)
            case Accepted(job=job, place=place):
                await self._status.show(job, place)
            case Refused() as refused:
                return refusal_text(self._texts, person.language, refused)
            case NoLink(reason=reason):
                why = reason_text(self._texts, person.language, reason or Reason.MALFORMED)
                return self._texts.get(person.language, "bad-link", reason=why)
            case None:
                return self._texts.get(person.language, "choice-over")
        return None
