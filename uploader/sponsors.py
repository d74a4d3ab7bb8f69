"""Which channels does this person still owe?

Membership is learned from Telegram's updates and asked for only when it is not known. A sponsor whose members
the bot may not see locks nobody out: the lock is open, and the log says so.
"""

from typing import Final

import structlog
from cachetools import TTLCache

from uploader.errors import ChannelUnusable, TelegramError
from uploader.model import Person, Sponsor
from uploader.storage.sponsors import Sponsors
from uploader.telegram.gateway import Gateway

#: Leaves are told by updates; the time bounds what a lost update can cost.
MEMBER_S: Final = 300.0
MEMBERS: Final = 100_000

_log = structlog.get_logger(__name__)


class SponsorLocks:
    """The verdict on one person, and the counts of each sponsor."""

    def __init__(self, sponsors: Sponsors, gateway: Gateway) -> None:
        self._sponsors = sponsors
        self._gateway = gateway
        self._members: TTLCache[tuple[int, int], bool] = TTLCache(MEMBERS, MEMBER_S)

    async def missing(self, person: Person) -> tuple[Sponsor, ...]:
        """The sponsors' channels that the person has still to join, in the order of the locks."""
        return tuple(
            [sponsor for sponsor in await self._sponsors.all() if not await self._is_in(sponsor, person)]
        )

    async def ask(self, person: Person, sponsors: tuple[Sponsor, ...]) -> None:
        """Note that the person was shown these locks."""
        await self._sponsors.asked(person.user_id, sponsors)

    async def moved(self, channel_id: int, user_id: int, *, inside: bool) -> bool:
        """Note that somebody joined or left a channel; returns whether it is a sponsor's."""
        if all(sponsor.channel_id != channel_id for sponsor in await self._sponsors.all()):
            return False
        if inside:
            await self._note_member(channel_id, user_id)
        else:
            self._members.pop((channel_id, user_id), None)
        return True

    async def _is_in(self, sponsor: Sponsor, person: Person) -> bool:
        if (sponsor.channel_id, person.user_id) in self._members:
            return True
        try:
            inside = await self._gateway.is_member(sponsor, person)
        except (ChannelUnusable, TelegramError) as error:
            _log.warning("sponsor lock is open", channel=sponsor.username, cause=str(error))
            return True
        if inside:
            await self._note_member(sponsor.channel_id, person.user_id)
        return inside

    async def _note_member(self, channel_id: int, user_id: int) -> None:
        self._members[channel_id, user_id] = True
        await self._sponsors.joined(channel_id, user_id)
