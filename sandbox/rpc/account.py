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
    return types.account.Password(
        new_algo=types.PasswordKdfAlgoUnknown(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=os.urandom(256),
        has_password=account.password is not None,
        **(_question(call, account.password) if account.password is not None else {}),
    )


def _question(call: Call, password: Verifier) -> dict[str, Any]:
    """What a client proves its knowledge by."""
    srp_id, challenge = call.world.challenges.ask(password)
    return {"current_algo": _algorithm(password), "srp_id": srp_id, "srp_B": challenge.b_public}


def _algorithm(verifier: Verifier) -> Any:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        verifier.salt1, verifier.salt2, G, number(P)
    )
