"""From key to key, and from one data centre to another: temporary keys, and authorizations that travel.

https://core.telegram.org/api/pfs and https://core.telegram.org/api/datacenter
"""

from typing import Any

from telethon.tl import functions, types

from sandbox.keys import Seal
from sandbox.mtproto.binding import BadBinding, Binding, verify
from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.accounts import Account


def check_home(call: Call, account: Account, error: str = "USER_MIGRATE") -> None:
    """Raises RpcError 303 when the account is at home in another data centre."""
    if account.home_dc not in (None, call.dc.id):
        raise RpcError(303, f"{error}_{account.home_dc}")


@rpc(functions.auth.BindTempAuthKeyRequest, anonymous=True, passive=True)
def bind_temp_auth_key(call: Call, request: Any) -> Any:
    permanent = _permanent(call, request)
    try:
        verify(request.encrypted_message, permanent.key, _binding(call, request))
    except BadBinding as error:
        raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID") from error
    call.dc.logins.bind(call.seal, permanent.login)
    return True


def _permanent(call: Call, request: Any) -> Seal:
    """The key that the caller's temporary one may be bound to. Raises RpcError."""
    seal, permanent = call.seal, call.dc.logins.get(request.perm_auth_key_id % 2**64)
    if seal.expires_at is None:
        raise RpcError(400, "TEMP_AUTH_KEY_EMPTY")
    if permanent is None or permanent.expires_at is not None:
        raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID")
    if seal.bound and seal.login is not permanent.login:
        raise RpcError(400, "TEMP_AUTH_KEY_ALREADY_BOUND")
    if not call.dc.now() < _expires_at(request):
        raise RpcError(400, "EXPIRES_AT_INVALID")
    return permanent


def _binding(call: Call, request: Any) -> Binding:
    """What the proof has to say."""
    return Binding(
        call.message_id,
        call.session.id,
        request.nonce,
        _signed(call.seal.key.id),
        request.perm_auth_key_id,
        _expires_at(request),
    )


def _expires_at(request: Any) -> int:
    return int(request.expires_at.timestamp()) if request.expires_at else 0


def _signed(key_id: int) -> int:
    return key_id - 2**64 if key_id >= 2**63 else key_id


@rpc(functions.auth.ExportAuthorizationRequest, passive=True)
def export_authorization(call: Call, request: Any) -> Any:
    if request.dc_id == call.dc.id or request.dc_id not in call.world.addresses:
        raise RpcError(400, "DC_ID_INVALID")
    ticket = call.world.travels.export(call.account, request.dc_id)
    return types.auth.ExportedAuthorization(call.account.id, ticket)


@rpc(functions.auth.ImportAuthorizationRequest, anonymous=True, passive=True)
def import_authorization(call: Call, request: Any) -> Any:
    account_id = call.world.travels.redeem(request.bytes, call.dc.id)
    account = call.world.accounts.get(request.id)
    if account is None or account.id != account_id:
        raise RpcError(400, "AUTH_BYTES_INVALID")
    call.dc.log_in(call.login, account)
    call.login.imported = True
    return types.auth.Authorization(user=peers.view(call).user(account))
