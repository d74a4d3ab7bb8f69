"""The conversation about a film's card: buttons, and answers that say which part is wanted."""

from uploader import links, spans
from uploader.chat.choice import (
    AlwaysWanted,
    CardAsked,
    CutAsked,
    PageAsked,
    Picked,
    Press,
    SubtitleChosen,
    WholeWanted,
    format_name,
)
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.choosing import Beyond, Choosing
from uploader.intake import Incoming, Intake
from uploader.model import Job, Person
from uploader.spans import Span
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts
from uploader.verdicts import Accepted, NeedsSponsors
from uploader.wishes import Offer


class Questions:
    """Says what became of an answer."""

    def __init__(
        self,
        gateway: Gateway,
        intake: Intake,
        choosing: Choosing,
        status: StatusMessages,
        sponsors: SponsorCards,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._intake = intake
        self._choosing = choosing
        self._status = status
        self._sponsors = sponsors
        self._texts = texts

    async def pressed(self, person: Person, query_id: int, message_id: int, press: Press) -> None:
        """A button of a card."""
        if isinstance(press, AlwaysWanted):
            await self._always(person, query_id, press.job_id)
            return
        asked = await self._choosing.asked(press.job_id, person.user_id)
        if asked is None or not await self._answered(person, query_id, message_id, press, asked):
            text = self._texts.get(person.language, "choice-over")
            await self._gateway.answer(query_id, text, alert=True)

    async def hears(self, incoming: Incoming) -> bool:
        """Whether the message is to say which part of a film is wanted; then it is seen to.

        That is a span and nothing else, of somebody who was asked, or any answer to a card but a link.
        """
        person, span = incoming.person, spans.parse(incoming.text)
        if span is None and (incoming.reply_to is None or links.find(incoming.text) is not None):
            return False
        asked = await self._choosing.answered(person.user_id, incoming.reply_to)
        if asked is None or asked[1].kind != "film":
            return False
        if await self._intake.is_new(incoming):
            await self._cut(person, asked, span)
        return True

    async def _cut(self, person: Person, asked: tuple[Job, Offer], span: Span | None) -> None:
        if span is None:
            await self._gateway.say(person, self._texts.get(person.language, "cut-bad"))
            return
        cut = await self._choosing.cut(*asked, span)
        if isinstance(cut, Beyond):
            length = self._texts.clock(person.language, cut.duration_s)
            await self._gateway.say(person, self._texts.get(person.language, "cut-beyond", length=length))
        elif cut is not None:
            await self._status.show(cut)

    async def _answered(
        self, person: Person, query_id: int, message_id: int, press: Press, asked: tuple[Job, Offer]
    ) -> bool:
        """Do what the button says; False: the question does not offer that, or waits no more."""
        changed: Job | Accepted | NeedsSponsors | Beyond | None = asked[0]
        match press:
            case CutAsked():
                text = self._texts.get(person.language, "cut-how")
                await self._gateway.answer(query_id, text, alert=True)
                return True
            case PageAsked(page=page):
                await self._gateway.answer(query_id)
                await self._status.ask_languages(person, message_id, *asked, page)
                return True
            case Picked(key=key):
                changed = await self._choosing.choose(*asked, key)
            case SubtitleChosen(number=number):
                changed = await self._choosing.subtitle(*asked, number)
            case WholeWanted():
                changed = await self._choosing.cut(*asked, None)
            case CardAsked():
                pass
        if isinstance(changed, Accepted):
            await self._gateway.answer(query_id)
            await self._status.show(changed.job, changed.place)
        elif isinstance(changed, NeedsSponsors):
            await self._gateway.answer(query_id)
            await self._sponsors.show([changed.job], changed.dues)
        elif isinstance(changed, Job):
            await self._gateway.answer(query_id)
            await self._status.show(changed)
        return isinstance(changed, Accepted | NeedsSponsors | Job)

    async def _always(self, person: Person, query_id: int, job_id: int) -> None:
        wanted = await self._choosing.always(job_id, person.user_id)
        if wanted is None:
            text = self._texts.get(person.language, "too-late")
            await self._gateway.answer(query_id, text)
            return
        name = format_name(self._texts, person.language, wanted)
        text = self._texts.get(person.language, "settings-changed", format=name)
        await self._gateway.answer(query_id, text)
