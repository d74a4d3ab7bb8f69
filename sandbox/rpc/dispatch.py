"""From the bytes of a request to the bytes of its answer."""

import asyncio
import logging
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.keys import Login, Seal
from sandbox.mtproto.envelope import INVOKE_WITHOUT_UPDATES
from sandbox.mtproto.messages import Message, rpc_result
from sandbox.mtproto.session import Session
from sandbox.rpc import (
    account,
    auth,
    bots,
    callbacks,
    channels,
    dialogs,
    help,
    history,
    inline,
    invites,
    messages,
    migration,
    nothing,
    updates,
    upload,
    users,
)
from sandbox.rpc.registry import Call, Centre, Rpc, RpcError, table
from sandbox.world.faults import HARMLESS, Fault, first_to_strike
from sandbox.world.floodgate import Flooded
from sandbox.world.world import World

log = logging.getLogger(__name__)

TABLE: Final = table(
    nothing.EMPTY,
    *(account, auth, bots, callbacks, channels, dialogs, help, history, inline, invites, messages),
    *(migration, nothing, updates, upload, users),
)
#: Calls of which a trusting data centre reads only the heads.
BULK: Final = frozenset({functions.upload.SaveBigFilePartRequest.CONSTRUCTOR_ID})
#: What may be called by a temporary key that is not bound yet.
_UNBOUND: Final = ("help.", "auth.bindTempAuthKey")


def answer(dc: Centre, session: Session, seal: Seal, message: Message) -> None:
    """Answer one request: at once, later, or with an error; never not at all, unless a fault says so."""
    fault = HARMLESS
    try:
        rpc, request, quiet = _read(dc, seal, message)
        fault = _fault(dc.world, rpc, request, seal.login)
        if fault.transport_error is not None:
            session.break_off(fault.transport_error)
            return
        result = _run(Call(dc, session, seal, message.id, quiet), fault, rpc, request)
        if isinstance(result, asyncio.Future):
            session.acknowledge(message.id)
            result.add_done_callback(
                lambda later: _deliver(session, message.id, fault, _result(dc, seal.login, later))
            )
            dc.world.ledger.commit()
            return
        body = dc.speech.write(result, seal.login.layer)
    except Exception as failure:  # noqa: BLE001 - whatever goes wrong, its client gets an answer
        body = _error(failure)
    # an answer is a promise: what it tells of is kept before
    dc.world.ledger.commit()
    _deliver(session, message.id, fault, body)


def _run(call: Call, fault: Fault, rpc: Rpc, request: Any) -> Any:
    """The answer, or a future of it. Raises RpcError."""
    if fault.error is not None:
        raise RpcError(*fault.error)
    if fault.lose:
        return True
    try:
        with call.dc.pushes.calling(call.session):
            return rpc.run(call, request)
    except Flooded as flood:
        call.world.stats.floods[rpc.name] += 1
        raise RpcError(420, str(flood)) from flood


def _error(failure: Exception) -> bytes:
    """How a client is told: what is no RpcError is our own fault."""
    if not isinstance(failure, RpcError):
        log.error("a call failed", exc_info=failure)
        failure = RpcError(500, "INTERNAL")
    return bytes(types.RpcError(failure.code, failure.name))


def _result(dc: Centre, login: Login, later: "asyncio.Future[Any]") -> bytes:
    try:
        return dc.speech.write(later.result(), login.layer)
    except Exception as failure:  # noqa: BLE001 - the same holds for an answer that comes later
        return _error(failure)


def _read(dc: Centre, seal: Seal, message: Message) -> tuple[Rpc, Any, bool]:
    """The method, its request, and whether that wants no updates; out of what wraps it. Raises RpcError."""
    login, body = seal.login, message.body
    quiet = message.constructor_id == INVOKE_WITHOUT_UPDATES
    rpc = TABLE.get(int.from_bytes(body[4:8], "little") if quiet else message.constructor_id)
    try:
        if rpc is not None and rpc.parse is not None:
            request = rpc.parse(body[4:] if quiet else body)
        else:
            request, quiet = _unwrap(login, dc.speech.read(bytes(body)))
            rpc = TABLE.get(getattr(request, "CONSTRUCTOR_ID", 0))
    except tl.Malformed as error:
        raise RpcError(400, "INPUT_METHOD_INVALID" if rpc is None else "INPUT_FETCH_ERROR") from error
    unbound = not seal.usable
    if not login.layer and not unbound and not isinstance(request, functions.auth.BindTempAuthKeyRequest):
        raise RpcError(400, "CONNECTION_NOT_INITED")
    if rpc is None:
        log.info("a client asks for what is not here: %s", tl.name_of(type(request)))
        raise RpcError(400, "INPUT_METHOD_INVALID")
    if unbound and not rpc.name.startswith(_UNBOUND):
        raise RpcError(401, "AUTH_KEY_PERM_EMPTY")
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
        return HARMLESS
    user_id = login.account.id if login.account is not None else None
    return first_to_strike(world.faults, rpc.name, getattr(request, "file_part", None), user_id)


def _deliver(session: Session, message_id: int, fault: Fault, body: bytes) -> None:
    packet = rpc_result(message_id, body)
    if fault.drop:
        session.remember(message_id, packet)
        session.cut()
    elif fault.delay_s and not fault.swallow:
        asyncio.get_running_loop().call_later(fault.delay_s, _send, session, message_id, fault, packet)
    elif not fault.swallow:
        _send(session, message_id, fault, packet)


def _send(session: Session, message_id: int, fault: Fault, packet: bytes) -> None:
    if fault.hold:
        session.announce(message_id, packet)
    else:
        session.answer(message_id, packet)
    if fault.duplicate:
        session.send(packet, reply=True)
    if fault.drop_after:
        session.close()
