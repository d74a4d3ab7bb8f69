"""Settings that outlive the engine."""

from uploader.storage.database import Database
from uploader.storage.settings import Settings


async def test_maintenance_then_off_until_it_is_switched_on(database: Database) -> None:
    """A fresh database serves; the switch holds."""
    settings = Settings(database)
    seen = [await settings.maintenance()]
    for on in (True, True, False):
        await settings.set_maintenance(on)
        seen.append(await settings.maintenance())
    assert seen == [False, True, True, False]


async def test_get_then_the_json_value_that_was_set(database: Database) -> None:
    """Any JSON value comes back as it was."""
    settings = Settings(database)
    values: list[object] = [None, True, 0, -1.5, "متن", [1, {"a": None}], {"nested": {"list": []}}]
    for value in values:
        await settings.set("key", value)
        assert await settings.get("key") == value
    assert await settings.get("other") is None
