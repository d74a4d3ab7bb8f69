"""The conversation with an admin about cookies: `/cookies`. Nothing that is in them is ever said."""

from collections.abc import Iterable

import structlog

from uploader.cookies import CookieJars
from uploader.errors import PeykError, TelegramError
from uploader.intake import Incoming
from uploader.model import Person
from uploader.quoting import Said
from uploader.sources.cookies import FILE_BYTES, CookiesRefused
from uploader.storage.cookies import Cookies, SealedCookies
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts

_log = structlog.get_logger(__name__)


class CookieAdminChat:
    """Adds, lists, removes and restores cookies, and tells admins of those that a site rejects."""

    def __init__(
        self,
        gateway: Gateway,
        jars: CookieJars,
        cookies: Cookies,
        people: People,
        texts: Texts,
        admins: Iterable[int],
    ) -> None:
        self._gateway = gateway
        self._jars = jars
        self._cookies = cookies
        self._people = people
        self._texts = texts
        self._admins = tuple(admins)

    async def cookies(self, incoming: Incoming) -> None:
        """`/cookies`; `/cookies add [site]` under a file; `/cookies remove|restore NUMBER`"""
        words = incoming.text.split()[1:]
        number = int(words[1]) if len(words) == 2 and words[1].isdecimal() and len(words[1]) < 10 else None
        match words[:1]:
            case [] | ["list"]:
                await self._list(incoming.person)
            case ["add"]:
                await self._add(incoming, words[1] if len(words) > 1 else "")
            case ["remove"] if number is not None:
                done = await self._cookies.remove(number)
                await self._say(incoming.person, "removed" if done else "unknown", number=Said(number))
            case ["restore"] if number is not None:
                done = await self._cookies.restore(number)
                await self._say(incoming.person, "restored" if done else "unknown", number=Said(number))
            case _:
                await self._say(incoming.person, "usage")

    async def watch(self) -> None:
        """Take in what lies in the folder, and tell admins what there is to tell."""
        await self._jars.take_in()
        await self.alert()

    async def alert(self) -> None:
        """Tell the admins of cookies in quarantine, at each call anew until one of them was told."""
        for cookies in await self._cookies.untold():
            told = [await self._alerted(user_id, cookies) for user_id in self._admins]
            if any(told):
                _log.warning("cookies in quarantine", number=cookies.id, site=cookies.site)
                await self._cookies.told(cookies.id)

    async def _alerted(self, user_id: int, cookies: SealedCookies) -> bool:
        """Whether this admin was told."""
        try:
            person = await self._people.get(user_id)
            if person is None:
                return False  # they have not written to the bot yet
            await self._say(person, "alert", number=Said(cookies.id), site=cookies.site)
        except PeykError as error:
            _log.warning("an admin was not told", admin=user_id, cause=str(error))
            return False
        return True

    async def _add(self, incoming: Incoming, site: str) -> None:
        content = await self._gateway.attachment(incoming.message_id, FILE_BYTES)
        if content is None:
            await self._say(incoming.person, "usage")
            return
        try:
            # whatever is in the file: it does not stay in the chat
            await self._gateway.withdraw(incoming.message_id)
        except TelegramError as error:
            _log.warning("a message with cookies was not deleted", cause=str(error))
        try:
            number, file = await self._jars.add(content, site)
        except CookiesRefused as refused:
            await self._say(incoming.person, f"refused-{refused.why}", sites=refused.sites)
            return
        _log.info("cookies given", number=number, by=incoming.person.user_id)
        await self._say(incoming.person, "added", number=Said(number), site=file.site, count=file.count)

    async def _list(self, person: Person) -> None:
        lines = []
        for each in await self._cookies.all():
            state = "quarantined" if each.quarantined else "rejected" if each.rejections else "good"
            line = self._texts.get(
                person.language,
                f"cookies-line-{state}",
                number=Said(each.id),
                site=each.site,
                count=each.held,
            )
            lines.append(line)
        if lines:
            await self._gateway.say(person, "\n".join(lines))
        else:
            await self._say(person, "none")

    async def _say(self, person: Person, key: str, **arguments: str | int) -> None:
        await self._gateway.say(person, self._texts.get(person.language, f"cookies-{key}", **arguments))
