"""The front door: what becomes of a message that came in. Decides; says nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from uploader import limits, posts, sameness
from uploader.batch import Batched
from uploader.batching import Batching, Found
from uploader.model import Dues, Job, JobState, Link, Person
from uploader.quotas import Quotas
from uploader.sponsors import SponsorLocks
from uploader.storage.heard import Caller, Heard
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.storage.settings import Settings
from uploader.verdicts import Accepted, AlreadySeen, Asked, Ignored, NeedsSponsors, NoLink, Refused
from uploader.wishes import BEST, UNDECIDED, Offer, Wish

Verdict = Accepted | Asked | NeedsSponsors | Batched | Refused | Ignored | NoLink | AlreadySeen


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A message of a person to the bot, in a private chat."""

    person: Person
    message_id: int
    text: str
    sent_at: float  # by Telegram's clock
    reply_to: int | None = None  # the message of this chat that it answers
    title: str = ""  # of the file that `text` was read from
    command: str | None = None  # the one that it starts with; "": that is for another bot
    is_edited: bool = False  # it was told before, in other words


class Intake:
    """Turns messages and wishes into jobs: behind the gate (`SponsorLocks.dues`), each of them."""

    def __init__(
        self,
        jobs: Jobs,
        people: People,
        settings: Settings,
        locks: SponsorLocks,
        batching: Batching,
        rates: Rates,
        quotas: Quotas,
        heard: Heard,
        account_id: int,
        nudge: Callable[[Iterable[Job]], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`account_id` sends the files; `nudge` is called when there is something new for a worker, with the
        jobs that it is to leave.

        `now` gives epoch seconds.
        """
        self._jobs = jobs
        self._people = people
        self._settings = settings
        self._locks = locks
        self._batching = batching
        self._rates = rates
        self._quotas = quotas
        self._heard = heard
        self._account_id = account_id
        self._nudge = nudge
        self._now = now
        self._one_of_an_album = asyncio.Lock()  # two files that come at once must not each be the first
        self.closed = False  # set when the engine stops: nothing new is taken

    async def meet(self, person: Person) -> None:
        """Note who the person is, so that the bot can write to them later."""
        await self._people.see(person)

    async def is_new(self, incoming: Incoming) -> bool:
        """Whether to act on a message now: it is not too old, and this was not asked of it before."""
        chat_id = incoming.person.user_id
        return not self._is_too_old(incoming) and await self._heard.first(chat_id, incoming.message_id)

    async def take(self, incoming: Incoming) -> Verdict:
        """The verdict on a message that is not a command. Asked twice for one message: `AlreadySeen`."""
        found = await self._batching.find(incoming.text)
        too_fast = self._quotas.pace(incoming.person.user_id) if found.wanted else None
        return await self._once(incoming, too_fast, lambda caller: self._verdict(incoming, found, caller))

    async def take_edited(self, incoming: Incoming, offer: Offer | None = None) -> Verdict:
        """The verdict on a message that was changed: a link in it is taken if the message made no job, or one
        that failed or was cancelled; in an album it is offered. `Ignored`: there is nothing to say."""
        found = await self._batching.find(incoming.text)
        if self._is_too_old(incoming) or not (found.wanted or found.unusable):
            return Ignored()
        too_fast = self._quotas.pace(incoming.person.user_id)
        if too_fast is not None:
            return too_fast
        await self.meet(incoming.person)
        if offer is not None and offer.album_id:
            return await self._join(incoming, offer) or Ignored()
        verdict = await self._verdict(incoming, found, await self._look(incoming))
        if isinstance(verdict, Accepted | Batched):
            self._nudge(())
        return verdict

    async def take_file(self, incoming: Incoming, offer: Offer) -> Verdict:
        """The verdict on a message with a file; `offer` is what can be done with that. See `take`."""
        too_fast = self._quotas.pace(incoming.person.user_id)
        return await self._once(incoming, too_fast, lambda caller: self._take_file(incoming, offer, caller))

    async def take_text(
        self, incoming: Incoming, read: Callable[[], Awaitable[str]], offer: Offer | None
    ) -> Verdict:
        """The verdict on a message with a text file, which is `read` unless its person is too fast.

        It is that on the links in it; without any, that on the file, with which `offer` can be done.
        """
        too_fast = self._quotas.pace(incoming.person.user_id)
        return await self._once(
            incoming, too_fast, lambda caller: self._take_text(incoming, read, offer, caller)
        )

    async def _take_text(
        self, incoming: Incoming, read: Callable[[], Awaitable[str]], offer: Offer | None, caller: Caller
    ) -> Verdict:
        found = await self._batching.find(f"{incoming.text}\n{await read()}")
        if found.wanted or found.unusable or offer is None:
            return await self._verdict(incoming, found, caller)
        return await self._take_file(incoming, offer, caller)

    async def _once(
        self,
        incoming: Incoming,
        too_fast: Refused | Ignored | None,
        decide: Callable[[Caller], Awaitable[Verdict]],
    ) -> Verdict:
        """What is decided about a message; `AlreadySeen` if that was done before."""
        person = incoming.person
        if isinstance(too_fast, Ignored):
            return too_fast
        if self._is_too_old(incoming) or (caller := await self._look(incoming)).was_heard:
            return AlreadySeen()
        await self.meet(person)
        verdict = too_fast or await decide(caller)
        if isinstance(verdict, NoLink | Refused):
            return verdict if await self.is_new(incoming) else AlreadySeen()
        if isinstance(verdict, Accepted | Batched):
            self._nudge(())
        return verdict

    async def _look(self, incoming: Incoming) -> Caller:
        return await self._heard.look(self._account_id, incoming.person.user_id, incoming.message_id)

    async def _verdict(self, incoming: Incoming, found: Found, caller: Caller) -> Verdict:
        """The verdict on what was found in a message that was not heard before."""
        if not found.wanted:
            return NoLink(reason=found.unusable[0].reason if found.unusable else None)
        if (refusal := self._closed(caller.maintenance)) is not None:
            return refusal
        person = incoming.person
        wish = Wish(format=caller.preset)
        if found.is_batch:
            # nobody is asked about each of many files
            wish = wish if wish.format else Wish(format=BEST)
            return await self._batching.make(person, incoming.message_id, found, wish, incoming.title)
        wanted = found.wanted[0]
        refusal = await self._refusal(person.user_id, caller.waiting)
        return refusal or await self._keep(incoming, wanted.link, wanted.as_wished(wish))

    async def _take_file(self, incoming: Incoming, offer: Offer, caller: Caller) -> Verdict:
        """The verdict on a file that was not heard of before; the files of an album share one job."""
        if (closed := self._closed(caller.maintenance)) is not None:
            return closed
        async with self._one_of_an_album if offer.album_id else nullcontext():
            if offer.album_id and (verdict := await self._join(incoming, offer)) is not None:
                return verdict
            refusal = await self._refusal(incoming.person.user_id, caller.waiting)
            return refusal or await self._keep(incoming, posts.link_to(incoming.message_id), UNDECIDED, offer)

    async def _join(self, incoming: Incoming, offer: Offer) -> Asked | AlreadySeen | None:
        """Put a file of an album to those that came before; None: they are not there, or wait no more."""
        job = await self._batching.join(incoming.person.user_id, incoming.message_id, offer)
        if job is None:
            return None
        return Asked(job=job) if job.state is JobState.WAITING_CHOICE else AlreadySeen()

    async def _keep(self, incoming: Incoming, link: Link, wish: Wish, offer: Offer | None = None) -> Verdict:
        """Make a job of a link, one that waits for a choice if there is an `offer`."""
        person, ready = incoming.person, JobState.QUEUED if offer is None else JobState.WAITING_CHOICE
        dues = await self._locks.dues(person.user_id)
        key = sameness.key(link, self._account_id, wish)
        job = await self._jobs.add(
            user_id=person.user_id,
            chat_id=person.user_id,
            message_id=incoming.message_id,
            language=person.language,
            link=link,
            state=dues.held(ready),
            link_key=key,
            wish=wish,
            offer=offer,
        )
        if job is None and incoming.is_edited:
            job = await self._jobs.correct(
                user_id=person.user_id,
                chat_id=person.user_id,
                message_id=incoming.message_id,
                link=link,
                dues=dues,
                link_key=key,
                wish=wish,
            )
        if job is None:
            return AlreadySeen()
        if dues:
            return NeedsSponsors(job=job, dues=dues)
        return Accepted(job=job, place=await self._rates.place(job)) if offer is None else Asked(job=job)

    def _closed(self, maintenance: bool) -> Refused | None:
        """Why nobody's link is taken now."""
        if self.closed:
            return Refused(reason="stopping")
        return Refused(reason="maintenance") if maintenance else None

    async def _refusal(self, user_id: int, waiting: int) -> Refused | None:
        """Why one more link of this person, of whom so many wait, is not taken now."""
        if waiting >= limits.WAITING_JOBS_PER_PERSON:
            return Refused(reason="too-many", count=limits.WAITING_JOBS_PER_PERSON)
        return await self._quotas.room() or await self._quotas.day(user_id)

    async def cancel(self, user_id: int) -> list[Job]:
        """Cancel everything of a person; those that run here stop at once, others within a heartbeat."""
        cancelled = await self._jobs.cancel(user_id)
        self._nudge(cancelled)
        return cancelled

    async def cancel_one(self, job_id: int, user_id: int) -> Job | None:
        """Cancel one job of this person; None if it is not theirs or has ended."""
        job = await self._jobs.cancel_one(job_id, user_id)
        self._nudge([job] if job is not None else ())
        return job

    async def again(self, job_id: int, user_id: int) -> Accepted | NeedsSponsors | Refused | Ignored | None:
        """Try a failed job of this person again; None if it is not theirs, or failed too long ago."""
        refusal = (
            self._quotas.pace(user_id)
            or self._closed(await self._settings.maintenance())
            or await self._refusal(user_id, await self._jobs.waiting_count(user_id, in_batches=False))
        )
        if refusal is not None:
            return refusal
        dues = await self._locks.dues(user_id)
        job = await self._jobs.again(job_id, user_id, dues)
        if job is None:
            return None
        if dues:
            return NeedsSponsors(job=job, dues=dues)
        place = await self._rates.place(job)
        self._nudge(())
        return Accepted(job=job, place=place)

    async def pick(
        self, job: Job, offer: Offer, numbers: Sequence[int]
    ) -> Batched | Accepted | NeedsSponsors | Refused | NoLink | None:
        """Queue what a person chose of a list (see `Batching.pick`)."""
        picked = await self._batching.pick(job, offer, numbers)
        self._nudge(())
        if isinstance(picked, Job):
            return Accepted(job=picked, place=await self._rates.place(picked))
        return picked

    async def send_album(self, job: Job, offer: Offer) -> Batched | Refused | None:
        """Queue the files of an album (see `Batching.album`)."""
        closed = self._closed(await self._settings.maintenance())
        batched = closed or await self._batching.album(job, offer)
        self._nudge(())
        return batched

    async def cancel_batch(self, batch_id: int, user_id: int) -> list[Job]:
        """Cancel what is left of this person's batch; nothing if it is not theirs or has ended."""
        jobs = await self._batching.cancel(batch_id, user_id)
        self._nudge(jobs)
        return jobs

    async def batch_again(
        self, batch_id: int, user_id: int, card_id: int
    ) -> tuple[list[Job], Dues] | Refused | Ignored:
        """Try what failed of this person's batch again, as they may; `card_id` is its card from now on.

        Returns it with what is owed first.
        """
        refusal = self._quotas.pace(user_id) or self._closed(await self._settings.maintenance())
        again = refusal or await self._batching.again(batch_id, user_id, card_id)
        self._nudge(())
        return again

    def _is_too_old(self, incoming: Incoming) -> bool:
        """Whether nobody waits for an answer any more."""
        return self._now() - incoming.sent_at > limits.MISSED_S
