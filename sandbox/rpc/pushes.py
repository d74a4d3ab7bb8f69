"""Updates on their way to the sessions that want them, in order or, by a fault, not."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sandbox import tl
from sandbox.keys import Login
from sandbox.layers import Speech
from sandbox.mtproto.session import Session
from sandbox.rpc.view import View
from sandbox.world.accounts import Account
from sandbox.world.box import Logged
from sandbox.world.faults import HARMLESS, PUSH, first_to_strike
from sandbox.world.world import World

#: A push that the next one shall overtake goes anyway when so long none came.
_OVERTAKEN_S: Final = 1.0


class Pushes:
    """Who hears of what happens to an account in one data centre, and how it is told."""

    def __init__(self, world: World, speech: Speech) -> None:
        self._world = world
        self._speech = speech
        self._listening: dict[int, dict[Session, Login]] = {}
        # the session whose call is being answered: it learns by the answer
        self._calling: Session | None = None
        # by account, what waits for the next push to overtake it
        self._overtaken: dict[int, list[Any]] = {}

    def listen(self, session: Session, login: Login) -> None:
        """A session called something that shows its interest: it gets its account's updates from now on.

        Those who brought their login from another data centre get theirs there.
        """
        if login.account is not None and not login.imported:
            self._listening.setdefault(login.account.id, {})[session] = login

    def silence(self, login: Login) -> None:
        """The sessions of a login hear nothing more."""
        for listening in self._listening.values():
            for session in [session for session, its_login in listening.items() if its_login is login]:
                del listening[session]

    def forget(self, session: Session) -> None:
        """A session is no more."""
        for listening in self._listening.values():
            listening.pop(session, None)

    @contextmanager
    def calling(self, session: Session) -> Iterator[None]:
        """While a call is answered, its own session is not told what the answer tells it."""
        self._calling = session
        try:
            yield
        finally:
            self._calling = None

    def tell(self, account: Account, logged: Logged) -> None:
        """Something happened to an account."""
        listening = {
            session: login
            for session, login in self._listening.get(account.id, {}).items()
            if session.carrier is not None
            # memberships are told by a push even to whoever caused them
            and (logged.qts or session is not self._calling)
        }
        if not listening:
            return
        view = View(self._world, account)
        update = view.update(logged)
        self._push(account, listening, update, view.updates([update], [logged]))

    def _push(self, account: Account, listening: dict[Session, Login], update: Any, pushed: Any) -> None:
        faults = self._world.faults
        name = PUSH + tl.name_of(type(update)) if faults else ""
        fault = first_to_strike(faults, name, None, account.id) if faults else HARMLESS
        if fault.drop:
            for session in listening:
                session.cut()
        if fault.drop or fault.swallow:
            return
        loop = asyncio.get_running_loop()
        if fault.delay_s:
            loop.call_later(fault.delay_s, self._send, listening, pushed)
            return
        if fault.reorder:
            self._overtaken.setdefault(account.id, []).append((listening, pushed))
            loop.call_later(_OVERTAKEN_S, self._let_go, account.id)
            return
        for _ in range(1 + fault.duplicate):
            self._send(listening, pushed)
        self._let_go(account.id)

    def _let_go(self, account_id: int) -> None:
        for listening, pushed in self._overtaken.pop(account_id, ()):
            self._send(listening, pushed)

    def _send(self, listening: dict[Session, Login], pushed: Any) -> None:
        bodies: dict[int, bytes] = {}
        for session, login in listening.items():
            if login.layer not in bodies:
                bodies[login.layer] = self._speech.write(pushed, login.layer)
            session.send(bodies[login.layer], reply=False)
