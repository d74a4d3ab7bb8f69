"""The second factor of a login."""

import pytest
from telethon import functions, types
from telethon.errors import PasswordHashInvalidError, SessionPasswordNeededError

from sandbox import LOGIN_CODE, DataCentre, World
from sandbox.world.passwords import Challenge, Verifier
from tests.sandbox.clients import connected, refused


async def test_login_when_a_password_is_set_needs_it_after_the_code(world: World, dc: DataCentre) -> None:
    """By Telethon's own SRP: the code is not enough, a wrong password is told, the right one lets in."""
    user = world.add_user("Ada", password="correct horse")
    async with connected(dc) as client:
        await client.send_code_request(user.phone)
        with pytest.raises(SessionPasswordNeededError):
            await client.sign_in(user.phone, LOGIN_CODE)
        with refused("AUTH_KEY_UNREGISTERED"):
            await client(functions.updates.GetStateRequest())
        with pytest.raises(PasswordHashInvalidError):
            await client.sign_in(password="battery staple")
        me = await client.sign_in(password="correct horse")
        assert user.id == me.id
        assert (await client(functions.account.GetPasswordRequest())).has_password


async def test_password_when_asked_for_too_early_or_answered_twice_is_refused(
    world: World, dc: DataCentre
) -> None:
    """Nobody is asked before the code was right; a question is good for one answer."""
    user = world.add_user("Ada", password="secret")
    proof = types.InputCheckPasswordSRP(1, bytes(256), bytes(32))
    async with connected(dc) as client:
        with refused("AUTH_KEY_UNREGISTERED"):
            await client(functions.account.GetPasswordRequest())
        with refused("PASSWORD_HASH_INVALID"):
            await client(functions.auth.CheckPasswordRequest(proof))
        await client.send_code_request(user.phone)
        with pytest.raises(SessionPasswordNeededError):
            await client.sign_in(user.phone, LOGIN_CODE)
        with refused("SRP_ID_INVALID"):
            await client(functions.auth.CheckPasswordRequest(proof))
        asked = await client(functions.account.GetPasswordRequest())
        wrong = types.InputCheckPasswordSRP(asked.srp_id, bytes(256), bytes(32))
        with refused("PASSWORD_HASH_INVALID"):
            await client(functions.auth.CheckPasswordRequest(wrong))
        with refused("SRP_ID_INVALID"):
            await client(functions.auth.CheckPasswordRequest(wrong))


@pytest.mark.parametrize("a_public", [0, 2**2048 - 1])
def test_proof_when_its_number_is_no_group_element_is_refused(a_public: int) -> None:
    """Zero would make the shared secret zero for everybody."""
    challenge = Challenge.of(Verifier.of("secret"))
    assert not challenge.is_met_by(a_public.to_bytes(256, "big"), bytes(32))
