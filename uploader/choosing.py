"""What people choose of a link that leads to more than one thing. Decides; says nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from uploader import sameness
from uploader.model import Job, JobState
from uploader.spans import Span
from uploader.sponsors import SponsorLocks
from uploader.storage.choices import Choices
from uploader.storage.jobs import Jobs
from uploader.storage.people import People
from uploader.storage.rates import Rates
from uploader.verdicts import Accepted, NeedsSponsors
from uploader.wishes import ORIGINAL, SOUNDS, Offer, Wish


@dataclass(frozen=True, kw_only=True, slots=True)
class Beyond:
    """The span begins where the film has ended."""

    duration_s: float


class Choosing:
    """The questions that are open. Each is answered by the person who was asked, and by nobody else."""

    def __init__(
        self,
        jobs: Jobs,
        choices: Choices,
        people: People,
        locks: SponsorLocks,
        rates: Rates,
        account_id: int,
        queued: Callable[[], None],
    ) -> None:
        """`account_id` sends the files; `queued` is called when there is something new for a worker."""
        self._jobs = jobs
        self._choices = choices
        self._people = people
        self._locks = locks
        self._rates = rates
        self._account_id = account_id
        self._queued = queued

    async def asked(self, job_id: int, user_id: int) -> tuple[Job, Offer] | None:
        """A job of this person that waits for a choice, and what is offered; None: there is none such."""
        return _open(await self._jobs.get(job_id), user_id)

    async def answered(self, user_id: int, message_id: int | None) -> tuple[Job, Offer] | None:
        """The same, by the message that holds the question; None: whichever was asked last."""
        return _open(await self._choices.asked(user_id, message_id), user_id)

    async def choose(self, job: Job, offer: Offer, chosen: str) -> Accepted | NeedsSponsors | None:
        """Queue a job that was `asked`; None: it offers no such format, or waits no more."""
        if chosen not in {option.key for option in offer.options}:
            return None
        wish = replace(job.wish, format=chosen)
        if chosen == ORIGINAL or chosen in SOUNDS:
            wish = replace(wish, subtitles="")
        key = sameness.key(job.link, self._account_id, wish)
        dues = await self._locks.dues(job.user_id)
        queued = await self._choices.choose(job.id, job.user_id, wish, key, dues)
        if queued is None:
            return None
        if dues:
            return NeedsSponsors(job=queued, dues=dues)
        place = await self._rates.place(queued)
        self._queued()
        return Accepted(job=queued, place=place)

    async def all_as(self, job: Job, chosen: str) -> Job | None:
        """Note in which format all that is chosen of a list shall be. None: it waits no more."""
        return await self.note(job, replace(job.wish, format=chosen))

    async def subtitle(self, job: Job, offer: Offer, number: int) -> Job | None:
        """Note which of the subtitles shall be in the film, from 1; 0: none. None as for `choose`."""
        if number > len(offer.subtitles):
            return None
        chosen = offer.subtitles[number - 1] if number else ""
        return await self.note(job, replace(job.wish, subtitles=chosen))

    async def cut(self, job: Job, offer: Offer, span: Span | None) -> Job | Beyond | None:
        """Note which part of the film is wanted, or that it is the whole. None: it waits no more."""
        if span is None:
            return await self.note(job, replace(job.wish, start_s=0.0, stop_s=None))
        start_s, stop_s, duration_s = span.start_s, span.stop_s, offer.duration_s
        if duration_s is not None:
            if start_s >= duration_s:
                return Beyond(duration_s=duration_s)
            if stop_s is not None and stop_s >= duration_s:
                stop_s = None
        return await self.note(job, replace(job.wish, start_s=start_s, stop_s=stop_s))

    async def always(self, job_id: int, user_id: int) -> str | None:
        """Let a person have all films in the format of this job of theirs; returns it. None: none such."""
        job = await self._jobs.get(job_id)
        if job is None or job.user_id != user_id or not job.wish.format:
            return None
        await self._people.prefer(user_id, job.wish.format)
        return job.wish.format

    async def note(self, job: Job, wish: Wish) -> Job | None:
        """Keep what was composed so far; None: the job waits no more."""
        return await self._choices.compose(job.id, job.user_id, wish)


def _open(job: Job | None, user_id: int) -> tuple[Job, Offer] | None:
    if job is None or job.user_id != user_id or job.state is not JobState.WAITING_CHOICE or job.offer is None:
        return None
    return job, job.offer
