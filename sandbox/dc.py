"""The data centre: a port where clients of MTProto find a world."""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from sandbox.keys import Login, Logins, Seal
from sandbox.layers import Layer, Speech
from sandbox.mtproto import messages, service, transport
from sandbox.mtproto.connection import Connection, Rooms
from sandbox.mtproto.envelope import AuthKey, BadEnvelope, Glance
from sandbox.mtproto.handshake import Handshake, Refused, read_plain, write_plain
from sandbox.mtproto.messages import BadMessage, Message
from sandbox.mtproto.pace import Gate
from sandbox.mtproto.salts import Salts
from sandbox.mtproto.server_key import ServerKey
from sandbox.mtproto.session import MessageIds, Session, Sessions
from sandbox.rpc import dispatch
from sandbox.rpc.pushes import Pushes
from sandbox.world.accounts import Account
from sandbox.world.faults import CONNECT, HARMLESS, Fault, first_to_strike
from sandbox.world.network import Network
from sandbox.world.world import World

log = logging.getLogger(__name__)

#: Clients have one, or a new one after an error; each costs memory here.
_SESSIONS_OF_A_CONNECTION: Final = 64


@dataclass
class _Guest:
    """What one connection has shown of itself: its sessions, and the seals on them."""

    handshake: Handshake
    fault: Fault
    sessions: dict[tuple[int, int], Seal] = field(default_factory=dict)


class DataCentre:
    """One port of a world. Others may share it, under other ids: accounts and files have a home among them.

    `async with`, or start and stop; then clients connect to `host` and `port`, and trust the key whose public
    half is the PEM file `public_key_path`. Clients of other API layers than Telethon's are understood if the
    `layers` are given. With `trusting`, of a file's parts only the heads are decrypted: nothing is verified,
    and the content is zeros.
    """

    def __init__(
        self,
        world: World,
        key_path: Path | None = None,
        dc_id: int = 2,
        layers: Iterable[Layer] = (),
        *,
        trusting: bool = False,
    ) -> None:
        self.world = world
        self.speech = Speech(layers)
        self.id = dc_id
        self.host = ""
        self.port = 0
        self.logins = Logins(self.now, world.ledger, dc_id)
        self.logins.take_up(world.accounts)
        self.pushes = Pushes(world, self.speech)
        self.rooms = Rooms()
        self._server_key = ServerKey.load(key_path)
        self._ids = MessageIds(self.now)
        self._sessions = Sessions(self._ids, self.now)
        self._guests: dict[Connection, _Guest] = {}
        self._gates: dict[int, Gate] = {}
        self._glance = Glance(dispatch.BULK) if trusting else None
        self._server: asyncio.Server | None = None

    @property
    def public_key_path(self) -> Path:
        """The PEM file (PKCS#1) that clients need."""
        return self._server_key.public_path

    def now(self) -> float:
        """What time it is here, in seconds since the epoch."""
        return time.time() + self.world.network.clock_skew_s

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one. Raises OSError when the port is taken."""
        await self._listen(host, port)
        self.world.listeners.append(self.pushes.tell)
        self.world.addresses[self.id] = self.host, self.port

    async def _listen(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Cut every client off and free the port."""
        if self.pushes.tell not in self.world.listeners:
            return
        self.world.listeners.remove(self.pushes.tell)
        self.world.addresses.pop(self.id, None)
        self.kill()
        await self.refuse(True)

    async def refuse(self, refuse: bool) -> None:
        """Refuse new connections, as a port does on which nobody listens, or take them again."""
        if refuse and self._server is not None:
            server, self._server = self._server, None
            server.close()
            # a turn of the loop, in which the connections that were cut learn of their end
            await asyncio.sleep(0)
        elif not refuse and self._server is None:
            await self._listen(self.host, self.port)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.stop()

    def kill(self, account: Account | None = None) -> int:
        """Cut the TCP connections of one account, or all. Gives how many."""
        doomed = [
            connection
            for connection, guest in self._guests.items()
            if account is None or any(seal.login.account is account for seal in guest.sessions.values())
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
            self.pushes.silence(login)
            self.logins.log_out(login)

    def revoke(self, account: Account) -> None:
        """End all logins of an account here, as its owner may in the settings."""
        for login in self.logins.of(account):
            self.log_out(login)

    def forget(self, account: Account) -> None:
        """Lose the auth keys of an account: whoever comes by one is told -404."""
        for login in self.logins.of(account):
            self.log_out(login)
            self.logins.forget(login.key)

    # what connections tell

    @property
    def line(self) -> Network:
        """How bad the lines are."""
        return self.world.network

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self.world.stats.connections += 1
        faults = self.world.faults
        fault = first_to_strike(faults, CONNECT) if faults else HARMLESS
        self._guests[connection] = _Guest(Handshake(self._server_key, self.now), fault)
        if fault.drop:
            connection.abort()

    def closed(self, connection: Connection) -> None:
        """A client is gone; its sessions stay for a while."""
        guest = self._guests.pop(connection)
        for forgotten in self._sessions.detach(connection, guest.sessions):
            self.pushes.forget(forgotten)

    def packet(self, connection: Connection, packet: memoryview) -> None:
        """A client sent a packet."""
        guest = self._guests[connection]
        try:
            if guest.fault.transport_error is not None:
                connection.send_error(guest.fault.transport_error)
            elif packet[:8] == bytes(8):
                self._negotiate(connection, guest.handshake, packet)
            else:
                self._receive(connection, guest, packet)
        except (Refused, BadEnvelope) as error:
            log.debug("a connection is cut: %s", error)
            connection.abort()

    def _negotiate(self, connection: Connection, handshake: Handshake, packet: memoryview) -> None:
        answer = handshake.answer(read_plain(packet))
        if handshake.key is not None:
            salts = Salts(handshake.salt, self.now())
            self.logins.add(handshake.key, salts, handshake.expires_at)
        connection.send(write_plain(self._ids.next(reply=True), answer))

    def _receive(self, connection: Connection, guest: _Guest, packet: memoryview) -> None:
        seal = self.logins.get(int.from_bytes(packet[:8], "little"))
        if seal is None:
            connection.send_error(transport.AUTH_KEY_NOT_FOUND)
            return
        opened = seal.key.open(packet) if self._glance is None else self._glance.open(seal.key, packet)
        guest.sessions[seal.key.id, opened.session_id] = seal
        if len(guest.sessions) > _SESSIONS_OF_A_CONNECTION:
            raise BadEnvelope("too many sessions")
        connection.shared_gate = self._gate(seal.login.account)
        session = self._sessions.attach(seal.key, seal.salts, opened.session_id, connection)
        outer = Message(opened.message_id, opened.seq_no, opened.body)
        try:
            session.check(opened)
            message = messages.unzip(outer)
            if not session.greeted:
                # what is older than the first message, a client sends again
                session.greet(messages.first_id(message))
            if message.constructor_id != messages.CONTAINER:
                self._message(connection, session, seal, message)
                return
            session.take_container(message)
            for inner in messages.contents(message):
                self._message(connection, session, seal, inner)
        except BadMessage as error:
            session.refuse(outer.id, outer.seq_no, error.code)

    def _forget(self, key: AuthKey) -> bool:
        """A client destroys its key: who is logged in on it is not any more."""
        seal = self.logins.get(key.id)
        if seal is not None and seal.login.key is key:
            self.log_out(seal.login)
        return self.logins.forget(key)

    def _gate(self, account: Account | None) -> Gate | None:
        """What all uploads of an account pass."""
        if account is None or not self.world.network.account_upload_bytes_s:
            return None
        return self._gates.setdefault(account.id, Gate(lambda: self.world.network.account_upload_bytes_s))

    def _message(self, connection: Connection, session: Session, seal: Seal, message: Message) -> None:
        try:
            if service.handle(message, session, connection, self._sessions, self._forget):
                return
            new = session.take(message, content=True)
        except BadMessage as error:
            session.refuse(message.id, message.seq_no, error.code)
            return
        if new or not session.repeat(message.id):
            session.begin(message.id)
            dispatch.answer(self, session, seal, message)
