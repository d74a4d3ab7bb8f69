"""Sessions: one client program's conversation over one auth key, whatever connections carry it."""

import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Protocol

from telethon.tl import types

from sandbox.mtproto import messages
from sandbox.mtproto.envelope import AuthKey, Opened
from sandbox.mtproto.messages import BadMessage

#: A client's message id is its clock; Telegram takes it from 300 s late to 30 s early.
#: https://core.telegram.org/mtproto/description#message-identifier-msg-id
TOO_OLD_S: Final = 300
TOO_NEW_S: Final = 30

#: Calls of a session that are remembered with their answers, up to this size, should the client repeat one.
_REMEMBERED_CALLS: Final = 256
_REMEMBERED_BYTES: Final = 1024
#: Sessions that are remembered without a connection.
_DETACHED_SESSIONS: Final = 1024


class Carrier(Protocol):
    """What a session needs of the connection that it answers through."""

    def send(self, packet: bytes) -> None:
        """Send one sealed packet."""

    def abort(self) -> None:
        """Cut the connection."""


class MessageIds:
    """The ids of a data centre's own messages: unique and rising over all its connections.

    Clients ignore a repeated id, and the call that it answers would hang for ever.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, *, reply: bool) -> int:
        """An id for a reply to a client (1 modulo 4) or for a message of the server's own accord (3)."""
        self._last = max(self._last + 4, int(time.time() * 2**32) & ~3)
        return self._last + (1 if reply else 3)


class Session:
    """One session. It is attached to the connection that was last heard of."""

    def __init__(self, key: AuthKey, session_id: int, salt: int, ids: MessageIds) -> None:
        self.key = key
        self.id = session_id
        self.salt = salt
        self.carrier: Carrier | None = None
        self._ids = ids
        self._content_sent = 0
        self._greeted = False
        # answers by message id; None: it is still to come
        self._answers: OrderedDict[int, bytes | None] = OrderedDict()

    def check(self, opened: Opened) -> None:
        """Refuse a message whose id or salt is wrong. Raises BadMessage."""
        if opened.message_id % 4:
            raise BadMessage(messages.MESSAGE_ID_PARITY)
        age_s = time.time() - (opened.message_id >> 32)
        if age_s > TOO_OLD_S:
            raise BadMessage(messages.MESSAGE_ID_TOO_LOW)
        if age_s < -TOO_NEW_S:
            raise BadMessage(messages.MESSAGE_ID_TOO_HIGH)
        if opened.salt != self.salt:
            raise BadMessage(messages.BAD_SALT)

    def is_new(self, message_id: int) -> bool:
        """False for a call that came before: its answer is sent again, or is still to come."""
        if message_id in self._answers:
            answer = self._answers[message_id]
            if answer is not None:
                self.send(answer, reply=True)
            return False
        self._answers[message_id] = None
        while len(self._answers) > _REMEMBERED_CALLS:
            self._answers.popitem(last=False)
        return True

    def answer(self, message_id: int, result: bytes) -> None:
        """Send the answer to a call."""
        if len(result) <= _REMEMBERED_BYTES and message_id in self._answers:
            self._answers[message_id] = result
        else:
            # a long answer is to a question that may well be asked twice
            self._answers.pop(message_id, None)
        self.send(result, reply=True)

    def cut(self) -> None:
        """Cut the connection, as a broken network does."""
        if self.carrier is not None:
            self.carrier.abort()

    def refuse(self, message_id: int, seq_no: int, code: int) -> None:
        """Tell the client that a message was refused."""
        if code == messages.BAD_SALT:
            notice = types.BadServerSalt(message_id, seq_no, code, self.salt)
        else:
            notice = types.BadMsgNotification(message_id, seq_no, code)
        self.send(bytes(notice), reply=True, content=False)

    def greet(self, first_message_id: int) -> None:
        """Tell the client, once, that the server knew nothing of this session until now."""
        if self._greeted:
            return
        self._greeted = True
        unique_id = int.from_bytes(os.urandom(8), "little", signed=True)
        created = types.NewSessionCreated(first_message_id, unique_id, self.salt)
        self.send(bytes(created), reply=False)

    def send(self, body: bytes, *, reply: bool, content: bool = True) -> None:
        """Send one message, if a connection is there; what is lost here, getDifference brings."""
        if self.carrier is None:
            return
        seq_no = self._content_sent * 2 + content
        self._content_sent += content
        message_id = self._ids.next(reply=reply)
        self.carrier.send(self.key.seal(self.salt, self.id, message_id, seq_no, body))


class Sessions:
    """All sessions of a data centre, by auth key and session id; those without a connection are bounded."""

    def __init__(self, ids: MessageIds) -> None:
        self._ids = ids
        self._attached: dict[tuple[int, int], Session] = {}
        self._detached: OrderedDict[tuple[int, int], Session] = OrderedDict()

    def attach(self, key: AuthKey, salt: int, session_id: int, carrier: Carrier) -> Session:
        """The session, bound to this connection."""
        at = (key.id, session_id)
        session = self._attached.get(at) or self._detached.pop(at, None)
        session = session or Session(key, session_id, salt, self._ids)
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
