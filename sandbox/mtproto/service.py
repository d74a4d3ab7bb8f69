"""Service messages: what clients say about the connection itself, outside of any RPC.

https://core.telegram.org/mtproto/service_messages
"""

import time
from typing import Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.mtproto.connection import Connection
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
    functions.RpcDropAnswerRequest,
)
_IDS: Final = frozenset(kind.CONSTRUCTOR_ID for kind in _KINDS)

#: "received", in msgs_state_info (https://core.telegram.org/mtproto/service_messages_about_messages)
_RECEIVED: Final = 4
_SALT_LASTS_S: Final = 24 * 3600


def handle(message: Message, session: Session, connection: Connection, sessions: Sessions) -> bool:
    """Answer a service message. False: it is none. Raises BadMessage."""
    if message.constructor_id not in _IDS:
        return False
    try:
        request = tl.read(bytes(message.body))
    except tl.Malformed:
        return True
    match request:
        case types.MsgsAck():
            message.check_seq_no(content=False)
        case functions.PingRequest():
            session.send(bytes(types.Pong(message.id, request.ping_id)), reply=True, content=False)
        case functions.PingDelayDisconnectRequest():
            session.send(bytes(types.Pong(message.id, request.ping_id)), reply=True, content=False)
            connection.close_after(max(1, request.disconnect_delay))
        case functions.GetFutureSaltsRequest():
            session.send(_future_salts(message.id, session.salt), reply=True, content=False)
        case functions.DestroySessionRequest():
            known = sessions.destroy(session.key, request.session_id)
            kind = types.DestroySessionNone if known is None else types.DestroySessionOk
            session.send(bytes(kind(request.session_id)), reply=True, content=False)
        case types.MsgsStateReq() | types.MsgResendReq():
            state = types.MsgsStateInfo(message.id, bytes([_RECEIVED]) * len(request.msg_ids))
            session.send(bytes(state), reply=True, content=False)
        case functions.RpcDropAnswerRequest():
            session.send(rpc_result(message.id, bytes(types.RpcAnswerUnknown())), reply=True)
    return True


def _future_salts(message_id: int, salt: int) -> bytes:
    now = int(time.time())
    return bytes(types.FutureSalts(message_id, now, [types.FutureSalt(now - 60, now + _SALT_LASTS_S, salt)]))
