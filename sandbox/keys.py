"""Auth keys of a data centre, and who is logged in on each."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sandbox.mtproto.envelope import AuthKey
from sandbox.world.accounts import Account

#: Keys on which nobody is logged in are cheap to make for anybody, so only the newest are kept.
_ANONYMOUS_KEYS: Final = 4096


@dataclass(eq=False)
class Login:
    """One auth key: its salt, its user, and what its program said of itself."""

    key: AuthKey
    salt: int
    account: Account | None = None
    layer: int = 0
    lang_code: str = ""
    #: the code request of a login that is on its way
    phone_code_hash: str = ""
    phone: str = ""


class Logins:
    """All auth keys, by id."""

    def __init__(self) -> None:
        self._logins: dict[int, Login] = {}
        self._anonymous: OrderedDict[int, Login] = OrderedDict()

    def get(self, key_id: int) -> Login | None:
        """What is known of an auth key."""
        return self._logins.get(key_id) or self._anonymous.get(key_id)

    def add(self, key: AuthKey, salt: int) -> Login:
        """A key that was just agreed on."""
        login = self._anonymous[key.id] = Login(key, salt)
        while len(self._anonymous) > _ANONYMOUS_KEYS:
            self._anonymous.popitem(last=False)
        return login

    def log_in(self, login: Login, account: Account) -> None:
        """Somebody proved to be an account."""
        login.account = account
        self._logins[login.key.id] = login
        self._anonymous.pop(login.key.id, None)

    def log_out(self, login: Login) -> None:
        """The key stays, without its user."""
        login.account = None
        self._logins.pop(login.key.id, None)
        self._anonymous[login.key.id] = login

    def of(self, account: Account) -> list[Login]:
        """All keys on which an account is logged in."""
        return [login for login in self._logins.values() if login.account is account]

    def mint(self, account: Account) -> bytes:
        """A key that was never negotiated, logged in already: a handshake is spared."""
        # Telethon strips leading zeros off a key
        secret = bytes([1 + os.urandom(1)[0] % 255]) + os.urandom(255)
        salt = int.from_bytes(os.urandom(8), "little", signed=True)
        self.log_in(self.add(AuthKey.of(secret), salt), account)
        return secret
