"""Accounts: people by phone, bots by token."""

import hmac
import itertools
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sandbox.world.box import Box

if TYPE_CHECKING:
    from sandbox.world.post_office import Sent

#: The login code of everybody.
LOGIN_CODE: Final = "12345"
#: random_ids of an account that are remembered.
_REMEMBERED_SENDS: Final = 10_000


@dataclass(eq=False)
class Account:
    """A user or a bot. Its private messages lie in its own box, under its own numbers."""

    id: int
    first_name: str
    username: str | None = None
    phone: str | None = None
    token: str | None = None
    lang_code: str = "en"
    premium: bool = False
    #: the data centre where it is at home, by id; None: wherever it comes
    home_dc: int | None = None
    #: ids of accounts that ever wrote to this one, and of those that may not any more
    heard_from: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    box: Box = field(default_factory=Box)
    #: what was sent under which random_id
    sent: OrderedDict[int, "Sent"] = field(default_factory=OrderedDict)
    #: a bot's commands, by scope and language, as it set them
    commands: dict[bytes, list[Any]] = field(default_factory=dict)

    @property
    def is_bot(self) -> bool:
        return self.token is not None

    def remember_sent(self, random_id: int, sent: "Sent") -> None:
        """Keep what was sent under a random_id, so that a repeated one answers the same."""
        self.sent[random_id] = sent
        while len(self.sent) > _REMEMBERED_SENDS:
            self.sent.popitem(last=False)


class Accounts:
    """The directory of all accounts."""

    def __init__(self) -> None:
        self._by_id: dict[int, Account] = {}
        self._user_ids = itertools.count(5_000_000_001)
        self._bot_ids = itertools.count(7_000_000_001)
        self._phones = itertools.count(9996610001)
        self._secret = secrets.token_bytes(16)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def get(self, account_id: int) -> Account | None:
        """The account with this id."""
        return self._by_id.get(account_id)

    def by_phone(self, phone: str) -> Account | None:
        """The user with this phone number; its punctuation does not matter."""
        digits = _digits(phone)
        return next((found for found in self._by_id.values() if found.phone == digits), None)

    def by_token(self, token: str) -> Account | None:
        """The bot with this token."""
        return next((found for found in self._by_id.values() if found.token == token), None)

    def add_user(self, first_name: str, phone: str | None = None, lang_code: str = "en") -> Account:
        """A new user. Raises ValueError when the phone number is taken."""
        digits = _digits(phone) if phone else self._free_phone()
        if self.by_phone(digits) is not None:
            raise ValueError(f"{digits} is taken")
        user = Account(next(self._user_ids), first_name, phone=digits, lang_code=lang_code)
        self._by_id[user.id] = user
        return user

    def add_bot(self, username: str, first_name: str, token: str | None = None) -> Account:
        """A new bot. Its id is the number before the colon of its token."""
        if token is None:
            token = f"{next(self._bot_ids)}:{secrets.token_urlsafe(26)}"
        bot = Account(int(token.partition(":")[0]), first_name, username=username, token=token)
        if bot.id in self._by_id:
            raise ValueError(f"account {bot.id} exists")
        self._by_id[bot.id] = bot
        return bot

    def _free_phone(self) -> str:
        numbers = map(str, self._phones)
        return next(number for number in numbers if self.by_phone(number) is None)

    def access_hash(self, viewer: Account, kind: str, of_id: int) -> int:
        """The number by which one account, and no other, may name a user, a channel or a document."""
        digest = hmac.digest(self._secret, f"{viewer.id} {kind} {of_id}".encode(), "sha256")
        return int.from_bytes(digest[:8], "little", signed=True)


def _digits(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone))
    if not 5 <= len(digits) <= 15:
        raise ValueError("a phone number has 5 to 15 digits")
    return digits
