"""Auth keys of a data centre, and who is logged in on each."""

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.mtproto.envelope import AuthKey
from sandbox.mtproto.numbers import Clock
from sandbox.mtproto.salts import Salts
from sandbox.world.accounts import Account, Accounts
from sandbox.world.ledger import Ledger

#: Keys on which nobody is logged in, and temporary ones, are cheap to make: only the newest are kept.
_ANONYMOUS_KEYS: Final = 4096


@dataclass(eq=False)
class Login:
    """One authorization: its permanent key, its user, and what its program said of itself."""

    key: AuthKey
    account: Account | None = None
    layer: int = 0
    lang_code: str = ""
    #: the code request of a login that is on its way
    phone_code_hash: str = ""
    phone: str = ""
    #: brought from another data centre, where the account is at home
    imported: bool = False
    #: whose code was right, and whose password is still to come
    halfway: Account | None = None


@dataclass(eq=False)
class Seal:
    """One auth key as packets name it, and the login that it stands for.

    A temporary one ends at `expires_at`; its login is of no use before it is `bound` to a permanent key's.
    https://core.telegram.org/api/pfs
    """

    key: AuthKey
    salts: Salts
    login: Login
    expires_at: float | None = None
    bound: bool = False

    @property
    def usable(self) -> bool:
        """Whether calls may come by it."""
        return self.expires_at is None or self.bound


class Logins:
    """All auth keys of a data centre, by id. The ledger keeps those on which somebody is logged in."""

    def __init__(self, clock: Clock, ledger: Ledger, dc_id: int) -> None:
        self._clock = clock
        self._ledger = ledger
        self._dc_id = dc_id
        self._used: dict[int, Seal] = {}
        self._others: OrderedDict[int, Seal] = OrderedDict()

    def get(self, key_id: int) -> Seal | None:
        """What is known of an auth key; nothing, once it has expired."""
        seal = self._used.get(key_id) or self._others.get(key_id)
        if seal is not None and seal.expires_at is not None and seal.expires_at <= self._clock():
            del self._others[key_id]
            return None
        return seal

    def __iter__(self) -> Iterator[Seal]:
        """The permanent keys on which somebody is logged in."""
        return iter(self._used.values())

    def add(self, key: AuthKey, salts: Salts, expires_at: float | None = None) -> Seal:
        """A key that was just agreed on."""
        seal = self._others[key.id] = Seal(key, salts, Login(key), expires_at)
        while len(self._others) > _ANONYMOUS_KEYS:
            self._others.popitem(last=False)
        return seal

    def log_in(self, login: Login, account: Account) -> None:
        """Somebody proved to be an account."""
        login.account = account
        seal = self._others.pop(login.key.id, None)
        if seal is not None:
            self._used[login.key.id] = seal
        kept = {"key": login.key.key, "account": account.id, "layer": login.layer, "lang": login.lang_code}
        self._ledger.put("login", self._row(login), {**kept, "imported": login.imported})

    def _row(self, login: Login) -> str:
        return f"{self._dc_id}/{login.key.id}"

    def log_out(self, login: Login) -> None:
        """The key stays, without its user."""
        login.account = None
        self._ledger.put("login", self._row(login), None)
        seal = self._used.pop(login.key.id, None)
        if seal is not None:
            self._others[login.key.id] = seal

    def forget(self, key: AuthKey) -> bool:
        """Destroy a key on which nobody is logged in; whether there was one. It is unknown from now on."""
        return self._others.pop(key.id, None) is not None

    def of(self, account: Account) -> list[Login]:
        """All logins of an account."""
        return [seal.login for seal in self._used.values() if seal.login.account is account]

    def bind(self, seal: Seal, login: Login) -> None:
        """A temporary key stands for a login from now on."""
        seal.login, seal.bound = login, True

    def replace_salts(self) -> None:
        """No salt is good any more: every session will be told a new one."""
        for seal in (*self._used.values(), *self._others.values()):
            seal.salts.replace(self._clock())

    def restore(
        self, secret: bytes, salt: int, account: Account, layer: int = 0, lang_code: str = ""
    ) -> Login:
        """A permanent key from before, on which somebody is logged in."""
        login = self.add(AuthKey.of(secret), Salts(salt, self._clock())).login
        login.layer, login.lang_code = layer, lang_code
        self.log_in(login, account)
        return login

    def take_up(self, accounts: Accounts) -> None:
        """The keys that the ledger kept; their salts are new, as clients will be told."""
        for row, kept in self._ledger.things("login"):
            account = accounts.get(kept["account"])
            if account is not None and row.startswith(f"{self._dc_id}/"):
                login = self.restore(kept["key"], _salt(), account, kept["layer"], kept["lang"])
                login.imported = kept["imported"]

    def mint(self, account: Account) -> bytes:
        """A key that was never negotiated, logged in already: a handshake is spared."""
        # Telethon strips leading zeros off a key
        secret = bytes([1 + os.urandom(1)[0] % 255]) + os.urandom(255)
        self.restore(secret, _salt(), account)
        return secret


def _salt() -> int:
    return int.from_bytes(os.urandom(8), "little", signed=True)
