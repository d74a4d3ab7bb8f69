"""Cookies that an admin sends in the chat: taken in, deleted there, and listed without what is in them."""

from telethon.tl import functions

from sandbox.people import Person
from tests.engine.conftest import Scene

FILE = b"# Netscape HTTP Cookie File\n.films.example\tTRUE\t/\tTRUE\t0\tsid\tvery-secret\n"


async def give(admin: Person, content: bytes, caption: str = "/cookies add") -> None:
    """Send a file with a text under it."""
    await admin.client.send_file(admin.bot, content, caption=caption, force_document=True)


async def menu(person: Person) -> list[str]:
    """The commands that a client shows in the chat with the bot."""
    full = await person.client(functions.users.GetFullUserRequest(person.bot))
    return [command.command for command in full.full_user.bot_info.commands]


async def test_cookies_in_the_chat_when_an_admin_sends_them_are_sealed_and_the_message_goes(
    scene: Scene,
) -> None:
    """Added, refused, listed and removed; somebody else is no admin, and has sent a file."""
    async with scene.engine(), scene.person(scene.admin) as admin, scene.person() as user:
        for person in (admin, user):
            await person.send("/start")
            await person.expect()
        await give(admin, FILE)
        said = await admin.expect("Sealed as")
        await give(admin, FILE, "/cookies add other.example")
        refused = await admin.expect("cookies of other sites")
        await give(admin, bytes(range(256)))
        await admin.expect("no text file")
        await admin.send("/cookies")
        listed = await admin.expect("films.example")
        await admin.send("/sites")
        await admin.expect("No site rests")
        await admin.send("/cookies remove 1")
        await admin.expect("are gone")
        await give(user, FILE)
        await user.expect("write a new name")
        offered = [await menu(person) for person in (admin, user)]
        left = [message.message async for message in admin.client.iter_messages(admin.bot)]
    everybody = ["start", "help", "settings", "cancel"]
    assert [*everybody, "status", "failed", "maintenance", "lock", "sites", "cookies"] == offered[0]
    assert everybody == offered[1]
    assert not any("very-secret" in message.message for message in (said, refused, listed))
    assert not any("/cookies add" in text for text in left if not text.startswith("There"))
