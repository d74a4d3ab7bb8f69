"""What may stand inside an encrypted packet: one message, a container of messages, gzip around either.

https://core.telegram.org/mtproto/service_messages
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sandbox import tl

CONTAINER: Final = 0x73F1F8DC
RPC_RESULT: Final = 0xF35C6D01

#: Telegram's bound for the messages of one container.
MAX_CONTAINER_MESSAGES: Final = 1020
_INNER: Final = struct.Struct("<qii")

#: Codes of bad_msg_notification (https://core.telegram.org/mtproto/service_messages_about_messages)
MESSAGE_ID_TOO_LOW: Final = 16
MESSAGE_ID_TOO_HIGH: Final = 17
MESSAGE_ID_PARITY: Final = 18
CONTAINER_ID_USED: Final = 19
MESSAGE_TOO_OLD: Final = 20
SEQ_NO_TOO_LOW: Final = 32
SEQ_NO_TOO_HIGH: Final = 33
SEQ_NO_MUST_BE_EVEN: Final = 34
SEQ_NO_MUST_BE_ODD: Final = 35
BAD_SALT: Final = 48
BAD_CONTAINER: Final = 64


class BadMessage(Exception):
    """A message that the session layer refuses. `code` is one of bad_msg_notification's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"bad_msg_notification {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client, unpacked."""

    id: int
    seq_no: int
    body: memoryview

    def check_seq_no(self, *, content: bool) -> None:
        """What wants an answer has an odd number, what does not an even one. Raises BadMessage."""
        if self.seq_no % 2 != content:
            raise BadMessage(SEQ_NO_MUST_BE_ODD if content else SEQ_NO_MUST_BE_EVEN)

    @property
    def constructor_id(self) -> int:
        return int.from_bytes(self.body[:4], "little")


def unpack(outer: Message) -> Iterator[Message]:
    """The messages inside `outer`: of a container, or itself. Raises BadMessage.

    A container is cut by its lengths alone, so that a message nobody knows spoils only itself.
    """
    message = unzip(outer)
    if message.constructor_id == CONTAINER:
        outer.check_seq_no(content=False)
        yield from contents(message)
    else:
        yield message


def contents(container: Message) -> Iterator[Message]:
    """The messages of a container. Raises BadMessage."""
    for inner in _cut(container.body):
        if inner.id >= container.id:
            raise BadMessage(BAD_CONTAINER)
        message = unzip(inner)
        if message.constructor_id == CONTAINER:
            raise BadMessage(BAD_CONTAINER)
        yield message


def first_id(message: Message) -> int:
    """The lowest id in a container, or that of a message. Raises BadMessage."""
    if message.constructor_id != CONTAINER:
        return message.id
    return min((inner.id for inner in _cut(message.body)), default=message.id)


def _cut(body: memoryview) -> Iterator[Message]:
    if len(body) < 8:
        raise BadMessage(BAD_CONTAINER)
    (count,) = struct.unpack_from("<i", body, 4)
    if not 0 <= count <= MAX_CONTAINER_MESSAGES:
        raise BadMessage(BAD_CONTAINER)
    at = 8
    for _ in range(count):
        if at + _INNER.size > len(body):
            raise BadMessage(BAD_CONTAINER)
        message_id, seq_no, length = _INNER.unpack_from(body, at)
        at += _INNER.size
        if length < 4 or at + length > len(body):
            raise BadMessage(BAD_CONTAINER)
        yield Message(message_id, seq_no, body[at : at + length])
        at += length


def unzip(message: Message) -> Message:
    """The message without its gzip. Bounded: what unpacks to more than a packet may hold is refused."""
    if message.constructor_id != tl.GZIP_PACKED:
        return message
    try:
        body = tl.unzip(tl.read_bytes(message.body, 4))
    except tl.Malformed as error:
        raise BadMessage(BAD_CONTAINER) from error
    if len(body) < 4:
        raise BadMessage(BAD_CONTAINER)
    return Message(message.id, message.seq_no, memoryview(body))


def rpc_result(message_id: int, answer: bytes) -> bytes:
    """The answer to the message with this id."""
    return struct.pack("<Iq", RPC_RESULT, message_id) + answer
