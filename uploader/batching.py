"""What becomes of several links at once: a batch, as large as its person may have now."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from uploader import links, sameness, spans
from uploader.batch import Batched, Item, LeftOut, Unusable, Why
from uploader.errors import NotALink, Reason
from uploader.model import AlreadySeen, Job, JobState, Link, Person, Refused
from uploader.quotas import Quotas
from uploader.spans import Span
from uploader.sponsors import SponsorLocks
from uploader.storage.batches import Batches
from uploader.storage.jobs import Jobs
from uploader.wishes import Wish

#: So much is shown of a link that cannot be used.
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A link, and which part of its film is wanted."""

    link: Link
    span: Span | None = None  # None: the whole

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
        self._locks = locks
        self._quotas = quotas
        self._static_verdict = static_verdict
        self._account_id = account_id
        self._most = most

    def find(self, text: str) -> Found:
        """The links in a text, with the verdict that needs nobody to be asked."""
        good: dict[str, Wanted] = {}
        bad: list[Unusable] = []
        raws = list(dict.fromkeys(links.find_all(text)))
        for looked_at, raw in enumerate(raws):
            if max(len(good), len(bad)) == self._most:
                return Found(wanted=tuple(good.values()), unusable=tuple(bad), more=len(raws) - looked_at)
            verdict = self.verdict(raw)
            if isinstance(verdict, Unusable):
                bad.append(verdict)
            else:
                same = sameness.without_tracking(verdict.url, verdict.host)
                good.setdefault(same, Wanted(link=verdict, span=spans.after(text, raw)))
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
        missing = await self._locks.missing(person)
        made = await self._batches.add(
            person,
            message_id,
            [self._item(wanted.link, wanted.as_wished(wish)) for wanted in found.wanted[:count]],
            state=JobState.WAITING_SPONSORS if missing else JobState.QUEUED,
            title=title,
            unusable=found.unusable,
            left_out=left_out,
        )
        if made is None:
            return AlreadySeen()
        if missing:
            await self._locks.ask(person, missing)
        return Batched(batch=made[0], jobs=tuple(made[1]), missing=missing)

    async def _share(self, user_id: int, found: Found) -> tuple[int, LeftOut | Refused | None]:
        """How many of the links are taken now, and what is said of the others."""
        wanted = len(found.wanted)
        count, why = await self.room(user_id, wanted)
        if isinstance(why, Refused):
            return 0, why
        left = wanted - count + found.more
        return count, LeftOut(count=left, why=why or "items") if left else None

    async def cancel(self, batch_id: int, user_id: int) -> list[Job]:
        """Cancel what is left of this person's batch, and return it."""
        return await self._batches.cancel(batch_id, user_id)

    async def again(self, batch_id: int, user_id: int, card_id: int) -> list[Job] | Refused:
        """Queue what failed of this person's batch, as much as they may have now, and return it."""
        count, why = await self.room(user_id, self._most)
        return (
            why if isinstance(why, Refused) else await self._batches.again(batch_id, user_id, card_id, count)
        )

    async def room(self, user_id: int, wanted: int) -> tuple[int, Why | Refused | None]:
        """How many of so many files a person may have now, and why not all; `Refused`: none."""
        refusal = await self._quotas.room() or await self._quotas.day(user_id)
        if refusal is not None:
            return 0, refusal
        waiting = await self._jobs.waiting_count(user_id, in_batches=True)
        if waiting >= self._most:
            return 0, Refused(reason="too-many", count=self._most)
        bounds: list[tuple[int, Why | None]] = [(wanted, None), (self._most - waiting, "waiting")]
        return min([*bounds, *await self._quotas.left(user_id)], key=lambda bound: bound[0])

    def _item(self, link: Link, wish: Wish) -> Item:
        return Item(link=link, link_key=sameness.key(link, self._account_id, wish), wish=wish)
