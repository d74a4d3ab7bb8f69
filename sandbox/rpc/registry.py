"""What an RPC is: a request class, a function that answers it, and who may call it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any, Protocol

from sandbox import tl
from sandbox.keys import Login, Logins, Seal
from sandbox.layers import Speech
from sandbox.mtproto.session import Session
from sandbox.rpc.pushes import Pushes
from sandbox.world.accounts import Account
from sandbox.world.world import World


class RpcError(Exception):
    """The answer to a call is an error: its code and name as Telegram gives them."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


class Centre(Protocol):
    """The data centre, as the calls that reach it see it."""

    id: int
    world: World
    speech: Speech
    logins: Logins
    pushes: Pushes

    def now(self) -> float:
        """What time it is here, in seconds since the epoch."""

    def log_in(self, login: Login, account: Account) -> None:
        """Somebody proved to be an account."""

    def log_out(self, login: Login) -> None:
        """End a login."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call on its way: where it arrived, who made it, and whether it asks for updates."""

    dc: Centre
    session: Session
    seal: Seal
    message_id: int
    quiet: bool = False

    @property
    def login(self) -> Login:
        return self.seal.login

    @property
    def world(self) -> World:
        return self.dc.world

    @property
    def account(self) -> Account:
        """Who calls. Raises RpcError when nobody is logged in."""
        account = self.login.account
        if account is None:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        return account


#: An answer is a TL object, a bool, a list of TL objects, or a future of one.
Answer = Any
Handler = Callable[[Call, Any], Answer | asyncio.Future[Any]]


@dataclass(frozen=True, slots=True)
class Rpc:
    """One method. `parse` reads its request where Telethon's reader would be too slow."""

    request: Any
    handler: Handler
    name: str
    anonymous: bool
    passive: bool
    bots: bool
    users: bool
    parse: Callable[[memoryview], Any] | None

    def run(self, call: Call, request: Any) -> Answer:
        """Answer a call. Raises RpcError."""
        if not self.anonymous:
            self._admit(call.account)
        if not (self.passive or call.quiet):
            call.dc.pushes.listen(call.session, call.login)
        return self.handler(call, request)

    def _admit(self, account: Account) -> None:
        if account.is_bot and not self.bots:
            raise RpcError(400, "BOT_METHOD_INVALID")
        if not account.is_bot and not self.users:
            raise RpcError(400, "USER_BOT_REQUIRED")


def later(answer: "asyncio.Future[Any]", show: Callable[[Any], Answer]) -> "asyncio.Future[Any]":
    """The answer to a call that waits for a bot: what `show` makes of the bot's, or BOT_RESPONSE_TIMEOUT."""
    shown: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def answered(done: "asyncio.Future[Any]") -> None:
        if done.result() is None:
            shown.set_exception(RpcError(400, "BOT_RESPONSE_TIMEOUT"))
        else:
            shown.set_result(show(done.result()))

    answer.add_done_callback(answered)
    return shown


def rpc(
    request: Any,
    *,
    anonymous: bool = False,
    passive: bool = False,
    bots: bool = True,
    users: bool = True,
    parse: Callable[[memoryview], Any] | None = None,
) -> Callable[[Handler], Rpc]:
    """Make a function the answer to a request class.

    `anonymous`: may be called before login. `passive`: calling it does not ask for updates.
    `bots`, `users`: which kind of account may call it.
    """

    def register(handler: Handler) -> Rpc:
        return Rpc(request, handler, tl.name_of(request), anonymous, passive, bots, users, parse)

    return register


def table(listed: Iterable[Rpc], *modules: ModuleType) -> Mapping[int, Rpc]:
    """Those RPCs and all of the modules, by constructor id."""
    found = (entry for module in modules for entry in vars(module).values() if isinstance(entry, Rpc))
    return MappingProxyType({entry.request.CONSTRUCTOR_ID: entry for entry in (*listed, *found)})
