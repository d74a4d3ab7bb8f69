"""One card per batch, edited as its files fare, and one message more if some of them did not come."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from cachetools import LRUCache

from uploader.batch import Batch
from uploader.chat import batch_buttons
from uploader.chat.batch_words import card_text, report_text
from uploader.chat.in_turn import InTurn
from uploader.chat.progress import EDIT_S, TICK_S
from uploader.errors import HELD_UP, TelegramError
from uploader.model import ENDED, Job, JobState, Person, Progress
from uploader.storage.batches import Batches
from uploader.storage.people import People
from uploader.supervision import FaultBarrier, Helpers, every
from uploader.telegram.gateway import Gateway, new_random_id
from uploader.telegram.turns import Urgency
from uploader.texts import Texts

#: Cards that are kept up to date; one that falls out is drawn again when something happens to its batch.
CARDS: Final = 2000
#: Cards that begin to be drawn in one tick.
DRAWN_AT_ONCE: Final = 8
#: A card gives way to files, but not for longer.
STARVED_S: Final = 3 * EDIT_S
#: A batch without a card for so long lost it when an engine died.
CARDLESS_S: Final = 30.0
#: Batches that one look finds ended.
ENDED_AT_ONCE: Final = 50

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Card:
    shown_at: float  # at the latest when it was made
    changed: bool = True
    is_drawn: bool = False  # just now
    text: str = ""
    at: float = float("-inf")


class BatchCards:
    """A watcher of the worker. What a card says is drawn from rows, so that any engine can go on with it."""

    def __init__(
        self,
        gateway: Gateway,
        batches: Batches,
        people: People,
        texts: Texts,
        clock: Callable[[], float] = time.time,
        *,
        in_turn: InTurn | None = None,
    ) -> None:
        """`clock` gives epoch seconds; see `StatusMessages` for `in_turn`."""
        self._gateway = gateway
        self._batches = batches
        self._people = people
        self._texts = texts
        self._clock = clock
        self._cards: LRUCache[int, _Card] = LRUCache(CARDS)
        self._barrier = FaultBarrier("card of a batch")
        self._in_turn = in_turn or InTurn()
        self._batch_of: dict[int, int] = {}  # by the numbers of the jobs that run here
        self._running: dict[int, Progress] = {}

    def started(self, job: Job) -> None:
        """A worker took the job."""
        if job.batch_id is not None:
            self._batch_of[job.id] = job.batch_id
            self.changed(job.batch_id)

    def progress(self, progress: Progress) -> None:
        """The job came further."""
        batch_id = self._batch_of.get(progress.job_id)
        if batch_id is not None:
            self._running[progress.job_id] = progress
            self.changed(batch_id)

    async def ended(self, job: Job) -> None:
        """The job left the worker."""
        self._batch_of.pop(job.id, None)
        self._running.pop(job.id, None)
        if job.batch_id is not None:
            self.changed(job.batch_id)
            if job.batch_id not in self._batch_of.values():
                self._cards[job.batch_id].at = float("-inf")  # perhaps it was the last

    def changed(self, batch_id: int) -> None:
        """Something happened to a batch: its card is drawn when it is due."""
        self._card(batch_id).changed = True

    def _card(self, batch_id: int) -> _Card:
        return self._cards.setdefault(batch_id, _Card(shown_at=self._clock()))

    async def look(self) -> None:
        """Find the batches that ended while nobody saw it."""
        for batch_id in await self._batches.ended(ENDED_AT_ONCE):
            self.changed(batch_id)

    async def run(self) -> None:
        """Draw the cards for as long as the engine runs. One that waits for its chat holds up no other."""
        async with Helpers() as helpers:

            async def tick() -> None:
                for batch_id, card in self._due():
                    card.is_drawn = True
                    helpers.start(self._draw_due(batch_id, card), name=f"card of batch {batch_id}")

            await every(TICK_S, "cards of batches", tick)

    def _due(self) -> list[tuple[int, _Card]]:
        """Cards that are not what they should be, the one that waited longest first."""
        due = [
            (batch_id, card)
            for batch_id, card in self._cards.items()
            if card.changed and not card.is_drawn and self._clock() - card.at >= EDIT_S
        ]
        return sorted(due, key=lambda each: each[1].at)[:DRAWN_AT_ONCE]

    async def _draw_due(self, batch_id: int, card: _Card) -> None:
        try:
            with self._barrier:
                await self.draw(batch_id)
        finally:
            card.is_drawn = False

    async def draw(self, batch_id: int) -> None:
        """Bring a card up to date, and tell how it ended if it did.

        Raises:
            FloodWait, TelegramError: it will be tried again.
        """
        async with self._in_turn.of_batch(batch_id):
            await self._draw(batch_id)

    async def _draw(self, batch_id: int) -> None:
        card = self._card(batch_id)
        batch = await self._batches.get(batch_id)
        if batch is None or batch.told_at is not None:
            self._cards.pop(batch_id, None)
            return
        if batch.status_message_id is None and self._clock() - batch.created_at < CARDLESS_S:
            return
        card.changed = False
        jobs, person = await self._batches.items(batch_id), await self._people.get(batch.user_id)
        has_ended = all(job.state in ENDED for job in jobs)
        try:
            if person is not None:
                await (self._finish if has_ended else self._show)(person, batch, jobs)
        except HELD_UP:
            card.changed, card.at = True, self._clock() + EDIT_S
            raise
        except TelegramError as error:
            _log.warning("card not shown", batch=batch.id, cause=str(error))
        if has_ended:
            await self._batches.told(batch.id)
            self._cards.pop(batch_id, None)

    async def adopt(self, batch: Batch, message_id: int | None) -> None:
        """Make a message of ours the card; None: Telegram has it, so it is looked for by its buttons."""
        if message_id is None:
            message_id = await self._found(batch)
        if message_id is not None:
            await self._batches.set_card(batch.id, message_id)

    async def _found(self, batch: Batch) -> int | None:
        person = await self._people.get(batch.user_id)
        if person is None:
            return None
        return await self._gateway.find(person, batch.message_id, batch_buttons.of_batch(batch.id))

    async def _show(self, person: Person, batch: Batch, jobs: list[Job]) -> None:
        card = self._card(batch.id)
        text = card_text(self._texts, batch, jobs, self._running)
        keyboard = batch_buttons.cancel(self._texts, batch.language, batch.id)
        if any(job.state is JobState.WAITING_SPONSORS for job in jobs):
            return  # see `SponsorCards`
        if batch.status_message_id is None:
            card_id = await self._gateway.say(
                person, text, keyboard, urgency=Urgency.MESSAGE, reply_to=batch.message_id
            )
            await self.adopt(batch, card_id)
        elif text == card.text:
            return
        elif not await self._gateway.edit(
            person, batch.status_message_id, text, keyboard, urgency=self._urgency(card)
        ):
            card.changed = True
            return
        card.text, card.at = text, self._clock()
        card.shown_at = card.at

    def _urgency(self, card: _Card) -> Urgency | None:
        """A card that was passed over for long, because files came all the time, goes before them once."""
        return Urgency.ANSWER if self._clock() - card.shown_at >= STARVED_S else None

    async def _finish(self, person: Person, batch: Batch, jobs: list[Job]) -> None:
        """The card's last state, and what did not come, unless the person wanted no more of it."""
        if batch.status_message_id is not None:
            try:
                text = card_text(self._texts, batch, jobs, {})
                await self._gateway.edit(person, batch.status_message_id, text)
            except HELD_UP:
                raise
            except TelegramError as error:  # it may be deleted: the report must come all the same
                _log.warning("card not shown", batch=batch.id, cause=str(error))
        report = report_text(self._texts, batch, jobs)
        if not report or any(job.state is JobState.CANCELLED for job in jobs):
            return
        random_id = await self._batches.reserve_report(batch.id, new_random_id())
        if random_id is not None:
            may_retry = any(job.state is JobState.FAILED for job in jobs)
            keyboard = batch_buttons.again(self._texts, batch.language, batch.id) if may_retry else ()
            await self._gateway.say(
                person,
                report,
                keyboard,
                urgency=Urgency.MESSAGE,
                random_id=random_id,
                reply_to=batch.message_id,
            )
