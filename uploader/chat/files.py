"""The conversation about a file that a person sent: its name, the words under it, how it is shown."""

from dataclasses import replace
from itertools import islice
from typing import Any, Final

from uploader import links
from uploader.batch import Batched
from uploader.chat.batch_cards import BatchCards
from uploader.chat.commands import CAPTION
from uploader.chat.file_card import FilePressed
from uploader.chat.progress import StatusMessages
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.status_words import refusal_text
from uploader.choosing import Choosing
from uploader.intake import Incoming, Intake
from uploader.model import Job, Person
from uploader.names import renamed
from uploader.telegram.gateway import Gateway
from uploader.telegram.messages import held_in, offer_of
from uploader.template import plain
from uploader.texts import Texts
from uploader.verdicts import Accepted, NeedsSponsors, Refused
from uploader.wishes import FILE_LINKS, ORIGINAL, AlbumFile, Entry, Offer

OVER: Final = "choice-over"
#: A name that somebody writes is no longer; most systems take 255.
_NAME_CHARACTERS: Final = 300


def offered(message: Any, text: str) -> Offer | None:
    """What can be done with the file of a message; None: it has none, or its words mean something else.

    A single picture is taken for what stands around a link, if there is one in the `text`.
    """
    held, album_id = held_in(message), message.grouped_id or 0
    if held is None or held.is_protected:
        return None
    if held.kind == "photo" and not album_id and links.find(text) is not None:
        return None
    found = dict.fromkeys(mention.raw for mention in islice(links.find_all(text), FILE_LINKS))
    offer = replace(offer_of(held), entries=tuple(Entry(link=raw) for raw in found))
    if not album_id:
        return offer
    file = AlbumFile(
        message_id=message.id,
        name=offer.title,
        size_bytes=offer.size_bytes,
        as_document=offer.as_document,
    )
    return replace(offer, album_id=album_id, files=(file,))


class FileQuestions:
    """Composes what becomes of a file. Its card is a status message like those of films."""

    def __init__(
        self,
        gateway: Gateway,
        intake: Intake,
        choosing: Choosing,
        status: StatusMessages,
        sponsors: SponsorCards,
        cards: BatchCards,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._intake = intake
        self._choosing = choosing
        self._status = status
        self._sponsors = sponsors
        self._cards = cards
        self._texts = texts

    async def hears(self, incoming: Incoming) -> bool:
        """Whether the message tells the name of a file, or the words under it; then the card shows that.

        That is an answer to its card, or what is written while a file is what was asked about last:
        `/caption` with words, or one line that is neither another command nor a link.
        """
        name = incoming.text.strip()
        is_caption = incoming.command == CAPTION
        is_name = incoming.command is None and "\n" not in name and len(name) <= _NAME_CHARACTERS
        if not is_caption and (not is_name or links.find(name) is not None):
            return False
        asked = await self._choosing.answered(incoming.person.user_id, incoming.reply_to)
        if asked is None or asked[1].kind != "file" or (len(asked[1].files) > 1 and not is_caption):
            return False
        job, offer = asked
        if is_caption:
            wish = replace(job.wish, caption=plain("".join(name.split(maxsplit=1)[1:])).text)
        else:
            wish = replace(job.wish, name=renamed(job.wish.name or offer.title, name, None))
        if await self._intake.is_new(incoming):
            composed = await self._choosing.note(job, wish)
            if composed is not None:
                await self._status.show(composed)
        return True

    async def pressed(self, person: Person, query_id: int, message_id: int, press: FilePressed) -> None:
        """A button of the card in that message."""
        asked = await self._choosing.asked(press.job_id, person.user_id)
        changed = None
        if asked is not None:
            job, offer = asked  # whose message may not be written down yet: some are fast
            job = replace(job, status_message_id=job.status_message_id or message_id)
            changed = await self._done(job, offer, press.verb)
        if changed is None or isinstance(changed, Refused):
            language = person.language
            text = (
                refusal_text(self._texts, language, changed) if changed else self._texts.get(language, OVER)
            )
            await self._gateway.answer(query_id, text, alert=True)
            return
        await self._gateway.answer(query_id)
        match changed:
            case Accepted(job=job, place=place):
                await self._status.show(job, place)
            case NeedsSponsors(job=job, dues=dues):
                await self._sponsors.show([job], dues)
            case Batched(jobs=jobs, dues=dues) if dues:
                await self._sponsors.show(jobs, dues)
            case Batched(batch=batch):
                await self._cards.draw(batch.id)
            case Job() as job:
                await self._status.show(job)

    async def _done(
        self, job: Job, offer: Offer, verb: str
    ) -> Job | Accepted | NeedsSponsors | Batched | Refused | None:
        """Do what a button says; None: that cannot be done with this file, or it waits no more."""
        if offer.kind != "file":
            return None
        match verb:
            case "send" if len(offer.files) > 1:
                return await self._intake.send_album(job, offer)
            case "send":
                return await self._choosing.choose(job, offer, ORIGINAL)
            case "doc" | "play" if offer.as_document is (verb == "play"):
                return await self._choosing.note(job, replace(job.wish, as_document=verb == "doc"))
            case "same":
                return await self._choosing.note(job, replace(job.wish, as_document=None))
            case "bare" | "words":
                wish = replace(job.wish, caption="" if verb == "bare" else None)
                return await self._choosing.note(job, wish)
        return None
