"""The gate: which channels does this person still owe?

What is not known keeps the person waiting, and is asked again. Only a channel that is gone, or into which the
bot may not look, locks nobody out: its lock is open, and admins are told.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from cachetools import TTLCache

from uploader import limits
from uploader.errors import ChannelUnusable, TelegramError
from uploader.model import Dues, Job, Person, Sponsor
from uploader.sponsors.membership import Membership, Move, Standing
from uploader.storage.holds import Holds
from uploader.storage.people import People
from uploader.storage.sponsors import Sponsors
from uploader.telegram.gateway import Gateway

__all__ = ["Look", "Move", "SponsorLocks"]

#: People looked at in one round of the safety net: two requests a second at the pace of `limits.WATCH_S`.
WATCHED_AT_ONCE: Final = 20
#: People in one go, once Telegram may tell again what it did not; and those who are remembered for that.
OWED_AT_ONCE: Final = 50
OWED: Final = 20_000
#: What a channel that has no public name any more is open for.
NO_NAME: Final = "NO_PUBLIC_NAME"
#: A channel that does not answer is logged once in so long.
LOGGED_S: Final = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What came of asking again what a person owes."""

    dues: Dues
    admitted: tuple[Job, ...] = ()  # they go on now
    held: tuple[Job, ...] = ()  # they wait on


class SponsorLocks:
    """The verdict on one person, who goes on after it, and the counts of each sponsor."""

    def __init__(
        self,
        sponsors: Sponsors,
        holds: Holds,
        people: People,
        gateway: Gateway,
        queued: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`queued` is called when there is something new for a worker."""
        self._sponsors = sponsors
        self._holds = holds
        self._people = people
        self._gateway = gateway
        self._queued = queued
        self._clock = clock
        self._membership = Membership(gateway, self._seen, clock)
        self._logged: TTLCache[int, str] = TTLCache(1000, LOGGED_S)
        self._owed: deque[int] = deque()
        self._waiting: deque[int] = deque()
        self._names: deque[Sponsor] = deque()
        self._round_at = self._doubt_at = -math.inf
        self._all = False

    # the verdict

    async def dues(self, user_id: int) -> Dues:
        """What this person, who was seen before, owes: in the order of the locks.

        Raises StorageUnavailable.
        """
        sponsors = await self._sponsors.all()
        if not sponsors:
            return Dues()
        person = await self._people.get(user_id)
        if person is None:
            return Dues(unsure=tuple(sponsors))
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._membership.ask(sponsor, person)) for sponsor in sponsors]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        standings = [(sponsor, task.result()) for sponsor, task in zip(sponsors, asked, strict=True)]
        locked = [each for each in standings if not await self._is_open(*each)]
        unsure = [each for each in locked if each[1].inside is None]
        dues = Dues(
            missing=tuple(sponsor for sponsor, standing in locked if standing.inside is False),
            unsure=tuple(sponsor for sponsor, _ in unsure),
            wait_s=min((standing.wait_s for _, standing in unsure), default=0.0),
        )
        if unsure:
            self._doubt_at = min(self._doubt_at, self._clock() + dues.wait_s)
        return dues

    async def _is_open(self, sponsor: Sponsor, standing: Standing) -> bool:
        """Whether a lock keeps nobody out; that it does no more, or does again, is marked."""
        broken = standing.unusable or (None if sponsor.username else NO_NAME)
        if standing.asked:
            await self._mark(sponsor, broken)
        elif standing.cause and sponsor.channel_id not in self._logged:
            self._logged[sponsor.channel_id] = standing.cause
            _log.warning("membership not known", channel=sponsor.username, cause=standing.cause)
        return broken is not None

    async def _mark(self, sponsor: Sponsor, broken: str | None) -> None:
        if (broken is None) != (sponsor.broken is None):
            await self._sponsors.mark(sponsor.channel_id, broken)
            self.look_at_all()
            said = "sponsor lock works anew" if broken is None else "sponsor lock is open"
            _log.warning(said, channel=sponsor.username or sponsor.channel_id, cause=broken)

    # what is counted

    async def ask(self, user_id: int, dues: Dues) -> None:
        """Note that the person is about to be shown these locks."""
        await self._sponsors.asked(user_id, dues.missing)

    async def _seen(self, sponsor: Sponsor, person: Person) -> None:
        await self._sponsors.joined(sponsor.channel_id, person.user_id)

    # what is heard

    def hear(self, move: Move) -> None:
        """What every engine does about a move, also one that leaves the rest to another: forget."""
        self._membership.hear(move)

    async def moved(self, move: Move) -> bool:
        """Count a move, and believe it. Returns whether jobs of somebody who joined wait for that."""
        serial = self._membership.hear(move)
        if all(sponsor.channel_id != move.channel_id for sponsor in await self._sponsors.all()):
            return False
        member_at = move.at if move.inside else move.since
        if member_at is not None:
            await self._sponsors.joined(move.channel_id, move.user_id, member_at)
        self._membership.learn(move, serial)
        return move.inside and bool(await self._holds.of(move.user_id))

    async def named(self, channel: Sponsor) -> None:
        """Keep the name and the title that a channel has now, if it is a sponsor's."""
        for sponsor in await self._sponsors.all():
            if sponsor.channel_id == channel.channel_id:
                await self._rename(sponsor, channel)

    async def _rename(self, sponsor: Sponsor, now: Sponsor) -> None:
        now = replace(sponsor, username=now.username, title=now.title)
        if now != sponsor:
            _log.info("sponsor renamed", channel=sponsor.username, now=now.username)
            await self._sponsors.rename(now)
            self.look_at_all()

    # who goes on

    async def look(self, user_id: int) -> Look:
        """Ask again what this person owes. If that is nothing, the jobs that it held go on."""
        held = await self._holds.of(user_id)
        dues = await self.dues(user_id)
        if dues or not held:
            return Look(dues=dues, held=tuple(held))
        admitted = await self._holds.admit(held)
        self._queued()
        return Look(dues=dues, admitted=tuple(admitted))

    async def looks(self) -> list[Look]:
        """The looks that are due: at people who are owed an answer, and in turn at all who wait.

        So nothing is lost with an update, a card or an engine. To be called about once a second.
        """
        people = dict.fromkeys([*await self._who_is_owed(), *await self._whose_turn_it_is()])
        try:
            async with asyncio.TaskGroup() as group:
                looks = [group.create_task(self.look(user_id)) for user_id in people]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in looks]

    def look_at_all(self) -> None:
        """The locks have changed: whoever waits for them is looked at soon."""
        self._all = True

    async def _who_is_owed(self) -> list[int]:
        now = self._clock()
        if self._all:
            self._owed = deque(await self._holds.people(OWED))
            self._all = False
        if not self._owed and min(self._doubt_at, self._round_at) <= now:
            is_sure = self._doubt_at > now
            if not is_sure:
                self._doubt_at = math.inf  # who is still in doubt says when to ask again
            self._owed.extend(await self._holds.owed_people(OWED, only_unshown=is_sure))
            if not is_sure and len(self._owed) == OWED:
                self._doubt_at = now  # there may be more of them
        return [self._owed.popleft() for _ in range(min(OWED_AT_ONCE, len(self._owed)))]

    async def _whose_turn_it_is(self) -> list[int]:
        now = self._clock()
        if now < self._round_at:
            return []
        self._round_at = now + limits.WATCH_S
        if not self._waiting:
            self._waiting.extend(await self._holds.people(limits.WATCHED_PEOPLE))
        return [self._waiting.popleft() for _ in range(min(WATCHED_AT_ONCE, len(self._waiting)))]

    async def renew_names(self) -> None:
        """Look at the next of the channels: what it is called, and whether it is there."""
        if not self._names:
            self._names.extend(await self._sponsors.all())
        if not self._names:
            return
        sponsor = self._names.popleft()
        try:
            now, is_seen_into = await self._gateway.look_at(sponsor)
        except ChannelUnusable as error:
            await self._mark(sponsor, str(error))
        except TelegramError as error:
            _log.warning("sponsor not looked at", channel=sponsor.username, cause=str(error))
        else:
            await self._rename(sponsor, now)
            if is_seen_into or not now.username:
                await self._mark(sponsor, None if now.username else NO_NAME)
