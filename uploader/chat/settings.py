"""`/settings`: what a person chooses once, and can change with a button."""

from uploader.chat import keyboards
from uploader.intake import Incoming
from uploader.model import OverCap, Person
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway
from uploader.texts import Texts


class SettingsChat:
    """The card of settings."""

    def __init__(self, gateway: Gateway, people: People, texts: Texts) -> None:
        self._gateway = gateway
        self._people = people
        self._texts = texts

    async def show(self, incoming: Incoming) -> None:
        """`/settings`"""
        person = incoming.person
        await self._people.see(person)
        text = self._text(person, await self._people.over_cap(person.user_id))
        await self._gateway.say(person, text, keyboards.settings(self._texts, person.language))

    async def choose(self, person: Person, query_id: int, message_id: int, over_cap: OverCap) -> None:
        """A button of the card."""
        await self._people.see(person)
        await self._people.choose(person.user_id, over_cap)
        await self._gateway.answer(query_id, self._texts.get(person.language, f"settings-{over_cap.value}"))
        keyboard = keyboards.settings(self._texts, person.language)
        await self._gateway.edit(person, message_id, self._text(person, over_cap), keyboard)

    def _text(self, person: Person, over_cap: OverCap) -> str:
        cap = self._texts.cap(person.language)
        return self._texts.get(person.language, "settings", cap=cap, choice=over_cap.value)
