"""The session layer, asked by hand what no library asks."""

import gzip
import os
import struct
from typing import Any

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from sandbox import DataCentre, Fault, World, tl
from sandbox.mtproto.messages import CONTAINER, RPC_RESULT
from sandbox.mtproto.numbers import Received
from sandbox.tl import write_bytes
from sandbox.world.letters import Draft
from tests.sandbox.raw import Raw, raw

CALL = bytes(functions.users.GetUsersRequest([types.InputUserSelf()]))


def _inner(message_id: int, seq_no: int, body: bytes) -> bytes:
    return struct.pack("<qii", message_id, seq_no, len(body)) + body


def _packed(body: bytes) -> bytes:
    head, padding = write_bytes(body)
    return struct.pack("<I", tl.GZIP_PACKED) + head + body + padding


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


async def test_key_when_its_client_destroys_it_is_unknown(world: World, dc: DataCentre) -> None:
    """TDLib does so after it has logged out, with any sequence number, and waits until it is told."""
    account = world.add_bot()
    async with raw(dc, account) as client:
        await client.send(bytes(functions.DestroyAuthKeyRequest()), client.seq_no(content=False))
        await client.until(types.DestroyAuthKeyOk)
        assert [] == dc.logins.of(account)
        await client.send(CALL)
        assert struct.pack("<i", -404) == await client.packet()


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        (CALL, None),
        (_packed(gzip.compress(CALL)), 400),
        (CALL + bytes(4), 400),
        (CALL + bytes(tl.MOST_UNPACKED_BYTES), 400),
        (CALL[:-4], 400),
    ],
    ids=["once", "twice", "with more behind it", "too large", "cut"],
)
async def test_call_when_packed_inside_its_wrapper_is_read(
    world: World, dc: DataCentre, packed: bytes, error: int | None
) -> None:
    """TDLib packs what shrinks by it, behind invokeWithLayer where a connection is new."""
    wrapper = bytes(functions.InvokeWithLayerRequest(229, functions.PingRequest(1)))[:8]
    async with raw(dc, world.add_bot()) as client:
        answer = await client.result(await client.send(wrapper + _packed(gzip.compress(packed))))
        assert error == getattr(answer, "error_code", None)
    assert (error is None) == world.stats.calls["users.getUsers"]


async def test_sequence_number_when_out_of_order_is_refused(world: World, dc: DataCentre) -> None:
    """A later message with a lower number, and an earlier one with a higher."""
    ping = bytes(functions.PingRequest(1))
    async with raw(dc, world.add_bot()) as client:
        first, early = client.message_id(), client.message_id()
        await client.send(CALL, 9, client.message_id())
        low = await client.send(CALL, 7)
        notice = await client.until(types.BadMsgNotification)
        assert (low, 7, 32) == (notice.bad_msg_id, notice.bad_msg_seqno, notice.error_code)
        await client.send(CALL, 11, early)
        notice = await client.until(types.BadMsgNotification)
        assert (early, 33) == (notice.bad_msg_id, notice.error_code)
        await client.send(ping, 8, first)
        assert 1 == (await client.until(types.Pong)).ping_id
        assert 1 == world.stats.calls["users.getUsers"]


async def test_container_when_its_id_was_used_is_refused(world: World, dc: DataCentre) -> None:
    """Two different packets cannot have one number."""
    async with raw(dc, world.add_bot()) as client:
        inner = _inner(client.message_id(), client.seq_no(), CALL)
        container = struct.pack("<Ii", CONTAINER, 1) + inner
        used = await client.send(container, client.seq_no(content=False))
        await client.send(container, client.seq_no(content=False), used)
        notice = await client.until(types.BadMsgNotification)
        assert (used, 19) == (notice.bad_msg_id, notice.error_code)


async def test_container_when_numbered_as_content_is_refused(world: World, dc: DataCentre) -> None:
    """It wants no answer itself, so its number is even: 34. Nothing in it is done."""
    async with raw(dc, world.add_bot()) as client:
        body = struct.pack("<Ii", CONTAINER, 1) + _inner(client.message_id(), client.seq_no(), CALL)
        odd = await client.send(body, seq_no=3)
        notice = await client.until(types.BadMsgNotification)
        assert (odd, 3, 34) == (notice.bad_msg_id, notice.bad_msg_seqno, notice.error_code)
        assert 0 == world.stats.calls["users.getUsers"]


async def test_server_when_it_numbers_its_messages_keeps_the_rules_itself(
    world: World, dc: DataCentre
) -> None:
    """Ids rise, answers end in 1 and pushes in 3 modulo 4; odd numbers for what wants an acknowledgement."""
    bot, ada = world.add_bot(), world.add_user("Ada")
    async with raw(dc, bot) as client:
        await client.send(bytes(functions.GetFutureSaltsRequest(2)))
        await client.result(await client.send(bytes(functions.updates.GetStateRequest())))
        world.post_office.send(ada, bot, Draft("hi"), 1, None)
        await client.until(types.Updates)
        await client.send(CALL, seq_no=2)
        await client.until(types.BadMsgNotification)
        await client.send(bytes(functions.PingRequest(1)))
        await client.result(await client.send(CALL))
    taken, content, pushed = Received(), 0, (types.NewSessionCreated, types.Updates)
    for message_id, seq_no, body in client.received:
        result = int.from_bytes(body[:4], "little") == RPC_RESULT
        kind = None if result else type(BinaryReader(body).tgread_object())
        wants_answer = result or kind in pushed
        assert (3 if kind in pushed else 1) == message_id % 4
        assert 2 * content + wants_answer == seq_no
        content += wants_answer
        taken.take(message_id, seq_no)
    ids = [message_id for message_id, _, _ in client.received]
    assert sorted(ids) == ids
    assert (4, 7) == (content, len(client.received))


async def test_message_when_forgotten_is_too_old(world: World, dc: DataCentre) -> None:
    """A number below those that are remembered may have been seen, or not: 20."""
    acknowledgement = bytes(types.MsgsAck([1]))
    async with raw(dc, world.add_bot()) as client:
        old = client.message_id()
        for _ in range(500):
            await client.send(acknowledgement, 0)
        await client.send(CALL, 1, old)
        notice = await client.until(types.BadMsgNotification)
        assert (old, 20) == (notice.bad_msg_id, notice.error_code)


async def test_states_when_asked_for_tell_what_became_of_each_message(world: World, dc: DataCentre) -> None:
    """Answered, in work, not seen yet, and still to come."""
    async with raw(dc, world.add_bot()) as client:
        answered, skipped = await client.send(CALL), client.message_id()
        await client.result(answered)
        world.faults.append(Fault("users.", swallow=True))
        swallowed = await client.send(CALL)
        future = swallowed + 2**32
        asked = [answered, skipped, swallowed, future]
        request = await client.send(bytes(types.MsgsStateReq(asked)), client.seq_no(content=False))
        states = await client.until(types.MsgsStateInfo)
        assert (request, bytes([4 + 64, 2, 4 + 32, 3]).decode()) == (states.req_msg_id, states.info)


async def test_answer_when_only_announced_is_sent_on_request(world: World, dc: DataCentre) -> None:
    """As Telegram holds answers back; when the client has it, it is not known any more."""
    world.faults.append(Fault("users.", hold=True))
    async with raw(dc, world.add_bot()) as client:
        call = await client.send(CALL)
        notice = await client.until(types.MsgDetailedInfo)
        assert call == notice.msg_id
        request = bytes(types.MsgResendReq([notice.answer_msg_id]))
        for _ in range(2):
            await client.send(request, client.seq_no(content=False))
            assert len(await client.result(call)) == 1
            assert notice.answer_msg_id == client.last_received_id
        acknowledgement = bytes(types.MsgsAck([notice.answer_msg_id]))
        await client.send(acknowledgement, client.seq_no(content=False))
        asked = await client.send(request, client.seq_no(content=False))
        assert asked == (await client.until(types.MsgsStateInfo)).req_msg_id


async def test_session_when_destroyed_by_another_is_gone(world: World, dc: DataCentre) -> None:
    """It begins anew when it is heard of again; none can destroy itself."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(bytes(functions.PingRequest(1)))
        first = client.session_id
        await client.send(bytes(functions.DestroySessionRequest(first)))
        assert first == (await client.until(types.DestroySessionNone)).session_id
        client.begin_session()
        await client.send(bytes(functions.DestroySessionRequest(first)))
        assert first == (await client.until(types.DestroySessionOk)).session_id
        client.session_id = first
        await client.send(bytes(functions.PingRequest(2)))
        await client.until(types.NewSessionCreated)
        assert 2 == (await client.until(types.Pong)).ping_id


async def test_salts_when_replaced_are_told_again(world: World, dc: DataCentre) -> None:
    """The future ones that a client was told are good in their time."""
    async with raw(dc, world.add_bot()) as client:
        await client.send(bytes(functions.GetFutureSaltsRequest(3)))
        told = (await client.until(types.FutureSalts)).salts
        assert (3, client.salt) == (len(told), told[0].salt)
        world.network.clock_skew_s = 3600.0
        client.salt = told[2].salt
        assert len(await client.result(await client.send(CALL, None, client.message_id(3600.0)))) == 1
        dc.logins.replace_salts()
        await client.send(CALL, None, client.message_id(3600.0))
        assert told[2].salt != (await client.until(types.BadServerSalt)).new_server_salt


async def test_call_when_its_answer_takes_a_while_is_acknowledged(world: World, dc: DataCentre) -> None:
    """The client need not wonder whether it arrived."""
    bot, ada = world.add_bot(), world.add_user("Ada")
    world.post_office.send(ada, bot, Draft("hi"), 1, None)
    button = types.KeyboardInlineButton("Press", types.InlineButtonTypeCallback(b"x"))
    markup = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
    world.post_office.send(bot, ada, Draft("choose", markup=markup), 2, None)
    peer = types.InputPeerUser(bot.id, world.accounts.access_hash(ada, "user", bot.id))
    async with raw(dc, ada) as client:
        call = await client.send(bytes(functions.messages.GetBotCallbackAnswerRequest(peer, 2, data=b"x")))
        assert [call] == (await client.until(types.MsgsAck)).msg_ids


async def test_auth_key_when_unknown_earns_404_and_the_end(world: World, dc: DataCentre) -> None:
    """The transport's own error, as clients know it."""
    async with raw(dc, world.add_bot()) as client:
        client.key = os.urandom(256)
        await client.send(CALL)
        assert struct.pack("<i", -404) == await client.packet()
        assert await client.closed()


def _tampered(client: Raw) -> bytes:
    packet = bytearray(client.seal(CALL, client.message_id(), 1))
    packet[-1] ^= 1
    return bytes(packet)


@pytest.mark.parametrize(
    "packet",
    [
        _tampered,
        lambda client: client.seal(CALL, client.message_id(), 1, padding=0),
        lambda client: client.seal(CALL, client.message_id(), 1, padding=1040),
        lambda client: client.seal(CALL, client.message_id(), 1, length=len(CALL) + 1),
        lambda client: client.seal(CALL, client.message_id(), 1, length=-4),
        lambda client: client.seal(CALL, client.message_id(), 1)[:40],
    ],
    ids=["msg_key", "little padding", "much padding", "odd length", "negative length", "no body"],
)
async def test_packet_when_its_envelope_is_wrong_cuts_the_connection(
    world: World, dc: DataCentre, packet: Any
) -> None:
    """msg_key is verified, and the lengths inside: 12 to 1024 bytes of padding."""
    async with raw(dc, world.add_bot()) as client:
        await client.send_packet(packet(client))
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
