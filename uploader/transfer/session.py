"""One MTProto session that only uploads, without I/O: envelopes in, answers and plain messages out.

https://core.telegram.org/mtproto/description and https://core.telegram.org/mtproto/service_messages_about_messages
"""

import os
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from uploader.errors import AccountStopped, Reason, TransferError, TransferTemporary
from uploader.transfer import tl
from uploader.transfer.room import HEADER_BYTES
from uploader.transfer.salts import AHEAD, Salts
from uploader.transfer.seal import AuthKey, unseal
from uploader.transfer.tl import Message, Refusal, Request

#: salt, session id, msg id, seqno, length. https://core.telegram.org/mtproto/description#encrypted-message-encrypted-data
_HEADER: Final = struct.Struct("<qqqii")

#: Padding of a message in bytes: https://core.telegram.org/mtproto/description#mtproto-transport
_PADDING_LEAST: Final = 12
_PADDING_MOST: Final = 1024

#: Answers that are acknowledged by one message; the last few when nothing is left to wait for.
_ACK_BATCH: Final = 8

#: Message ids to acknowledge or ask for that may wait for the socket; more is no upload session.
_NOTICES_LIMIT: Final = 4096

#: A request that the data centre keeps calling badly numbered is sent this often, then the session given up.
_SENDS_LIMIT: Final = 6

# https://core.telegram.org/mtproto/service_messages_about_messages#notice-of-ignored-error-message
_MSG_ID_TOO_LOW: Final = 16
_MSG_ID_TOO_HIGH: Final = 17
_SEQNO_TOO_LOW: Final = 32
_SEQNO_TOO_HIGH: Final = 33
_SENT_AGAIN: Final = frozenset({_MSG_ID_TOO_LOW, _MSG_ID_TOO_HIGH, 18, 20, _SEQNO_TOO_LOW, _SEQNO_TOO_HIGH})
_SEQNO_STEP: Final = 64

#: "auth key not found": https://core.telegram.org/mtproto/mtproto-transports#transport-errors
_KEY_UNKNOWN: Final = -404


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the data centre said to a request: True = done, False = not saved, or why it refused."""

    request: Request
    outcome: bool | Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A message to be sealed and sent now: what stands around the body of its request."""

    request: Request
    header: bytes
    padding: bytes
    awaited: bool  # somebody waits for an answer to it


class Session:
    """Numbers, salts and resends the messages of one session, and matches answers to requests.

    `hello` is the first request; until it is answered no other leaves. `salts` are those of the key, known to
    its other sessions as well. `now` tells Unix time in seconds.
    """

    def __init__(
        self,
        key: AuthKey,
        hello: Request,
        salts: Salts | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._hello = hello
        self._now = now
        self._session_id = int.from_bytes(os.urandom(8), "little", signed=True)
        self._salts = salts or Salts()
        self._clock_ahead_s = 0.0  # of the data centre's clock over ours
        self._last_msg_id = 0
        self._content_count = 0
        self._queue: deque[Request] = deque([hello])
        self._pending: dict[int, Request] = {}  # by msg id, in the order sent
        self._acks: list[int] = []
        self._held_back: list[int] = []  # answers that the data centre waits to be asked for
        self.ready = False  # the hello was answered

    def submit(self, request: Request) -> None:
        """Queue a request; `next` will hand it out."""
        self._queue.append(request)

    def withdraw(self, request: Request) -> None:
        """Forget a request: it is not sent (again), and an answer to it is ignored."""
        self._pending.pop(request.msg_id, None)
        if request in self._queue:
            self._queue.remove(request)

    def next(self) -> Outgoing | None:
        """The next message to send, or None until something is submitted or received."""
        if (notice := self._notice()) is not None:
            return self._numbered(notice, awaited=False)
        if self.ready and self._salts.asks(self._centre_now()):
            self._queue.appendleft(tl.get_future_salts(AHEAD))
        if not self._queue or not (self.ready or self._queue[0] is self._hello):
            return None
        request = self._queue.popleft()
        outgoing = self._numbered(request, awaited=True)
        request.sent_count += 1
        self._pending[request.msg_id] = request
        return outgoing

    def _notice(self) -> Request | None:
        idle = not self._pending and not self._queue
        if len(self._acks) >= _ACK_BATCH or (self._acks and idle):
            msg_ids, self._acks = self._acks, []
            return tl.msgs_ack(msg_ids)
        if self._held_back:
            msg_ids, self._held_back = self._held_back, []
            return tl.msg_resend_req(msg_ids)
        return None

    def receive(self, envelope: bytes) -> list[Answer]:
        """Take one envelope (or transport error) from the data centre.

        Raises TransferTemporary when this session is of no use any more, AccountStopped when the key is not.
        """
        if len(envelope) == 4:
            raise _transport_error(struct.unpack("<i", envelope)[0])
        try:
            message = self._opened(unseal(self._key, envelope))
            return [answer for part in tl.flattened(message) for answer in self._take(part)]
        except tl.UNREADABLE as error:
            raise _broken(f"unreadable answer: {error}") from error

    def _opened(self, plain: bytes) -> Message:
        _salt, session_id, msg_id, seqno, length = _HEADER.unpack_from(plain)
        padding = len(plain) - HEADER_BYTES - length
        # https://core.telegram.org/mtproto/security_guidelines: length, session id and parity are checked.
        # Repeated messages need no check here: whatever a message does, it does by an id that is then gone.
        if session_id != self._session_id:
            raise ValueError("a message of another session")
        if length < 4 or length % 4 or not _PADDING_LEAST <= padding <= _PADDING_MOST:
            raise ValueError("a message of impossible length")
        if msg_id % 2 == 0:
            raise ValueError("a message that claims to be ours")
        return Message(msg_id=msg_id, seqno=seqno, body=plain[HEADER_BYTES : HEADER_BYTES + length])

    def _take(self, message: Message) -> Iterator[Answer]:
        if message.seqno % 2:
            self._acks.append(message.msg_id)
        if len(self._acks) + len(self._held_back) > _NOTICES_LIMIT:
            raise _broken("more messages than an upload session can have")
        body = message.body
        match message.constructor:
            case tl.RPC_RESULT:
                yield from self._answered(struct.unpack_from("<q", body, 4)[0], tl.read_result(body))
            case tl.PONG:
                yield from self._answered(struct.unpack_from("<q", body, 4)[0], True)
            case tl.BAD_SERVER_SALT | tl.FUTURE_SALTS:
                self._resalt(message)
            case tl.BAD_MSG_NOTIFICATION:
                bad_id, code = struct.unpack_from("<q4xi", body, 4)
                self._renumber(bad_id, code, message.msg_id)
            case tl.NEW_SESSION_CREATED:
                self._recreated(*struct.unpack_from("<q8xq", body, 4))
            case tl.MSG_DETAILED_INFO:
                self._ask_for(*struct.unpack_from("<qq", body, 4))
            case tl.MSG_NEW_DETAILED_INFO:
                self._ask_for(None, struct.unpack_from("<q", body, 4)[0])
        # anything else (msgs_ack, stray updates) needs no answer beyond its acknowledgement

    def _resalt(self, message: Message) -> None:
        (about_id,) = struct.unpack_from("<q", message.body, 4)
        if message.constructor == tl.BAD_SERVER_SALT:
            self._salts.learn(struct.unpack_from("<q", message.body, 20)[0], self._centre_now())
            self._send_again(about_id)
        elif self._pending.pop(about_id, None) is not None:
            self._salts.plan(tl.read_future_salts(message.body))

    def _answered(self, msg_id: int, outcome: bool | Refusal | None) -> Iterator[Answer]:
        request = self._pending.pop(msg_id, None)
        if request is None:
            return  # an answer that came twice, or after its request was withdrawn
        if isinstance(outcome, Refusal) and outcome.name.startswith("CONNECTION_"):
            raise _broken(f"the data centre forgot the session: {outcome.name}")
        if request is self._hello:
            self.ready = not isinstance(outcome, Refusal)
            outcome = self.ready if outcome is None else outcome
        yield Answer(request=request, outcome=False if outcome is None else outcome)

    def _recreated(self, first_id: int, salt: int) -> None:
        """The data centre began the session (anew): what it got before `first_id` is lost."""
        self._salts.learn(salt, self._centre_now())
        for lost_id in [msg_id for msg_id in self._pending if msg_id < first_id]:
            self._send_again(lost_id)

    def _ask_for(self, request_id: int | None, answer_id: int) -> None:
        """The data centre holds an answer back: ask for it if it is still missing, else acknowledge it."""
        if request_id is None or request_id in self._pending:
            self._held_back.append(answer_id)
        else:
            self._acks.append(answer_id)

    def _renumber(self, bad_id: int, code: int, server_msg_id: int) -> None:
        if bad_id not in self._pending:
            return
        if code not in _SENT_AGAIN:
            raise _broken(f"bad_msg_notification {code}")
        if code == _MSG_ID_TOO_LOW:
            self._clock_ahead_s = server_msg_id / 2**32 - self._now()
        elif code == _MSG_ID_TOO_HIGH and bad_id <= self._last_msg_id:  # else: numbered before a correction
            self._clock_ahead_s = server_msg_id / 2**32 - self._now()
            self._last_msg_id = 0
        elif code == _SEQNO_TOO_LOW:
            self._content_count += _SEQNO_STEP
        elif code == _SEQNO_TOO_HIGH:
            self._content_count = max(0, self._content_count - _SEQNO_STEP)
        self._send_again(bad_id)

    def _send_again(self, msg_id: int) -> None:
        request = self._pending.pop(msg_id, None)
        if request is None:
            return
        if request.sent_count >= _SENDS_LIMIT:
            raise _broken(f"a message was refused {request.sent_count} times")
        self._queue.appendleft(request)

    def _numbered(self, request: Request, *, awaited: bool) -> Outgoing:
        """Header and padding for the body; salt and numbers are those of this moment."""
        now_s = self._centre_now()
        moment = int(now_s * 2**32) & ~3
        self._last_msg_id = request.msg_id = max(moment, self._last_msg_id + 4)
        seqno = 2 * self._content_count + request.content
        self._content_count += request.content
        length = request.stop - request.start
        return Outgoing(
            request=request,
            header=_HEADER.pack(self._salts.current(now_s), self._session_id, request.msg_id, seqno, length),
            padding=os.urandom(_PADDING_LEAST + -(HEADER_BYTES + length + _PADDING_LEAST) % 16),
            awaited=awaited,
        )

    def _centre_now(self) -> float:
        """The data centre's time, as far as is known."""
        return self._now() + self._clock_ahead_s


def _broken(detail: str) -> TransferTemporary:
    return TransferTemporary(Reason.UPLOAD_FAILED, detail)


def _transport_error(code: int) -> TransferError:
    if code == _KEY_UNKNOWN:
        return AccountStopped(Reason.UPLOAD_FAILED, f"transport error {code}: the auth key is not known")
    return _broken(f"transport error {code}")
