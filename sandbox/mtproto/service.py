"""Service messages: what clients say about the connection itself, outside of any RPC.

https://core.telegram.org/mtproto/service_messages
"""

from collections.abc import Callable
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.mtproto.connection import Connection
from sandbox.mtproto.envelope import AuthKey
from sandbox.mtproto.messages import Message, rpc_result
from sandbox.mtproto.session import Session, Sessions

_KINDS: Final = (
    types.MsgsAck,
    types.MsgsStateReq,
    types.MsgsStateInfo,
    types.MsgsAllInfo,
    types.MsgResendReq,
    functions.PingRequest,
    functions.PingDelayDisconnectRequest,
    functions.GetFutureSaltsRequest,
    functions.DestroySessionRequest,
    functions.DestroyAuthKeyRequest,
    functions.RpcDropAnswerRequest,
)
_IDS: Final = frozenset(kind.CONSTRUCTOR_ID for kind in _KINDS)

#: Ids in one question about messages (https://core.telegram.org/mtproto/service_messages_about_messages).
_MOST_IDS: Final = 8192


def handle(
    message: Message,
    session: Session,
    connection: Connection,
    sessions: Sessions,
    forget: Callable[[AuthKey], bool],
) -> bool:
    """Answer a service message. False: it is none. Raises BadMessage.

    `forget` is called with a key that its client destroys, and gives whether it was known.
    """
    if message.constructor_id not in _IDS:
        return False
    try:
        request = tl.read(bytes(message.body))
    except tl.Malformed:
        return True
    # with any number: clients that Telegram serves differ in which of these they count as content
    session.take(message, content=message.seq_no % 2 == 1)
    if isinstance(request, functions.DestroyAuthKeyRequest):
        kind = types.DestroyAuthKeyOk if forget(session.key) else types.DestroyAuthKeyNone
        answer: bytes | None = bytes(kind())
    else:
        answer = _answer(message.id, request, session, connection, sessions)
    if answer is not None:
        session.send(answer, reply=True, content=isinstance(request, functions.RpcDropAnswerRequest))
    return True


def _answer(
    message_id: int, request: Any, session: Session, connection: Connection, sessions: Sessions
) -> bytes | None:
    """What to say to a service message; None: nothing."""
    match request:
        case types.MsgsAck():
            session.acknowledged(request.msg_ids)
        case functions.PingRequest():
            return bytes(types.Pong(message_id, request.ping_id))
        case functions.PingDelayDisconnectRequest():
            connection.close_after(max(1, request.disconnect_delay))
            return bytes(types.Pong(message_id, request.ping_id))
        case functions.GetFutureSaltsRequest():
            return _future_salts(message_id, request.num, session)
        case functions.DestroySessionRequest():
            # a session cannot destroy itself
            other = request.session_id != session.id
            known = sessions.destroy(session.key, request.session_id) if other else None
            kind = types.DestroySessionNone if known is None else types.DestroySessionOk
            return bytes(kind(request.session_id))
        case types.MsgsStateReq():
            return _states(message_id, request.msg_ids, session)
        case types.MsgResendReq():
            if not session.resend(request.msg_ids[:_MOST_IDS]):
                return _states(message_id, request.msg_ids, session)
        case functions.RpcDropAnswerRequest():
            return rpc_result(message_id, bytes(types.RpcAnswerUnknown()))
    return None


def _states(message_id: int, asked: list[int], session: Session) -> bytes:
    states = bytes(session.state(each) for each in asked[:_MOST_IDS])
    return bytes(types.MsgsStateInfo(message_id, states))


def _future_salts(message_id: int, count: int, session: Session) -> bytes:
    now = session.now()
    salts = [types.FutureSalt(salt.since, salt.until, salt.value) for salt in session.salts.ahead(count, now)]
    return bytes(types.FutureSalts(message_id, int(now), salts))
