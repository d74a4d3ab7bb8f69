"""The conversation about several files at once."""

from uploader import limits
from uploader.batch import Batched
from uploader.chat import batch_buttons
from uploader.chat.batch_buttons import BatchPressed
from uploader.chat.batch_cards import BatchCards
from uploader.chat.batch_words import card_text
from uploader.chat.sponsor_cards import SponsorCards
from uploader.chat.status_words import refusal_text
from uploader.chat.text_files import text_of
from uploader.intake import Incoming, Intake
from uploader.model import Person
from uploader.storage.batches import Batches
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts
from uploader.verdicts import Ignored, Refused


class BatchChat:
    """Says what the intake decided about batches."""

    def __init__(
        self,
        gateway: Gateway,
        intake: Intake,
        batches: Batches,
        cards: BatchCards,
        sponsors: SponsorCards,
        texts: Texts,
    ) -> None:
        self._gateway = gateway
        self._intake = intake
        self._batches = batches
        self._cards = cards
        self._sponsors = sponsors
        self._texts = texts

    async def show(self, person: Person, batched: Batched) -> None:
        """Send the card of a new batch."""
        batch, language = batched.batch, person.language
        if batched.dues:
            await self._sponsors.show(batched.jobs, batched.dues)
            return
        text = card_text(self._texts, batch, batched.jobs, {})
        keyboard = batch_buttons.cancel(self._texts, language, batch.id)
        card_id = await self._gateway.say(person, text, keyboard, reply_to=batch.message_id)
        await self._cards.adopt(batch, card_id)

    async def pressed(self, person: Person, query_id: int, message_id: int, pressed: BatchPressed) -> None:
        """A button of a card or of a report."""
        if pressed.wish == "cancel":
            has_changed = await self._cancel(person, query_id, pressed.batch_id)
        else:
            has_changed = await self._again(person, query_id, message_id, pressed.batch_id)
        if has_changed:
            await self._cards.draw(pressed.batch_id)

    async def _cancel(self, person: Person, query_id: int, batch_id: int) -> bool:
        jobs = await self._intake.cancel_batch(batch_id, person.user_id)
        said = "cancelled" if jobs else "too-late"
        await self._gateway.answer(query_id, self._texts.get(person.language, said))
        return bool(jobs)

    async def _again(self, person: Person, query_id: int, message_id: int, batch_id: int) -> bool:
        match await self._intake.batch_again(batch_id, person.user_id, message_id):
            case Refused() as refused:
                text = refusal_text(self._texts, person.language, refused)
                await self._gateway.answer(query_id, text, alert=True)
            case Ignored():
                pass
            case [], _:
                await self._gateway.answer(query_id, self._texts.get(person.language, "too-late"))
            case jobs, dues:
                await self._gateway.answer(query_id)
                if not dues:
                    return True
                await self._sponsors.show(jobs, dues)
        return False

    async def read(self, incoming: Incoming) -> str:
        """What is written in the text file of a message.

        Raises:
            FloodWait, TelegramError
        """
        return text_of(await self._gateway.attachment(incoming.message_id, limits.TEXT_FILE_BYTES) or b"")
