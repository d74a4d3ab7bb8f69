"""The conversation with an admin about sponsor locks: `/lock`."""

import re
from typing import Final

import structlog

from uploader.errors import ChannelUnusable
from uploader.intake import Incoming
from uploader.model import Person
from uploader.storage.sponsors import Sponsors
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts

#: @name, or a t.me link of a public channel. https://core.telegram.org/api/links#public-username-links
_CHANNEL: Final = re.compile(r"(?:@|(?:https?://)?(?:t|telegram)\.me/)?([A-Za-z][A-Za-z0-9_]{3,31})/?\Z")

_log = structlog.get_logger(__name__)


class SponsorAdminChat:
    """Adds, lists and removes the channels that people join before they are served."""

    def __init__(self, gateway: Gateway, sponsors: Sponsors, texts: Texts) -> None:
        self._gateway = gateway
        self._sponsors = sponsors
        self._texts = texts

    async def lock(self, incoming: Incoming) -> None:
        """`/lock`, `/lock add @channel`, `/lock remove @channel`"""
        words = incoming.text.split()[1:]
        channel = _CHANNEL.match(words[1]) if len(words) == 2 else None
        match words[:1]:
            case [] | ["list"]:
                await self._list(incoming.person)
            case ["add"] if channel is not None:
                await self._add(incoming.person, channel[1])
            case ["remove"] if channel is not None:
                await self._remove(incoming.person, channel[1])
            case _:
                await self._say(incoming.person, "lock-usage")

    async def _list(self, person: Person) -> None:
        lines = [
            self._texts.get(
                person.language,
                "lock-line",
                title=count.sponsor.title,
                username=count.sponsor.username,
                asked=count.asked,
                joined=count.joined,
            )
            for count in await self._sponsors.counts()
        ]
        if lines:
            await self._gateway.say(person, "\n".join(lines))
        else:
            await self._say(person, "lock-none")

    async def _add(self, person: Person, username: str) -> None:
        sponsor = await self._gateway.find_channel(username)
        if sponsor is None:
            await self._say(person, "lock-not-found", username=username)
            return
        try:
            # only an admin of a channel sees other people in it: asked now, so that the lock works later
            await self._gateway.is_member(sponsor, person)
        except ChannelUnusable:
            await self._say(person, "lock-not-admin", username=username)
            return
        added = await self._sponsors.add(sponsor, person.user_id)
        _log.info("sponsor lock added", channel=username, by=person.user_id)
        key = "lock-added" if added else "lock-exists"
        await self._say(person, key, title=sponsor.title, username=sponsor.username)

    async def _remove(self, person: Person, username: str) -> None:
        sponsor = await self._sponsors.remove(username)
        if sponsor is None:
            await self._say(person, "lock-unknown", username=username)
            return
        _log.info("sponsor lock removed", channel=username, by=person.user_id)
        await self._say(person, "lock-removed", title=sponsor.title, username=sponsor.username)

    async def _say(self, person: Person, key: str, **arguments: str | int) -> None:
        await self._gateway.say(person, self._texts.get(person.language, key, **arguments))
