"""What becomes of several links at once: a batch, as large as its person may have now."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Final

from uploader import limits, links, posts, sameness, spans
from uploader.batch import Batched, Item, LeftOut, Unusable, Why
from uploader.errors import NotALink, Reason
from uploader.model import Dues, Job, Link, Person
from uploader.quotas import Quotas
from uploader.spans import Span
from uploader.sponsors import SponsorLocks
from uploader.storage.batches import Batches
from uploader.storage.choices import Choices
from uploader.storage.jobs import Jobs
from uploader.verdicts import AlreadySeen, NeedsSponsors, NoLink, Refused
from uploader.wishes import BEST, ORIGINAL, Offer, Wish

#: So much is shown of a link that cannot be used.
_SHOWN_CHARACTERS: Final = 60
#: A longer text than a message is read beside the event loop.
_MESSAGE_CHARACTERS: Final = 4096
#: So many times as many links as a person may have at once are looked at, in case that many are the same.
_LOOKS: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A link, and which part of its film is wanted."""

    link: Link
    span: Span | None = None  # None: the whole
    name: str = ""  # as a list has it

    def as_wished(self, wish: Wish) -> Wish:
        """`wish`, for this part."""
        span = self.span
        return wish if span is None else replace(wish, start_s=span.start_s, stop_s=span.stop_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The links of a text, each once, in their order."""

    wanted: tuple[Wanted, ...]
    unusable: tuple[Unusable, ...]
    more: int  # links that were not looked at: there are too many

    @property
    def is_batch(self) -> bool:
        """Whether this is more than one link with its verdict."""
        return len(self.wanted) + len(self.unusable) + self.more > 1


class Batching:
    """Makes batches. `most` items of a person wait at once, whatever the number of batches."""

    def __init__(
        self,
        jobs: Jobs,
        batches: Batches,
        choices: Choices,
        locks: SponsorLocks,
        quotas: Quotas,
        *,
        static_verdict: Callable[[Link], Reason | None],
        account_id: int,
        most: int,
    ) -> None:
        """`static_verdict`: see `Sources`; `account_id` sends the files."""
        self._jobs = jobs
        self._batches = batches
        self._choices = choices
        self._locks = locks
        self._quotas = quotas
        self._static_verdict = static_verdict
        self._account_id = account_id
        self._most = most

    async def find(self, text: str) -> Found:
        """The links in a text, with the verdict that needs nobody to be asked.

        Posts are signed with the link of their channel: beside others, such a one is not meant.
        """
        if len(text) <= _MESSAGE_CHARACTERS:
            return self._found(text)
        return await asyncio.to_thread(self._found, text)

    def _found(self, text: str) -> Found:
        ends: dict[str, int] = {}
        for mention in links.find_all(text):
            ends.setdefault(mention.raw, mention.end)
        found = self._looked_at(dict.fromkeys(ends, ""), lambda raw: spans.after(text, ends[raw]))
        meant = tuple(each for each in found.wanted if not posts.names_chat(each.link))
        return replace(found, wanted=meant) if meant else found

    def _looked_at(
        self, raws: Mapping[str, str], span_of: Callable[[str], Span | None] = lambda raw: None
    ) -> Found:
        """What is good for something of these links with their names; `span_of` says which part is wanted."""
        good: dict[str, Wanted] = {}
        bad: list[Unusable] = []
        for looked_at, (raw, name) in enumerate(raws.items()):
            if max(len(good), len(bad)) == self._most or looked_at == _LOOKS * self._most:
                return Found(wanted=tuple(good.values()), unusable=tuple(bad), more=len(raws) - looked_at)
            verdict = self.verdict(raw)
            if isinstance(verdict, Unusable):
                bad.append(replace(verdict, shown=name or verdict.shown))
            else:
                same = sameness.without_tracking(verdict.url, verdict.host)
                if same not in good:
                    good[same] = Wanted(link=verdict, span=span_of(raw), name=name)
        return Found(wanted=tuple(good.values()), unusable=tuple(bad), more=0)

    def verdict(self, raw: str) -> Link | Unusable:
        """The link that `raw` is, if it may be fetched."""
        try:
            link = links.parse(raw, fragment=True)
            reason = self._static_verdict(link)
        except NotALink as error:
            reason = error.reason
        return link if reason is None else Unusable(shown=raw[:_SHOWN_CHARACTERS], reason=reason)

    async def make(
        self, person: Person, message_id: int, found: Found, wish: Wish, title: str
    ) -> Batched | Refused | AlreadySeen:
        """Keep a batch of what was found; what is more than the person may have now is left out of it."""
        count, left_out = await self._share(person.user_id, found)
        if isinstance(left_out, Refused):
            return left_out
        dues = await self._locks.dues(person.user_id)
        made = await self._batches.add(
            person,
            message_id,
            [self._item(wanted, wish) for wanted in found.wanted[:count]],
            dues=dues,
            title=title,
            unusable=found.unusable,
            left_out=left_out,
        )
        if made is None:
            return AlreadySeen()
        return Batched(batch=made[0], jobs=tuple(made[1]), dues=dues)

    async def pick(
        self, job: Job, offer: Offer, numbers: Sequence[int]
    ) -> Batched | Job | NeedsSponsors | Refused | NoLink | None:
        """Queue what was chosen of a list, by numbers from 1: several as a batch, a single one as the job.

        That one may be a list, too, or be asked about in its turn. None: the job waits for a choice no more,
        or the list has no such entries.
        """
        chosen = {at: offer.entries[at - 1] for at in numbers if 0 < at <= len(offer.entries)}
        # an entry without a link is none that can be used, but it is one
        found = self._looked_at({each.link or f"#{at}": each.title for at, each in chosen.items()})
        if not chosen:
            return None
        if not found.wanted:
            return NoLink(reason=found.unusable[0].reason)
        first = found.wanted[0]
        if not found.is_batch:
            key = sameness.key(first.link, self._account_id, job.wish)
            dues = await self._locks.dues(job.user_id)
            followed = await self._choices.follow(job, first.link, key, dues)
            return NeedsSponsors(job=followed, dues=dues) if followed and dues else followed
        # nobody is asked about each of many files
        wish = job.wish if job.wish.format else replace(job.wish, format=BEST)
        return await self._pick(job, found, repeat(wish), offer.title)

    async def join(self, user_id: int, message_id: int, offer: Offer) -> Job | None:
        """Put a file of an album to the question about those that came before (see `Choices.join`)."""
        return await self._choices.join(user_id, message_id, offer)

    async def album(self, job: Job, offer: Offer) -> Batched | Refused | None:
        """Queue the files of an album as a batch. None: the job waits for a choice no more.

        New words stand under the first one, as under an album.
        """
        files = [Wanted(link=posts.link_to(each.message_id), name=each.name) for each in offer.files]
        wish = replace(job.wish, format=ORIGINAL)
        rest = replace(wish, caption="") if wish.caption else wish
        found = Found(wanted=tuple(files), unusable=(), more=0)
        return await self._pick(job, found, chain([wish], repeat(rest)), offer.title)

    async def _pick(
        self, job: Job, found: Found, wishes: Iterable[Wish], title: str
    ) -> Batched | Refused | None:
        """Make a batch of a job that waits for a choice."""
        count, left_out = await self._share(job.user_id, found, own=1)
        if isinstance(left_out, Refused):
            return left_out
        items = [self._item(wanted, wish) for wanted, wish in zip(found.wanted[:count], wishes, strict=False)]
        dues = await self._locks.dues(job.user_id)
        made = await self._batches.pick(
            job, items, dues=dues, title=title, unusable=found.unusable, left_out=left_out
        )
        return made and Batched(batch=made[0], jobs=tuple(made[1]), dues=dues)

    async def _share(
        self, user_id: int, found: Found, *, own: int = 0
    ) -> tuple[int, LeftOut | Refused | None]:
        """How many of the links are taken now, and what is said of the others."""
        wanted = len(found.wanted)
        count, why = await self.room(user_id, wanted, own=own)
        if isinstance(why, Refused):
            return 0, why
        left = wanted - count + found.more
        return count, LeftOut(count=left, why=why or "items") if left else None

    async def cancel(self, batch_id: int, user_id: int) -> list[Job]:
        """Cancel what is left of this person's batch, and return it."""
        return await self._batches.cancel(batch_id, user_id)

    async def again(self, batch_id: int, user_id: int, card_id: int) -> tuple[list[Job], Dues] | Refused:
        """Queue what failed of this person's batch, as much as they may have now.

        Returns it with what is owed first.
        """
        count, why = await self.room(user_id, self._most)
        if isinstance(why, Refused):
            return why
        dues = await self._locks.dues(user_id)
        return await self._batches.again(batch_id, user_id, card_id, count, dues), dues

    async def room(self, user_id: int, wanted: int, *, own: int = 0) -> tuple[int, Why | Refused | None]:
        """How many of so many files a person may have now, and why not all; `Refused`: none.

        `own` of what they have now become some of these files.
        """
        full = await self._quotas.room()
        if full is not None:
            return 0, full
        waiting = await self._jobs.waiting_count(user_id, in_batches=True)
        bounds: list[tuple[int, Why | None]] = [(wanted, None), (self._most - waiting, "waiting")]
        count, why = min([*bounds, *await self._quotas.left(user_id, own)], key=lambda bound: bound[0])
        if count > 0:
            return count, why
        if why == "waiting":
            return 0, Refused(reason="too-many", count=self._most)
        return 0, await self._quotas.day(user_id) or Refused(reason="day", wait_s=limits.DAY_S)

    def _item(self, wanted: Wanted, wish: Wish) -> Item:
        wished = wanted.as_wished(wish)
        key = sameness.key(wanted.link, self._account_id, wished)
        return Item(link=wanted.link, link_key=key, wish=wished, name=wanted.name or None)
