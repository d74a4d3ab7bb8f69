"""The session layer, asked by hand what no library asks."""

import gzip
import os
import struct

import pytest
from telethon.tl import functions, types

from sandbox import DataCentre, World
from sandbox.mtproto.messages import CONTAINER, GZIP_PACKED
from sandbox.tl import write_bytes
from tests.sandbox.raw import Raw, raw

CALL = bytes(functions.users.GetUsersRequest([types.InputUserSelf()]))


def _inner(message_id: int, seq_no: int, body: bytes) -> bytes:
    return struct.pack("<qii", message_id, seq_no, len(body)) + body


def _packed(body: bytes) -> bytes:
    head, padding = write_bytes(body)
    return struct.pack("<I", GZIP_PACKED) + head + body + padding


async def test_first_message_when_it_arrives_is_greeted_with_the_salt(world: World, dc: DataCentre) -> None:
    """A session that the server never heard of is announced as new, once."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(bytes(functions.PingRequest(7)))
        assert client.salt == (await client.until(types.NewSessionCreated)).server_salt
        assert (await client.until(types.Pong)).ping_id == 7
        await client.send(bytes(functions.PingRequest(8)))
        assert isinstance(await client.receive(), types.Pong)


async def test_salt_when_wrong_is_corrected(world: World, dc: DataCentre) -> None:
    """The call is not run, and runs when it is sent again with the salt that was told."""
    async with raw(dc, world.add_bot()) as client:
        right, client.salt = client.salt, client.salt ^ 1
        refused = await client.send(CALL)
        notice = await client.until(types.BadServerSalt)
        assert (refused, 48, right) == (notice.bad_msg_id, notice.error_code, notice.new_server_salt)
        client.salt = notice.new_server_salt
        assert len(await client.result(await client.send(CALL))) == 1
        assert 1 == world.stats.calls["users.getUsers"]


@pytest.mark.parametrize(
    ("offset_s", "change", "seq_no", "code"),
    [(-400.0, 0, 1, 16), (100.0, 0, 1, 17), (0.0, 1, 1, 18), (0.0, 0, 2, 35)],
)
async def test_message_id_or_number_when_wrong_is_refused(
    world: World, dc: DataCentre, offset_s: float, change: int, seq_no: int, code: int
) -> None:
    """Too old, too new, not divisible by four, an even number on a call: each has its code."""
    async with raw(dc, world.add_bot()) as client:
        message_id = await client.send(CALL, seq_no, client.message_id(offset_s) + change)
        notice = await client.until(types.BadMsgNotification)
        assert (message_id, code) == (notice.bad_msg_id, notice.error_code)


async def test_constructor_when_unknown_is_an_error_and_the_rest_of_its_container_lives(
    world: World, dc: DataCentre
) -> None:
    """A container is cut by lengths: what nobody knows spoils only itself."""
    async with raw(dc, world.add_bot()) as client:
        unknown, known = client.message_id(), client.message_id()
        body = struct.pack("<Ii", CONTAINER, 2)
        body += _inner(unknown, 1, b"\xde\xad\xbe\xef" * 4) + _inner(known, 3, CALL)
        await client.send(body, seq_no=4)
        error = await client.result(unknown)
        assert (400, "INPUT_METHOD_INVALID") == (error.error_code, error.error_message)
        assert len(await client.result(known)) == 1


async def test_request_when_cut_short_is_an_error(world: World, dc: DataCentre) -> None:
    """A method that is known, with fields that are not all there."""
    async with raw(dc, world.add_bot()) as client:
        error = await client.result(await client.send(CALL[:-4]))
        assert "INPUT_FETCH_ERROR" == error.error_message


async def test_request_when_gzipped_is_unpacked_within_bounds(world: World, dc: DataCentre) -> None:
    """A packed call runs; a bomb is refused before it has unpacked."""
    async with raw(dc, world.add_bot()) as client:
        assert len(await client.result(await client.send(_packed(gzip.compress(CALL))))) == 1
        await client.send(_packed(gzip.compress(bytes(50_000_000))))
        assert 64 == (await client.until(types.BadMsgNotification)).error_code


@pytest.mark.parametrize(
    "body", [struct.pack("<Ii", CONTAINER, 5000), struct.pack("<Ii", CONTAINER, 1), b"\1\2\3\4"]
)
async def test_container_when_broken_is_refused_and_the_connection_lives(
    world: World, dc: DataCentre, body: bytes
) -> None:
    """Too many messages, or fewer than promised, or nothing that is known."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(body, seq_no=0)
        assert (await client.until(types.BadMsgNotification)).error_code in (64, 35)
        assert len(await client.result(await client.send(CALL))) == 1


async def test_call_when_sent_twice_is_run_once_and_answered_twice(world: World, dc: DataCentre) -> None:
    """A client that missed the answer asks again with the same message id."""
    async with raw(dc, world.add_bot()) as client:
        message_id = await client.send(bytes(functions.updates.GetStateRequest()))
        first = await client.result(message_id)
        await client.send(bytes(functions.updates.GetStateRequest()), message_id=message_id)
        assert first.pts == (await client.result(message_id)).pts
        assert 1 == world.stats.calls["updates.getState"]


async def test_service_messages_when_asked_are_answered(world: World, dc: DataCentre) -> None:
    """Salts, sessions and states, each in its own form."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(bytes(functions.GetFutureSaltsRequest(2)))
        assert client.salt == (await client.until(types.FutureSalts)).salts[0].salt
        await client.send(bytes(functions.DestroySessionRequest(12345)))
        assert 12345 == (await client.until(types.DestroySessionNone)).session_id
        asked = await client.send(bytes(types.MsgsStateReq([1, 2])), client.seq_no(content=False))
        state = await client.until(types.MsgsStateInfo)
        assert (asked, 2) == (state.req_msg_id, len(state.info))
        await client.send(bytes(functions.PingDelayDisconnectRequest(5, 60)))
        assert 5 == (await client.until(types.Pong)).ping_id


async def test_auth_key_when_unknown_earns_404_and_the_end(world: World, dc: DataCentre) -> None:
    """The transport's own error, as clients know it."""
    async with raw(dc, world.add_bot()) as client:
        client.key = os.urandom(256)
        await client.send(CALL)
        assert struct.pack("<i", -404) == await client.packet()
        assert await client.closed()


async def _tampered(client: Raw) -> bytes:
    packet = bytearray(client.seal(CALL, client.message_id(), 1))
    packet[-1] ^= 1
    return bytes(packet)


async def test_packet_when_tampered_with_cuts_the_connection(world: World, dc: DataCentre) -> None:
    """msg_key is verified."""
    async with raw(dc, world.add_bot()) as client:
        await client.send_packet(await _tampered(client))
        assert await client.closed()
        assert 0 == world.stats.calls["users.getUsers"]


async def test_call_when_the_program_has_not_introduced_itself_is_refused(
    world: World, dc: DataCentre
) -> None:
    """The first call on a key names its layer and its application."""
    account = world.add_bot()

    def introduced(api_id: int) -> bytes:
        hello = functions.InitConnectionRequest(
            api_id, "", "", "", "", "", "en", functions.help.GetNearestDcRequest()
        )
        return bytes(functions.InvokeWithLayerRequest(200, hello))

    async with raw(dc, account) as client:
        dc.logins.of(account)[0].layer = 0
        assert "CONNECTION_NOT_INITED" == (await client.result(await client.send(CALL))).error_message
        nameless = await client.result(await client.send(introduced(0)))
        assert "CONNECTION_API_ID_INVALID" == nameless.error_message
        assert dc.id == (await client.result(await client.send(introduced(1)))).this_dc
        assert len(await client.result(await client.send(CALL))) == 1
