"""From the bytes of a request to the bytes of its answer."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.keys import Login
from sandbox.mtproto.messages import Message, rpc_result
from sandbox.mtproto.session import Session
from sandbox.rpc import auth, bots, callbacks, channels, help, messages, updates, upload, users
from sandbox.rpc.registry import Call, Rpc, RpcError, table
from sandbox.world.faults import Fault, first_to_strike

if TYPE_CHECKING:
    from sandbox.dc import DataCentre

log = logging.getLogger(__name__)

TABLE: Final = table(auth, bots, callbacks, channels, help, messages, updates, upload, users)
_HARMLESS: Final = Fault()


def answer(dc: "DataCentre", session: Session, login: Login, message: Message) -> None:
    """Answer one request: at once, later, or with an error; never not at all, unless a fault says so."""
    call = Call(dc, session, login)
    fault = _HARMLESS
    try:
        rpc, request = _read(call, message)
        fault = _fault(call, rpc, request)
        if fault.error is not None:
            raise RpcError(*fault.error)
        with dc.calling(session):
            result = rpc.run(call, request)
        if isinstance(result, asyncio.Future):
            result.add_done_callback(lambda later: _deliver(call, message.id, fault, _result(later)))
            return
        body = tl.write(result)
    except RpcError as error:
        body = _error(error)
    except Exception:  # whatever goes wrong in a handler, its client gets an answer
        log.exception("a call failed")
        body = _error(RpcError(500, "INTERNAL"))
    _deliver(call, message.id, fault, body)


def _error(error: RpcError) -> bytes:
    return bytes(types.RpcError(error.code, error.name))


def _result(later: "asyncio.Future[Any]") -> bytes:
    try:
        return tl.write(later.result())
    except RpcError as error:
        return _error(error)


def _read(call: Call, message: Message) -> tuple[Rpc, Any]:
    """The method and its request, out of what wraps it. Raises RpcError."""
    rpc = TABLE.get(message.constructor_id)
    try:
        if rpc is not None and rpc.parse is not None:
            return rpc, rpc.parse(message.body)
        request = _unwrap(call, tl.read(bytes(message.body)))
    except tl.Malformed as error:
        raise RpcError(400, "INPUT_METHOD_INVALID" if rpc is None else "INPUT_FETCH_ERROR") from error
    rpc = TABLE.get(request.CONSTRUCTOR_ID)
    if rpc is None:
        raise RpcError(400, "INPUT_METHOD_INVALID")
    return rpc, request


def _unwrap(call: Call, request: Any) -> Any:
    """Note what the wrappers say of the client, and take them off (https://core.telegram.org/api/invoking)."""
    while True:
        match request:
            case functions.InvokeWithLayerRequest():
                call.login.layer = request.layer
            case functions.InitConnectionRequest():
                call.login.lang_code = request.lang_code
            case functions.InvokeWithoutUpdatesRequest():
                call.session.wants_updates = False
            case functions.InvokeAfterMsgRequest() | functions.InvokeAfterMsgsRequest():
                pass  # calls are answered in their order anyway
            case _:
                return request
        request = request.query


def _fault(call: Call, rpc: Rpc, request: Any) -> Fault:
    world = call.world
    world.stats.calls[rpc.name] += 1
    if not world.faults:
        return _HARMLESS
    user_id = call.login.account.id if call.login.account is not None else None
    part = getattr(request, "file_part", None)
    return first_to_strike(world.faults, rpc.name, part, user_id) or _HARMLESS


def _deliver(call: Call, message_id: int, fault: Fault, body: bytes) -> None:
    if fault.drop:
        call.session.cut()
    if fault.drop or fault.swallow:
        return
    packet = rpc_result(message_id, body)
    if fault.delay_s:
        asyncio.get_running_loop().call_later(fault.delay_s, call.session.answer, message_id, packet)
    else:
        call.session.answer(message_id, packet)
