"""What clients of other houses do and Telethon does not; each was found by one of them (tests/interop)."""

import struct

import pytest
from telethon.tl import functions, types

from sandbox import DataCentre, World
from sandbox.mtproto.messages import CONTAINER
from sandbox.people import API_HASH, API_ID, Person
from tests.sandbox.raw import raw

CALL = bytes(functions.users.GetUsersRequest([types.InputUserSelf()]))


def _inner(message_id: int, seq_no: int, body: bytes) -> bytes:
    return struct.pack("<qii", message_id, seq_no, len(body)) + body


async def test_session_when_it_begins_with_a_container_counts_its_messages_as_received(
    world: World, dc: DataCentre
) -> None:
    """What is older than the first, a client sends again; and what is inside is older than the container."""
    async with raw(dc, world.add_bot()) as client:
        first, second = client.message_id(), client.message_id()
        inside = _inner(second, 1, CALL) + _inner(first, 3, CALL)
        await client.send(struct.pack("<Ii", CONTAINER, 2) + inside, seq_no=4)
        assert first == (await client.until(types.NewSessionCreated)).first_msg_id


@pytest.mark.parametrize("seq_no", [0, 1])
async def test_acknowledgement_when_numbered_either_way_is_taken(
    world: World, dc: DataCentre, seq_no: int
) -> None:
    """mtcute counts what needs no answer as content, and Telegram serves it."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(bytes(types.MsgsAck([1])), seq_no)
        await client.send(bytes(functions.PingRequest(7)), seq_no + 1)
        created, pong = await client.receive(), await client.receive()
        assert (types.NewSessionCreated, types.Pong) == (type(created), type(pong))


async def test_bot_when_it_only_signed_in_is_told_what_happens(world: World, dc: DataCentre) -> None:
    """GramJS asks for nothing more, and waits."""
    account, user = world.add_bot(), world.add_user("Ada")
    login = functions.auth.ImportBotAuthorizationRequest(0, API_ID, API_HASH, account.token)
    async with raw(dc, account) as client, Person.connect(dc, user) as ada:
        await client.result(await client.send(bytes(functions.auth.LogOutRequest())))
        await client.result(await client.send(bytes(login), seq_no=3))
        await ada.send("hi")
        (update,) = (await client.until(types.Updates)).updates
        assert "hi" == update.message.message
