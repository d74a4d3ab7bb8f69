"""The conversation with an admin about sponsor locks: `/lock`."""

import re
from typing import Final

import structlog

from uploader.chat.alerts import Alerts
from uploader.errors import ChannelUnusable
from uploader.intake import Incoming
from uploader.model import Person, SponsorCount
from uploader.sponsors import SponsorLocks
from uploader.storage.sponsors import Sponsors
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts

#: @name, or a t.me link of a public channel. https://core.telegram.org/api/links#public-username-links
_CHANNEL: Final = re.compile(r"(?:@|(?:https?://)?(?:t|telegram)\.me/)?([A-Za-z][A-Za-z0-9_]{3,31})/?\Z")

_log = structlog.get_logger(__name__)


class SponsorAdminChat:
    """Adds, lists and removes the channels that people join before they are served."""

    def __init__(
        self, gateway: Gateway, sponsors: Sponsors, locks: SponsorLocks, alerts: Alerts, texts: Texts
    ) -> None:
        self._gateway = gateway
        self._sponsors = sponsors
        self._locks = locks
        self._alerts = alerts
        self._texts = texts

    async def lock(self, incoming: Incoming) -> None:
        """`/lock`, `/lock add @channel`, `/lock remove @channel`, `/lock remove 1234567890`"""
        words = incoming.text.split()[1:]
        is_id = len(words) == 2 and words[1].isdecimal() and len(words[1]) < 19
        channel = _CHANNEL.match(words[1]) if len(words) == 2 else None
        match words[:1]:
            case [] | ["list"]:
                await self._list(incoming.person)
            case ["add"] if channel is not None:
                await self._add(incoming.person, channel[1])
            case ["remove"] if channel is not None:
                await self._remove(incoming.person, channel[1])
            case ["remove"] if is_id:
                await self._remove(incoming.person, words[1])
            case _:
                await self._say(incoming.person, "lock-usage")

    async def watch(self) -> None:
        """Look at the next of the channels, and tell admins of locks that opened, or work anew."""
        await self._locks.renew_names()
        for sponsor in await self._sponsors.untold():
            await self._alerts.lock_changed(sponsor)
            await self._sponsors.told(sponsor)

    async def _list(self, person: Person) -> None:
        lines = [self._line(person.language, count) for count in await self._sponsors.counts()]
        if lines:
            await self._gateway.say(person, "\n".join(lines))
        else:
            await self._say(person, "lock-none")

    def _line(self, language: str, count: SponsorCount) -> str:
        sponsor = count.sponsor
        name = f"@{sponsor.username}" if sponsor.username else str(sponsor.channel_id)
        counts = {"asked": count.asked, "joined": count.joined}
        line = self._texts.get(language, "lock-line", title=sponsor.title, name=name, **counts)
        if sponsor.broken is None:
            return line
        return f"{line} · {self._texts.get(language, 'lock-open', cause=sponsor.broken)}"

    async def _add(self, person: Person, username: str) -> None:
        sponsor = await self._gateway.find_channel(username)
        if sponsor is None:
            await self._say(person, "lock-not-found", username=f"@{username}")
            return
        try:
            # only an admin of a channel sees other people in it: asked now, so that the lock works later
            await self._gateway.is_member(sponsor, person)
        except ChannelUnusable:
            await self._say(person, "lock-not-admin", username=f"@{username}")
            return
        added = await self._sponsors.add(sponsor, person.user_id)
        _log.info("sponsor lock added", channel=username, by=person.user_id)
        key = "lock-added" if added else "lock-exists"
        await self._say(person, key, title=sponsor.title, username=f"@{sponsor.username}")

    async def _remove(self, person: Person, username: str) -> None:
        sponsor = await self._sponsors.remove(username)
        if sponsor is None:
            await self._say(person, "lock-unknown", username=f"@{username}")
            return
        self._locks.look_at_all()
        _log.info("sponsor lock removed", channel=username, by=person.user_id)
        await self._say(person, "lock-removed", title=sponsor.title, username=f"@{sponsor.username}")

    async def _say(self, person: Person, key: str, **arguments: str | int) -> None:
        await self._gateway.say(person, self._texts.get(person.language, key, **arguments))
