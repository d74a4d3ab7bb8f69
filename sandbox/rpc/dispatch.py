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
from sandbox.world.world import World

if TYPE_CHECKING:
    from sandbox.dc import DataCentre

log = logging.getLogger(__name__)

TABLE: Final = table(auth, bots, callbacks, channels, help, messages, updates, upload, users)
_HARMLESS: Final = Fault()


def answer(dc: "DataCentre", session: Session, login: Login, message: Message) -> None:
    """Answer one request: at once, later, or with an error; never not at all, unless a fault says so."""
    fault = _HARMLESS
    try:
        rpc, request, quiet = _read(dc, login, message)
        fault = _fault(dc.world, rpc, request, login)
        if fault.error is not None:
            raise RpcError(*fault.error)
        with dc.calling(session):
            result = rpc.run(Call(dc, session, login, quiet), request)
        if isinstance(result, asyncio.Future):
            result.add_done_callback(
                lambda later: _deliver(session, message.id, fault, _result(dc, login, later))
            )
            return
        body = dc.speech.write(result, login.layer)
    except RpcError as error:
        body = _error(error)
    except Exception:  # whatever goes wrong in a handler, its client gets an answer
        log.exception("a call failed")
        body = _error(RpcError(500, "INTERNAL"))
    _deliver(session, message.id, fault, body)


def _error(error: RpcError) -> bytes:
    return bytes(types.RpcError(error.code, error.name))


def _result(dc: "DataCentre", login: Login, later: "asyncio.Future[Any]") -> bytes:
    try:
        return dc.speech.write(later.result(), login.layer)
    except RpcError as error:
        return _error(error)


def _read(dc: "DataCentre", login: Login, message: Message) -> tuple[Rpc, Any, bool]:
    """The method, its request, and whether that wants no updates; out of what wraps it. Raises RpcError."""
    rpc, quiet = TABLE.get(message.constructor_id), False
    try:
        if rpc is not None and rpc.parse is not None:
            request = rpc.parse(message.body)
        else:
            request, quiet = _unwrap(login, dc.speech.read(bytes(message.body)))
            rpc = TABLE.get(getattr(request, "CONSTRUCTOR_ID", 0))
    except tl.Malformed as error:
        raise RpcError(400, "INPUT_METHOD_INVALID" if rpc is None else "INPUT_FETCH_ERROR") from error
    if not login.layer:
        raise RpcError(400, "CONNECTION_NOT_INITED")
    if rpc is None:
        raise RpcError(400, "INPUT_METHOD_INVALID")
    return rpc, request, quiet


def _unwrap(login: Login, request: Any) -> tuple[Any, bool]:
    """Note what the wrappers say of the client, and take them off (https://core.telegram.org/api/invoking)."""
    quiet = False
    while True:
        match request:
            case functions.InvokeWithLayerRequest():
                login.layer = request.layer
            case functions.InitConnectionRequest():
                if request.api_id <= 0:
                    raise RpcError(400, "CONNECTION_API_ID_INVALID")
                login.lang_code = request.lang_code
            case functions.InvokeWithoutUpdatesRequest():
                quiet = True
            case functions.InvokeAfterMsgRequest() | functions.InvokeAfterMsgsRequest():
                pass  # calls are answered in their order anyway
            case _:
                return request, quiet
        request = request.query


def _fault(world: World, rpc: Rpc, request: Any, login: Login) -> Fault:
    world.stats.calls[rpc.name] += 1
    if not world.faults:
        return _HARMLESS
    user_id = login.account.id if login.account is not None else None
    part = getattr(request, "file_part", None)
    return first_to_strike(world.faults, rpc.name, part, user_id) or _HARMLESS


def _deliver(session: Session, message_id: int, fault: Fault, body: bytes) -> None:
    if fault.drop:
        session.cut()
    if fault.drop or fault.swallow:
        return
    packet = rpc_result(message_id, body)
    if fault.delay_s:
        asyncio.get_running_loop().call_later(fault.delay_s, session.answer, message_id, packet)
    else:
        session.answer(message_id, packet)
