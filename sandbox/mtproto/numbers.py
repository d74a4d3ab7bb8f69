"""The numbers of a client's messages, and what they may be.

https://core.telegram.org/mtproto/description#message-identifier-msg-id and #message-sequence-number-msg-seqno
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from sandbox.mtproto import messages
from sandbox.mtproto.messages import BadMessage

#: A client's message id is its clock; Telegram takes it from 300 s late to 30 s early.
TOO_OLD_S: Final = 300
TOO_NEW_S: Final = 30

#: Seconds since the epoch, as the data centre believes.
Clock = Callable[[], float]

#: Messages of a client whose numbers are remembered at least, and at most.
_REMEMBERED_LEAST: Final = 200
_REMEMBERED_MOST: Final = 400

#: What msgs_state_info says: https://core.telegram.org/mtproto/service_messages_about_messages
_FORGOTTEN: Final = 1
_MISSING: Final = 2
_TOO_HIGH: Final = 3
_RECEIVED: Final = 4
_WANTS_NO_ACKNOWLEDGEMENT: Final = 16


def check_time(message_id: int, now: float) -> None:
    """Refuse an id that is not of this time, or not a client's. Raises BadMessage."""
    if message_id % 4:
        raise BadMessage(messages.MESSAGE_ID_PARITY)
    age_s = now - (message_id >> 32)
    if age_s > TOO_OLD_S:
        raise BadMessage(messages.MESSAGE_ID_TOO_LOW)
    if age_s < -TOO_NEW_S:
        raise BadMessage(messages.MESSAGE_ID_TOO_HIGH)


class Received:
    """The numbers of the messages that a session took: ids and sequence numbers rise together."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._seq_nos: dict[int, int] = {}
        self._forgotten = 0

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._seq_nos

    def take(self, message_id: int, seq_no: int) -> None:
        """Remember a message that is new. Raises BadMessage: too old to tell, or out of order."""
        if message_id <= self._forgotten:
            raise BadMessage(messages.MESSAGE_TOO_OLD)
        at = bisect_left(self._ids, message_id)
        if at and not _in_order(self._seq_nos[self._ids[at - 1]], seq_no):
            raise BadMessage(messages.SEQ_NO_TOO_LOW)
        if at < len(self._ids) and not _in_order(seq_no, self._seq_nos[self._ids[at]]):
            raise BadMessage(messages.SEQ_NO_TOO_HIGH)
        self._ids.insert(at, message_id)
        self._seq_nos[message_id] = seq_no
        if len(self._ids) > _REMEMBERED_MOST:
            self._forget(len(self._ids) - _REMEMBERED_LEAST)

    def _forget(self, count: int) -> None:
        self._forgotten = self._ids[count - 1]
        for message_id in self._ids[:count]:
            del self._seq_nos[message_id]
        del self._ids[:count]

    def state(self, message_id: int) -> int:
        """What is known of a message, as msgs_state_info says it."""
        if message_id in self._seq_nos:
            return _RECEIVED if self._seq_nos[message_id] % 2 else _RECEIVED + _WANTS_NO_ACKNOWLEDGEMENT
        if message_id <= self._forgotten:
            return _FORGOTTEN
        return _TOO_HIGH if not self._ids or message_id > self._ids[-1] else _MISSING


def _in_order(earlier: int, later: int) -> bool:
    """An even number may come again, and be followed by the odd one: what has it wants no answer."""
    return earlier < later or (earlier == later and earlier % 2 == 0)
