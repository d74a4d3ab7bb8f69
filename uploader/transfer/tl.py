"""The few TL constructors an upload session speaks, by struct: calls out, answers in.

Layouts: https://core.telegram.org/mtproto/TL-formal and https://core.telegram.org/mtproto/service_messages
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from uploader.transfer.parts import TOTAL_UNKNOWN
from uploader.transfer.room import BODY_AT, DATA_AT, PartRoom, Room

SAVE_FILE_PART: Final = 0xB304A621
SAVE_BIG_FILE_PART: Final = 0xDE7B673D
INVOKE_WITHOUT_UPDATES: Final = 0xBF9459B7
PING: Final = 0x7ABE77EC
MSGS_ACK: Final = 0x62D6B459
MSG_RESEND_REQ: Final = 0x7D861A08
GET_FUTURE_SALTS: Final = 0xB921BD04
VECTOR: Final = 0x1CB5C415

BOOL_TRUE: Final = 0x997275B5
BOOL_FALSE: Final = 0xBC799737
RPC_RESULT: Final = 0xF35C6D01
RPC_ERROR: Final = 0x2144CA19
PONG: Final = 0x347773C5
BAD_SERVER_SALT: Final = 0xEDAB447B
BAD_MSG_NOTIFICATION: Final = 0xA7EFF811
FUTURE_SALTS: Final = 0xAE500895
NEW_SESSION_CREATED: Final = 0x9EC20908
MSG_DETAILED_INFO: Final = 0x276D3EC6
MSG_NEW_DETAILED_INFO: Final = 0x809DB6DF
MSG_CONTAINER: Final = 0x73F1F8DC
GZIP_PACKED: Final = 0x3072CFA1

#: Answers of an upload session are a few bytes, the configuration a few KiB: more than this is no answer.
ANSWER_BYTES: Final = 1024 * 1024

#: What the readers here raise for bytes that are not what they claim to be.
UNREADABLE: Final = (ValueError, IndexError, struct.error, zlib.error)


@dataclass(eq=False, kw_only=True, slots=True)
class Request:
    """A message on its way out: its body is room.view[start:stop]."""

    room: Room
    start: int
    stop: int
    content: bool = True  # False: needs no acknowledgement (only acknowledgements themselves)
    msg_id: int = 0  # of the last time it was sent
    sent_count: int = 0

    def anew(self) -> "Request":
        """The same body, as if it was never sent."""
        return Request(room=self.room, start=self.start, stop=self.stop, content=self.content)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An rpc_error. https://core.telegram.org/api/errors"""

    code: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message of the data centre, out of its container and unpacked."""

    msg_id: int
    seqno: int
    body: bytes

    @property
    def constructor(self) -> int:
        """The constructor id that the body begins with."""
        return word(self.body)


def part_request(room: PartRoom, *, file_id: int, part: int, total: int | None, size_bytes: int) -> Request:
    """The call that saves the first `size_bytes` of `room.data`; `total` None = saveFilePart (small file).

    The room is plain: what was sealed in it has been forgotten.
    """
    if total is None:
        call = struct.pack("<IIqi", INVOKE_WITHOUT_UPDATES, SAVE_FILE_PART, file_id, part)
    else:
        call = struct.pack(
            "<IIqii", INVOKE_WITHOUT_UPDATES, SAVE_BIG_FILE_PART, file_id, part, max(total, TOTAL_UNKNOWN)
        )
    call += bytes_prefix(size_bytes)
    start = DATA_AT - len(call)
    end = DATA_AT + size_bytes
    stop = end + -(end - start) % 4
    room.view[start:DATA_AT] = call
    room.view[end:stop] = bytes(stop - end)
    return Request(room=room, start=start, stop=stop)


def small_request(body: bytes, *, content: bool = True) -> Request:
    """A message with a ready body."""
    room = Room(len(body))
    stop = BODY_AT + len(body)
    room.view[BODY_AT:stop] = body
    return Request(room=room, start=BODY_AT, stop=stop, content=content)


def ping(ping_id: int) -> Request:
    """https://core.telegram.org/mtproto/service_messages#ping-messages-pingpong"""
    return small_request(struct.pack("<Iq", PING, ping_id))


def msgs_ack(msg_ids: Sequence[int]) -> Request:
    """https://core.telegram.org/mtproto/service_messages_about_messages#acknowledgment-of-receipt"""
    return small_request(_id_vector(MSGS_ACK, msg_ids), content=False)


def msg_resend_req(msg_ids: Sequence[int]) -> Request:
    """https://core.telegram.org/mtproto/service_messages_about_messages#explicit-request-to-re-send-messages"""
    return small_request(_id_vector(MSG_RESEND_REQ, msg_ids), content=False)


def get_future_salts(count: int) -> Request:
    """https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts"""
    return small_request(struct.pack("<Ii", GET_FUTURE_SALTS, count))


def read_future_salts(body: bytes) -> list[tuple[int, int]]:
    """Since when (Unix seconds) each salt of a future_salts is good, and which it is."""
    count = word(body, 16)
    if 20 + 16 * count > len(body):
        raise ValueError("a future_salts that goes beyond its message")
    return [struct.unpack_from("<i4xq", body, 20 + 16 * number) for number in range(count)]


def _id_vector(constructor: int, msg_ids: Sequence[int]) -> bytes:
    return struct.pack(f"<IIi{len(msg_ids)}q", constructor, VECTOR, len(msg_ids), *msg_ids)


def word(data: bytes, at: int = 0) -> int:
    """The unsigned 32-bit word at `at`; raises struct.error beyond the end."""
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def bytes_prefix(size_bytes: int) -> bytes:
    """What TL puts before a string of this length."""
    if size_bytes < 254:
        return bytes([size_bytes])
    return b"\xfe" + size_bytes.to_bytes(3, "little")


def read_string(data: bytes, at: int) -> bytes:
    """The TL string at `at`; raises ValueError when it does not end inside `data`."""
    size = data[at] if at < len(data) else 0
    at += 1
    if size >= 254:
        size = int.from_bytes(data[at : at + 3], "little")
        at += 3
    if at + size > len(data):
        raise ValueError("a TL string that goes beyond its message")
    return data[at : at + size]


def gunzipped(body: bytes) -> bytes:
    """What a gzip_packed holds (at most ANSWER_BYTES); any other body as it is."""
    if word(body) != GZIP_PACKED:
        return body
    unpacker = zlib.decompressobj(wbits=31)
    plain = unpacker.decompress(read_string(body, 4), ANSWER_BYTES)
    if not unpacker.eof:
        raise ValueError("a gzip_packed that is cut off or too large")
    return plain


def flattened(message: Message) -> Iterator[Message]:
    """The messages that one message holds: itself, or those of a container; all unpacked.

    https://core.telegram.org/mtproto/service_messages#containers
    """
    body = gunzipped(message.body)
    if word(body) != MSG_CONTAINER:
        yield Message(msg_id=message.msg_id, seqno=message.seqno, body=body)
        return
    at = 8
    for _ in range(word(body, 4)):
        msg_id, seqno, length = struct.unpack_from("<qii", body, at)
        at += 16
        if not 0 < length <= len(body) - at:
            raise ValueError("a container whose messages go beyond it")
        yield Message(msg_id=msg_id, seqno=seqno, body=gunzipped(body[at : at + length]))
        at += length


def read_result(body: bytes) -> bool | Refusal | None:
    """The answer inside an rpc_result; None = neither a boolean nor an error."""
    result = gunzipped(body[12:])
    constructor = word(result)
    if constructor == RPC_ERROR:
        code: int = struct.unpack_from("<i", result, 4)[0]
        return Refusal(code=code, name=read_string(result, 8).decode("utf-8", "replace"))
    return {BOOL_TRUE: True, BOOL_FALSE: False}.get(constructor)
