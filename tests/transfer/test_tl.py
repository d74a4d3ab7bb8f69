"""Calls and answers against Telethon's TL."""

import gzip
import os
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from tests.transfer.server import error, result
from uploader.transfer import tl
from uploader.transfer.parts import PART_BYTES
from uploader.transfer.room import PartRoom
from uploader.transfer.tl import Message, Refusal


def parsed(request: tl.Request) -> Any:
    """The call as Telethon reads it; it must use up the body."""
    reader = BinaryReader(bytes(request.room.view[request.start : request.stop]))
    call = reader.tgread_object()
    assert reader.tell_position() == request.stop - request.start
    return call


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (tl.SAVE_FILE_PART, functions.upload.SaveFilePartRequest),
        (tl.SAVE_BIG_FILE_PART, functions.upload.SaveBigFilePartRequest),
        (tl.INVOKE_WITHOUT_UPDATES, functions.InvokeWithoutUpdatesRequest),
        (tl.PING, functions.PingRequest),
        (tl.MSGS_ACK, types.MsgsAck),
        (tl.MSG_RESEND_REQ, types.MsgResendReq),
        (tl.RPC_RESULT, RpcResult),
        (tl.RPC_ERROR, types.RpcError),
        (tl.PONG, types.Pong),
        (tl.BAD_SERVER_SALT, types.BadServerSalt),
        (tl.BAD_MSG_NOTIFICATION, types.BadMsgNotification),
        (tl.NEW_SESSION_CREATED, types.NewSessionCreated),
        (tl.MSG_DETAILED_INFO, types.MsgDetailedInfo),
        (tl.MSG_NEW_DETAILED_INFO, types.MsgNewDetailedInfo),
        (tl.MSG_CONTAINER, MessageContainer),
        (tl.GZIP_PACKED, GzipPacked),
    ],
)
def test_constructor_when_compared_then_is_that_of_telethon(ours: int, theirs: Any) -> None:
    """Every constructor id written here is the one of the current schema."""
    assert theirs.CONSTRUCTOR_ID == ours


@pytest.mark.parametrize("size", [1, 2, 3, 4, 253, 254, 255, 256, PART_BYTES - 1, PART_BYTES])
@pytest.mark.parametrize("total", [None, -1, 1, 4000])
def test_part_request_when_made_then_telethon_reads_the_same_call(size: int, total: int | None) -> None:
    """The call around a part of any length is what Telethon would have written."""
    room, data = PartRoom(), os.urandom(PART_BYTES)
    room.data[:] = data
    call = parsed(tl.part_request(room, file_id=-(2**63), part=3999, total=total, size_bytes=size))
    query = (
        functions.upload.SaveFilePartRequest(-(2**63), 3999, data[:size])
        if total is None
        else functions.upload.SaveBigFilePartRequest(-(2**63), 3999, total, data[:size])
    )
    assert bytes(functions.InvokeWithoutUpdatesRequest(query)) == bytes(call)


def test_part_request_when_made_again_then_the_bytes_of_the_part_are_untouched() -> None:
    """A part can be sent again from the same memory, even as another call."""
    room = PartRoom()
    room.data[:5] = b"bytes"
    for total in (None, 7, -1):
        call = parsed(tl.part_request(room, file_id=1, part=2, total=total, size_bytes=5))
        assert b"bytes" == call.query.bytes


def test_service_requests_when_made_then_telethon_reads_them() -> None:
    """Ping, acknowledgements and the request to resend are well formed."""
    assert parsed(tl.ping(77)).ping_id == 77
    assert parsed(tl.msgs_ack([1, -2, 3])).msg_ids == [1, -2, 3]
    assert parsed(tl.msg_resend_req([5])).msg_ids == [5]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (True, True),
        (False, False),
        (error(420, "FLOOD_WAIT_3"), Refusal(code=420, name="FLOOD_WAIT_3")),
        (error(-503, "Timeout" * 40), Refusal(code=-503, name="Timeout" * 40)),
        (types.Pong(1, 2), None),
    ],
)
def test_read_result_when_answered_then_tells_yes_no_or_why(
    packed: bool, outcome: Any, expected: Any
) -> None:
    """Booleans, errors and anything else are told apart, packed or not."""
    assert expected == tl.read_result(result(1, outcome, packed=packed))


def test_flattened_when_a_container_holds_packed_messages_then_gives_them_plain() -> None:
    """A container's messages come out in order and unpacked."""
    pong = bytes(types.Pong(1, 2))
    inner = [bytes(GzipPacked(pong)), pong]
    body = struct.pack("<II", tl.MSG_CONTAINER, 2) + b"".join(
        struct.pack("<qii", number, number, len(each)) + each for number, each in enumerate(inner, 1)
    )
    messages = list(tl.flattened(Message(msg_id=9, seqno=0, body=body)))
    assert [(1, 1, pong), (2, 2, pong)] == [(m.msg_id, m.seqno, m.body) for m in messages]


@given(body=st.binary(max_size=200))
@pytest.mark.parametrize("head", [tl.MSG_CONTAINER, tl.GZIP_PACKED, tl.RPC_RESULT])
def test_reading_when_fed_anything_then_raises_only_what_the_session_expects(head: int, body: bytes) -> None:
    """Hostile bytes end in ValueError, struct.error or zlib.error, whatever they claim to be."""
    whole = struct.pack("<I", head) + body
    try:
        for message in tl.flattened(Message(msg_id=1, seqno=1, body=whole)):
            tl.read_result(message.body)
    except tl.UNREADABLE:
        pass


def test_gunzipped_when_it_would_fill_the_memory_then_refuses() -> None:
    """A bomb is cut off at the size that an answer may have."""
    bomb = gzip.compress(bytes(tl.ANSWER_BYTES + 1))
    packed = struct.pack("<I", tl.GZIP_PACKED) + tl.bytes_prefix(len(bomb)) + bomb
    with pytest.raises(ValueError, match="too large"):
        tl.gunzipped(packed)
