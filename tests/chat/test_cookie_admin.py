"""What admins hear of cookies unasked."""

from pathlib import Path
from typing import Any

from uploader import limits
from uploader.chat.cookie_admin import CookieAdminChat
from uploader.cookies import CookieJars
from uploader.errors import TelegramError
from uploader.model import Person
from uploader.storage.cookies import Cookies
from uploader.storage.database import Database
from uploader.storage.people import People
from uploader.texts import Texts

ADMIN = Person(user_id=5, access_hash=1, language="en", name="Anna")


class Door:
    """Telegram, which refuses some messages first."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.said: list[str] = []

    async def say(self, person: Person, text: str) -> None:
        """Take a message, or not."""
        if self.refusals:
            self.refusals -= 1
            raise TelegramError("refused")
        self.said.append(text)


async def test_quarantine_when_no_admin_could_be_told_is_told_later(tmp_path: Path) -> None:
    """One who has not written yet, and a message that Telegram refuses: neither has heard of it."""
    async with await Database.open(f"sqlite:///{tmp_path}/peyk.db") as database:
        cookies, people, door = Cookies(database), People(database, 1), Door(refusals=1)
        number = await cookies.add("films.example", 1, b"sealed")
        for link in range(limits.COOKIE_REJECTIONS):
            await cookies.rejected(number, str(link))
        jars: Any = CookieJars(cookies, b"secret", tmp_path / "cookies")
        gateway: Any = door
        chat = CookieAdminChat(gateway, jars, cookies, people, Texts("en"), [ADMIN.user_id])
        said = []
        for round_ in range(4):
            await chat.watch()
            said.append(len(door.said))
            if round_ == 0:
                await people.see(ADMIN)
    assert [0, 0, 1, 1] == said
    assert "films.example" in door.said[0]
