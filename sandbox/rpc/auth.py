"""auth.*: logging in and out."""

import secrets
from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.migration import check_home
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.accounts import LOGIN_CODE, Account


def _authorize(call: Call, account: Account) -> Any:
    call.dc.log_in(call.login, account)
    if not call.quiet:
        # only what asks for files or says so is without updates (https://core.telegram.org/api/invoking)
        call.dc.pushes.listen(call.session, call.login)
    return types.auth.Authorization(user=peers.view(call).user(account))


@rpc(functions.auth.ImportBotAuthorizationRequest, anonymous=True, passive=True)
def import_bot_authorization(call: Call, request: Any) -> Any:
    if request.api_id <= 0 or not request.api_hash:
        raise RpcError(400, "API_ID_INVALID")
    bot = call.world.accounts.by_token(request.bot_auth_token)
    if bot is None:
        raise RpcError(400, "ACCESS_TOKEN_INVALID")
    check_home(call, bot)
    call.world.floodgate.log_in(bot.id)
    return _authorize(call, bot)


@rpc(functions.auth.SendCodeRequest, anonymous=True, passive=True)
def send_code(call: Call, request: Any) -> Any:
    """Whoever asks for a code for a new number is a new user with it."""
    if request.api_id <= 0 or not request.api_hash:
        raise RpcError(400, "API_ID_INVALID")
    account = _of_phone(call, request.phone_number)
    check_home(call, account, "PHONE_MIGRATE")
    call.login.phone, call.login.phone_code_hash = account.phone or "", secrets.token_hex(9)
    kind = types.auth.SentCodeTypeApp(length=len(LOGIN_CODE))
    return types.auth.SentCode(type=kind, phone_code_hash=call.login.phone_code_hash)


def _of_phone(call: Call, phone_number: str) -> Account:
    """Whose number it is. Raises RpcError."""
    try:
        known = call.world.accounts.by_phone(phone_number)
        return known or call.world.add_user("Newcomer", phone_number, call.login.lang_code or "en")
    except ValueError as error:
        raise RpcError(406, "PHONE_NUMBER_INVALID") from error


@rpc(functions.auth.SignInRequest, anonymous=True, passive=True)
def sign_in(call: Call, request: Any) -> Any:
    if not call.login.phone_code_hash or request.phone_code_hash != call.login.phone_code_hash:
        raise RpcError(400, "PHONE_CODE_EXPIRED")
    if request.phone_code != LOGIN_CODE:
        raise RpcError(400, "PHONE_CODE_INVALID")
    account = call.world.accounts.by_phone(call.login.phone)
    if account is None:
        raise RpcError(400, "PHONE_NUMBER_UNOCCUPIED")
    call.login.phone_code_hash = ""
    if account.password is not None:
        call.login.halfway = account
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    return _authorize(call, account)


@rpc(functions.auth.CheckPasswordRequest, anonymous=True, passive=True)
def check_password(call: Call, request: Any) -> Any:
    account, proof = call.login.halfway, request.password
    if account is None or not isinstance(proof, types.InputCheckPasswordSRP):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    challenge = call.world.challenges.take(proof.srp_id)
    if challenge is None or challenge.verifier is not account.password:
        raise RpcError(400, "SRP_ID_INVALID")
    if not challenge.is_met_by(proof.A, proof.M1):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    call.login.halfway = None
    return _authorize(call, account)


@rpc(functions.auth.LogOutRequest, passive=True)
def log_out(call: Call, request: Any) -> Any:
    call.dc.log_out(call.login)
    return types.auth.LoggedOut()
