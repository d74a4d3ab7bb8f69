"""The data centre: a port where clients of MTProto find a world."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from sandbox.keys import Login, Logins
from sandbox.layers import Layer, Speech
from sandbox.mtproto import service, transport
from sandbox.mtproto.connection import Connection
from sandbox.mtproto.envelope import BadEnvelope
from sandbox.mtproto.handshake import Handshake, Refused, read_plain, write_plain
from sandbox.mtproto.messages import BadMessage, Message, unpack
from sandbox.mtproto.server_key import ServerKey
from sandbox.mtproto.session import MessageIds, Session, Sessions
from sandbox.rpc import dispatch
from sandbox.rpc.view import View
from sandbox.world.accounts import Account
from sandbox.world.box import Logged
from sandbox.world.world import World

log = logging.getLogger(__name__)

#: Clients have one, or a new one after an error; each costs memory here.
_SESSIONS_OF_A_CONNECTION: Final = 64


@dataclass
class _Guest:
    """What one connection has shown of itself."""

    handshake: Handshake
    sessions: set[tuple[int, int]] = field(default_factory=set)


class DataCentre:
    """One port of a world.

    `async with`, or start and stop; then clients connect to `host` and `port`, and trust the key whose public
    half is the PEM file `public_key_path`. Clients of other API layers than Telethon's are understood if the
    `layers` are given.
    """

    def __init__(
        self, world: World, key_path: Path | None = None, dc_id: int = 2, layers: Iterable[Layer] = ()
    ) -> None:
        self.world = world
        self.speech = Speech(layers)
        self.id = dc_id
        self.host = ""
        self.port = 0
        self.logins = Logins()
        self._server_key = ServerKey.load(key_path)
        self._ids = MessageIds()
        self._sessions = Sessions(self._ids)
        self._guests: dict[Connection, _Guest] = {}
        # the sessions that get an account's updates
        self._listening: dict[int, set[Session]] = {}
        # the session whose call is being answered: it learns by the answer
        self._calling: Session | None = None
        self._server: asyncio.Server | None = None

    @property
    def public_key_path(self) -> Path:
        """The PEM file (PKCS#1) that clients need."""
        return self._server_key.public_path

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self.world.listeners.append(self._tell)

    async def stop(self) -> None:
        """Cut every client off and free the port."""
        if self._server is None:
            return
        self.world.listeners.remove(self._tell)
        self._server.close()
        self.kill()
        await self._server.wait_closed()
        # a turn of the loop, in which the connections learn of their end
        await asyncio.sleep(0)
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.stop()

    def kill(self, account: Account | None = None) -> int:
        """Cut the TCP connections of one account, or all. Gives how many."""
        keys = {login.key.id for login in self.logins.of(account)} if account is not None else None
        doomed = [
            connection
            for connection, guest in self._guests.items()
            if keys is None or any(key_id in keys for key_id, _ in guest.sessions)
        ]
        for connection in doomed:
            connection.abort()
        return len(doomed)

    def log_in(self, login: Login, account: Account) -> None:
        """Somebody proved to be an account; whoever was logged in on the key before is not any more."""
        self.log_out(login)
        self.logins.log_in(login, account)

    def log_out(self, login: Login) -> None:
        """End a login: its next call earns AUTH_KEY_UNREGISTERED."""
        if login.account is not None:
            listening = self._listening.get(login.account.id, set())
            listening -= {session for session in listening if session.key is login.key}
            self.logins.log_out(login)

    def revoke(self, account: Account) -> None:
        """End all logins of an account, as its owner may in the settings."""
        for login in self.logins.of(account):
            self.log_out(login)

    # what connections tell

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self.world.stats.connections += 1
        self._guests[connection] = _Guest(Handshake(self._server_key))

    def closed(self, connection: Connection) -> None:
        """A client is gone; its sessions stay for a while."""
        guest = self._guests.pop(connection)
        for forgotten in self._sessions.detach(connection, guest.sessions):
            for listening in self._listening.values():
                listening.discard(forgotten)

    def latency_s(self) -> float:
        """How long every packet to a client is held back."""
        return self.world.latency_s

    def packet(self, connection: Connection, packet: memoryview) -> None:
        """A client sent a packet."""
        try:
            if packet[:8] == bytes(8):
                self._negotiate(connection, packet)
            else:
                self._receive(connection, packet)
        except (Refused, BadEnvelope) as error:
            log.debug("a connection is cut: %s", error)
            connection.abort()

    def _negotiate(self, connection: Connection, packet: memoryview) -> None:
        handshake = self._guests[connection].handshake
        answer = handshake.answer(read_plain(packet))
        if handshake.key is not None:
            self.logins.add(handshake.key, handshake.salt)
        connection.send(write_plain(self._ids.next(reply=True), answer))

    def _receive(self, connection: Connection, packet: memoryview) -> None:
        login = self.logins.get(int.from_bytes(packet[:8], "little"))
        if login is None:
            connection.send_error(transport.AUTH_KEY_NOT_FOUND)
            return
        opened = login.key.open(packet)
        held = self._guests[connection].sessions
        held.add((login.key.id, opened.session_id))
        if len(held) > _SESSIONS_OF_A_CONNECTION:
            raise BadEnvelope("too many sessions")
        session = self._sessions.attach(login.key, login.salt, opened.session_id, connection)
        outer = Message(opened.message_id, opened.seq_no, opened.body)
        try:
            session.check(opened)
            session.greet(outer.id)
            for message in unpack(outer):
                self._message(connection, session, login, message)
        except BadMessage as error:
            session.refuse(outer.id, outer.seq_no, error.code)

    def _message(self, connection: Connection, session: Session, login: Login, message: Message) -> None:
        try:
            if service.handle(message, session, connection, self._sessions):
                return
            message.check_seq_no(content=True)
        except BadMessage as error:
            session.refuse(message.id, message.seq_no, error.code)
            return
        if session.is_new(message.id):
            dispatch.answer(self, session, login, message)

    # what calls and the world tell

    def listen(self, session: Session, account: Account) -> None:
        """A session called something that shows its interest: it gets the account's updates from now on."""
        self._listening.setdefault(account.id, set()).add(session)

    @contextmanager
    def calling(self, session: Session) -> Iterator[None]:
        """While a call is answered, its own session is not told what the answer tells it."""
        self._calling = session
        try:
            yield
        finally:
            self._calling = None

    def _tell(self, account: Account, logged: Logged) -> None:
        listening = [
            session
            for session in self._listening.get(account.id, ())
            if session.carrier is not None
            # memberships are told by a push even to whoever caused them
            and (logged.qts or session is not self._calling)
        ]
        if listening:
            pushed = self._pushed(account, logged)
            layers = {session: self._layer_of(session) for session in listening}
            bodies = {layer: self.speech.write(pushed, layer) for layer in set(layers.values())}
            for session, layer in layers.items():
                session.send(bodies[layer], reply=False)

    def _layer_of(self, session: Session) -> int:
        login = self.logins.get(session.key.id)
        return login.layer if login is not None else 0

    def _pushed(self, account: Account, logged: Logged) -> Any:
        view = View(self.world, self.id, account)
        return view.updates([view.update(logged)], [logged])
