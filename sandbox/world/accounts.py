"""Accounts: people by phone, bots by token."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sandbox.world.box import Box, Sent
from sandbox.world.passwords import Verifier

#: The login code of everybody.
LOGIN_CODE: Final = "12345"
#: random_ids of an account that are remembered.
_REMEMBERED_SENDS: Final = 10_000
_FIRST_USER_ID: Final = 5_000_000_001
_FIRST_BOT_ID: Final = 7_000_000_001
_FIRST_PHONE: Final = 9996610001


@dataclass(eq=False)
class Account:
    """A user or a bot. Its private messages lie in its own box, under its own numbers."""

    kind: ClassVar[str] = "account"

    id: int
    first_name: str
    username: str | None = None
    phone: str | None = None
    token: str | None = None
    lang_code: str = "en"
    premium: bool = False
    #: the data centre where it is at home, by id; None: wherever it comes
    home_dc: int | None = None
    #: the second factor of a login, if there is one
    password: Verifier | None = None
    #: whether a bot answers inline queries
    inline: bool = False
    #: ids of accounts that ever wrote to this one, and of those that may not any more
    heard_from: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    #: until when (seconds since the epoch) a bot may write to people who asked to join
    open_until: dict[int, float] = field(default_factory=dict)
    #: what was read, by peer
    read_up_to: dict[int, int] = field(default_factory=dict)
    #: a bot's commands, by scope and language, as it set them
    commands: dict[bytes, list[Any]] = field(default_factory=dict)
    box: Box = field(init=False, metadata={"kept": False})
    #: what was sent under which random_id
    sent: OrderedDict[int, Sent] = field(default_factory=OrderedDict, init=False, metadata={"kept": False})

    def __post_init__(self) -> None:
        self.box = Box(self.id)

    @property
    def is_bot(self) -> bool:
        return self.token is not None

    @property
    def peer_id(self) -> int:
        """The marked id: of people it is the id itself."""
        return self.id

    @property
    def key(self) -> str:
        return str(self.id)

    def remember_sent(self, random_id: int, sent: Sent) -> None:
        """Keep what was sent under a random_id, so that a repeated one answers the same."""
        self.sent[random_id] = sent
        while len(self.sent) > _REMEMBERED_SENDS:
            self.sent.popitem(last=False)


class Accounts:
    """The directory of all accounts. `secret` makes the access hashes."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(16)
        self._by_id: dict[int, Account] = {}
        self._by_phone: dict[str, Account] = {}
        self._by_token: dict[str, Account] = {}
        self._next_user_id = _FIRST_USER_ID
        self._next_bot_id = _FIRST_BOT_ID
        self._next_phone = _FIRST_PHONE

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def get(self, account_id: int) -> Account | None:
        """The account with this id."""
        return self._by_id.get(account_id)

    def by_phone(self, phone: str) -> Account | None:
        """The user with this phone number; its punctuation does not matter. Raises ValueError."""
        return self._by_phone.get(_digits(phone))

    def by_token(self, token: str) -> Account | None:
        """The bot with this token."""
        return self._by_token.get(token)

    def add(self, account: Account) -> Account:
        """Enter a new account. Raises ValueError when its id, phone or token is taken."""
        if account.id in self._by_id:
            raise ValueError(f"account {account.id} exists")
        if account.phone in self._by_phone:
            raise ValueError(f"{account.phone} is taken")
        self._by_id[account.id] = account
        if account.phone is not None:
            self._by_phone[account.phone] = account
        if account.token is not None:
            self._by_token[account.token] = account
        return account

    def new_user_id(self) -> int:
        """An id that nobody has."""
        while self._next_user_id in self._by_id:
            self._next_user_id += 1
        return self._next_user_id

    def new_token(self) -> str:
        """A token for a new bot; the number before its colon is an id that nobody has."""
        while self._next_bot_id in self._by_id:
            self._next_bot_id += 1
        return f"{self._next_bot_id}:{secrets.token_urlsafe(26)}"

    def new_phone(self) -> str:
        """A phone number that nobody has."""
        while str(self._next_phone) in self._by_phone:
            self._next_phone += 1
        return str(self._next_phone)

    def add_user(self, first_name: str, phone: str | None = None, lang_code: str = "en") -> Account:
        """A new user. Raises ValueError when the phone number is taken."""
        digits = _digits(phone) if phone else self.new_phone()
        return self.add(Account(self.new_user_id(), first_name, phone=digits, lang_code=lang_code))

    def add_bot(self, username: str, first_name: str, token: str | None = None) -> Account:
        """A new bot. Its id is the number before the colon of its token."""
        token = token or self.new_token()
        return self.add(Account(int(token.partition(":")[0]), first_name, username, token=token))

    def access_hash(self, viewer: Account, kind: str, of_id: int) -> int:
        """The number by which one account, and no other, may name a user, a channel or a document."""
        digest = hmac.digest(self.secret, f"{viewer.id} {kind} {of_id}".encode(), "sha256")
        return int.from_bytes(digest[:8], "little", signed=True)


def _digits(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone))
    if not 5 <= len(digits) <= 15:
        raise ValueError("a phone number has 5 to 15 digits")
    return digits
