"""account.*: the second factor, as a login asks for it (https://core.telegram.org/api/srp)."""

import os
from typing import Any

from telethon.tl import functions, types

from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.passwords import G, P, Verifier, number


@rpc(functions.account.GetPasswordRequest, anonymous=True, passive=True)
def get_password(call: Call, request: Any) -> Any:
    account = call.login.account or call.login.halfway
    if account is None:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    asked: dict[str, Any] = {}
    if account.password is not None:
        srp_id, challenge = call.world.challenges.ask(account.password)
        asked = {"current_algo": _algorithm(account.password), "srp_id": srp_id, "srp_B": challenge.b_public}
    return types.account.Password(
        new_algo=types.PasswordKdfAlgoUnknown(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=os.urandom(256),
        has_password=account.password is not None,
        **asked,
    )


def _algorithm(verifier: Verifier) -> Any:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        verifier.salt1, verifier.salt2, G, number(P)
    )
