"""Sessions: one client program's conversation over one auth key, whatever connections carry it."""

import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Protocol

from telethon.tl import types

from sandbox.mtproto import messages
from sandbox.mtproto.envelope import AuthKey, Opened
from sandbox.mtproto.messages import BadMessage, Message
from sandbox.mtproto.numbers import TOO_NEW_S, Clock, Received, check_time
from sandbox.mtproto.salts import Salts

#: Calls of a session that are remembered with their answers, should the client repeat one.
_REMEMBERED_CALLS: Final = 128
#: Messages to a client that it has not acknowledged and may ask for again.
_REMEMBERED_MESSAGES: Final = 64
#: Longer ones are not remembered.
_REMEMBERED_BYTES: Final = 1024
#: Sessions that are remembered without a connection.
_DETACHED_SESSIONS: Final = 512

#: msgs_state_info: an answer to this was sent, or is on its way.
_ANSWERED: Final = 64
_RUNNING: Final = 32


class Carrier(Protocol):
    """What a session needs of the connection that it answers through."""

    def send(self, packet: bytes) -> None:
        """Send one sealed packet."""

    def send_error(self, code: int) -> None:
        """Send a transport error, and close."""

    def close(self) -> None:
        """Close once all is sent."""

    def abort(self) -> None:
        """Cut the connection."""


class MessageIds:
    """The ids of a data centre's own messages: unique and rising over all its connections.

    Clients ignore a repeated id, and the call that it answers would hang for ever.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._last = 0

    def next(self, *, reply: bool) -> int:
        """An id for a reply to a client (1 modulo 4) or for a message of the server's own accord (3)."""
        now = int(self._clock() * 2**32) & ~3
        # a clock that was set back by hand is followed, for clients set theirs by these ids
        set_back = now < self._last - (TOO_NEW_S << 32)
        self._last = now if set_back else max(self._last + 4, now)
        return self._last + (1 if reply else 3)


class Session:
    """One session. It is attached to the connection that was last heard of."""

    def __init__(self, key: AuthKey, salts: Salts, session_id: int, ids: MessageIds, clock: Clock) -> None:
        self.key = key
        self.salts = salts
        self.id = session_id
        self.carrier: Carrier | None = None
        self._ids = ids
        self._clock = clock
        self._received = Received()
        self._content_sent = 0
        #: whether the client knows that this session is new here
        self.greeted = False
        # answers by message id; None: it is still to come
        self._answers: OrderedDict[int, bytes | None] = OrderedDict()
        self._unacknowledged: OrderedDict[int, tuple[int, bytes]] = OrderedDict()

    def now(self) -> float:
        """What time it is at the data centre, in seconds since the epoch."""
        return self._clock()

    def check(self, opened: Opened) -> None:
        """Refuse a packet whose message id or salt is wrong. Raises BadMessage."""
        now = self._clock()
        check_time(opened.message_id, now)
        if not self.salts.accepts(opened.salt, now):
            raise BadMessage(messages.BAD_SALT)

    def take(self, message: Message, *, content: bool) -> bool:
        """Take a message that is new; False: it came before. Raises BadMessage when it is out of order."""
        message.check_seq_no(content=content)
        if message.id in self._received:
            return False
        self._received.take(message.id, message.seq_no)
        return True

    def take_container(self, message: Message) -> None:
        """Take a container, whose id must be new. Raises BadMessage."""
        if not self.take(message, content=False):
            raise BadMessage(messages.CONTAINER_ID_USED)

    def begin(self, message_id: int) -> None:
        """A call is being answered."""
        self._answers[message_id] = None
        while len(self._answers) > _REMEMBERED_CALLS:
            self._answers.popitem(last=False)

    def repeat(self, message_id: int) -> bool:
        """A call came again: its answer is sent again, or is still to come. False: it is not remembered."""
        answer = self._answers.get(message_id)
        if answer is not None:
            self.send(answer, reply=True)
        return message_id in self._answers

    def answer(self, message_id: int, result: bytes) -> None:
        """Send the answer to a call."""
        self.remember(message_id, result)
        self.send(result, reply=True)

    def announce(self, message_id: int, result: bytes) -> None:
        """Tell of an answer, which the client may then ask for: msg_detailed_info."""
        self.remember(message_id, result)
        answer_id = self._ids.next(reply=True)
        self._number(result, answer_id)
        notice = types.MsgDetailedInfo(message_id, answer_id, len(result), status=0)
        self.send(bytes(notice), reply=True, content=False)

    def remember(self, message_id: int, result: bytes) -> None:
        """Keep an answer for when the call comes again."""
        if message_id not in self._answers:
            return
        if len(result) <= _REMEMBERED_BYTES:
            self._answers[message_id] = result
        else:
            # a long answer is to a question that may well be answered twice
            del self._answers[message_id]

    def cut(self) -> None:
        """Cut the connection, as a broken network does."""
        if self.carrier is not None:
            self.carrier.abort()

    def close(self) -> None:
        """Close the connection once all is sent."""
        if self.carrier is not None:
            self.carrier.close()

    def break_off(self, code: int) -> None:
        """Close the connection with a transport error."""
        if self.carrier is not None:
            self.carrier.send_error(code)

    def acknowledge(self, message_id: int) -> None:
        """Tell the client that a message has come, when its answer takes a while."""
        self.send(bytes(types.MsgsAck([message_id])), reply=True, content=False)

    def refuse(self, message_id: int, seq_no: int, code: int) -> None:
        """Tell the client that a message was refused."""
        if code == messages.BAD_SALT:
            salt = self.salts.current(self._clock())
            notice = types.BadServerSalt(message_id, seq_no, code, salt)
        else:
            notice = types.BadMsgNotification(message_id, seq_no, code)
        self.send(bytes(notice), reply=True, content=False)

    def greet(self, first_message_id: int) -> None:
        """Tell the client that the server knew nothing of this session before this message."""
        self.greeted = True
        unique_id = int.from_bytes(os.urandom(8), "little", signed=True)
        created = types.NewSessionCreated(first_message_id, unique_id, self.salts.current(self._clock()))
        self.send(bytes(created), reply=False)

    def state(self, message_id: int) -> int:
        """What is known of a message, for msgs_state_info."""
        state = self._received.state(message_id)
        if message_id in self._answers:
            state += _RUNNING if self._answers[message_id] is None else _ANSWERED
        return state

    def acknowledged(self, message_ids: Iterable[int]) -> None:
        """The client has these messages."""
        for message_id in message_ids:
            self._unacknowledged.pop(message_id, None)

    def resend(self, message_ids: list[int]) -> bool:
        """Send messages again as they were. False: one of them is not known any more."""
        known = [message_id for message_id in message_ids if message_id in self._unacknowledged]
        for message_id in known:
            self._seal_and_send(message_id, *self._unacknowledged[message_id])
        return len(known) == len(message_ids)

    def send(self, body: bytes, *, reply: bool, content: bool = True) -> None:
        """Send one message, if a connection is there; what is lost here, getDifference brings."""
        if self.carrier is None:
            return
        message_id = self._ids.next(reply=reply)
        seq_no = self._number(body, message_id) if content else self._content_sent * 2
        self._seal_and_send(message_id, seq_no, body)

    def _number(self, body: bytes, message_id: int) -> int:
        """The sequence number of a message that wants to be acknowledged; until then it is remembered."""
        seq_no = self._content_sent * 2 + 1
        self._content_sent += 1
        if len(body) <= _REMEMBERED_BYTES:
            self._unacknowledged[message_id] = seq_no, body
            if len(self._unacknowledged) > _REMEMBERED_MESSAGES:
                self._unacknowledged.popitem(last=False)
        return seq_no

    def _seal_and_send(self, message_id: int, seq_no: int, body: bytes) -> None:
        if self.carrier is not None:
            salt = self.salts.current(self._clock())
            self.carrier.send(self.key.seal(salt, self.id, message_id, seq_no, body))


class Sessions:
    """All sessions of a data centre, by auth key and session id; those without a connection are bounded."""

    def __init__(self, ids: MessageIds, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock
        self._attached: dict[tuple[int, int], Session] = {}
        self._detached: OrderedDict[tuple[int, int], Session] = OrderedDict()

    def attach(self, key: AuthKey, salts: Salts, session_id: int, carrier: Carrier) -> Session:
        """The session, bound to this connection."""
        at = (key.id, session_id)
        session = self._attached.get(at) or self._detached.pop(at, None)
        session = session or Session(key, salts, session_id, self._ids, self._clock)
        session.carrier = carrier
        self._attached[at] = session
        return session

    def detach(self, carrier: Carrier, held: Iterable[tuple[int, int]]) -> list[Session]:
        """A connection is lost. Gives the sessions that are forgotten for it."""
        for at in held:
            session = self._attached.get(at)
            if session is not None and session.carrier is carrier:
                session.carrier = None
                self._detached[at] = self._attached.pop(at)
        return [
            self._detached.popitem(last=False)[1] for _ in range(len(self._detached) - _DETACHED_SESSIONS)
        ]

    def destroy(self, key: AuthKey, session_id: int) -> Session | None:
        """Forget a session."""
        at = (key.id, session_id)
        return self._attached.pop(at, None) or self._detached.pop(at, None)
