"""`/settings`: what a person chooses once, and can change with a button."""

from uploader.chat import keyboards
from uploader.chat.choice import format_name
from uploader.chat.in_turn import InTurn
from uploader.chat.keyboards import Preset
from uploader.intake import Incoming
from uploader.model import OverCap, Person
from uploader.quoting import Said
from uploader.storage.people import People
from uploader.telegram.gateway import Gateway, Keyboard
from uploader.texts import Texts


class SettingsChat:
    """The card of settings."""

    def __init__(self, gateway: Gateway, people: People, texts: Texts) -> None:
        self._gateway = gateway
        self._people = people
        self._texts = texts
        self._in_turn = InTurn()  # by the numbers of people

    async def show(self, incoming: Incoming) -> None:
        """`/settings`"""
        await self._people.see(incoming.person)
        await self._gateway.say(incoming.person, *await self._card(incoming.person))

    async def choose(self, person: Person, query_id: int, message_id: int, chosen: OverCap | Preset) -> None:
        """A button of the card."""
        await self._people.see(person)
        if isinstance(chosen, Preset):
            await self._people.prefer(person.user_id, chosen.format)
            name = format_name(self._texts, person.language, chosen.format)
            changed = self._texts.get(person.language, "settings-changed", format=name)
        else:
            await self._people.choose(person.user_id, chosen)
            changed = self._texts.get(person.language, f"settings-{chosen.value}")
        await self._gateway.answer(query_id, changed)
        async with self._in_turn.of(person.user_id):
            await self._gateway.edit(person, message_id, *await self._card(person))

    async def _card(self, person: Person) -> tuple[str, Keyboard]:
        language = person.language
        preset = await self._people.preset(person.user_id)
        over_cap = await self._people.over_cap(person.user_id)
        text = self._texts.get(
            language,
            "settings",
            cap=self._texts.cap(language),
            choice=Said(over_cap.value),
            format=format_name(self._texts, language, preset),
        )
        return text, keyboards.settings(self._texts, language, preset, over_cap)
