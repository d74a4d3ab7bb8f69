"""People are known to each account on its own."""

from dataclasses import replace

from uploader.model import Person
from uploader.storage.database import Database
from uploader.storage.people import People

PERSON = Person(user_id=2**62, access_hash=-(2**63), language="fa", name="پروانه 🦋")


async def test_get_when_seen_then_as_last_seen(database: Database) -> None:
    """A person who changed the name or the language is known by the new one."""
    people = People(database, 777)
    changed = replace(PERSON, access_hash=5, language="en", name="Parvaneh\0")
    await people.see(PERSON)
    first = await people.get(PERSON.user_id)
    await people.see(changed)
    assert first == PERSON
    assert await people.get(PERSON.user_id) == replace(changed, name="Parvaneh")


async def test_get_when_seen_by_another_account_then_none(database: Database) -> None:
    """An access hash is of no use to another account."""
    await People(database, 777).see(PERSON)
    assert await People(database, 778).get(PERSON.user_id) is None


async def test_preset_when_chosen_then_outlives_what_is_seen_of_the_person(database: Database) -> None:
    """People are asked until they choose a format for good; a new name changes nothing of that."""
    people = People(database, 777)
    await people.see(PERSON)
    assert await people.preset(PERSON.user_id) == ""
    await people.prefer(PERSON.user_id, "v720")
    await People(database, 777).see(replace(PERSON, name="Parvaneh"))
    assert await people.preset(PERSON.user_id) == "v720"
    assert await People(database, 778).preset(PERSON.user_id) == ""
    await people.prefer(PERSON.user_id, "")
    assert await people.preset(PERSON.user_id) == ""
