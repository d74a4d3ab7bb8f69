"""The menu of commands that clients show: everybody's, and in the chats of admins theirs as well."""

from collections.abc import Iterable
from typing import Final

import structlog

from uploader.errors import PeykError
from uploader.model import Person
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway
from uploader.texts import LANGUAGES, Texts

_FOR_ALL: Final = ("start", "help", "settings", "cancel")
_FOR_ADMINS: Final = ("status", "failed", "maintenance", "lock", "sites", "cookies")

_log = structlog.get_logger(__name__)


class Menu:
    """Offers commands. A data centre that does not take them loses nothing else."""

    def __init__(self, gateway: Gateway, people: People, texts: Texts, admins: Iterable[int]) -> None:
        self._gateway = gateway
        self._people = people
        self._texts = texts
        self._admins = frozenset(admins)

    async def offer(self) -> None:
        """To everybody, in each language, and to the admins who have written before."""
        try:
            for language in ("", *LANGUAGES):
                await self._gateway.publish_commands(
                    language, self._worded(language or LANGUAGES[0], _FOR_ALL)
                )
            for user_id in self._admins:
                if (person := await self._people.get(user_id)) is not None:
                    await self._offer_admin(person)
        except PeykError as error:
            _log.warning("commands not offered", cause=str(error))

    async def greet(self, person: Person) -> None:
        """Somebody begins: an admin gets the whole menu."""
        if person.user_id not in self._admins:
            return
        try:
            await self._offer_admin(person)
        except PeykError as error:
            _log.warning("commands not offered to an admin", admin=person.user_id, cause=str(error))

    async def _offer_admin(self, person: Person) -> None:
        commands = self._worded(person.language, (*_FOR_ALL, *_FOR_ADMINS))
        await self._gateway.publish_commands("", commands, person)

    def _worded(self, language: str, names: Iterable[str]) -> list[tuple[str, str]]:
        return [(name, self._texts.get(language, f"command-{name}")) for name in names]
