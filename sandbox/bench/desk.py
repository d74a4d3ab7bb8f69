"""Answers what measured clients ask, and counts the parts they save. No I/O.

One auth key is known from the start: a handshake is not what is measured.
"""

import struct
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from telethon.tl import functions, types

from sandbox import tl
from sandbox.bench import calls, envelope
from sandbox.bench.calls import Part
from sandbox.mtproto.envelope import AuthKey, Opened
from sandbox.mtproto.messages import BadMessage, Message, rpc_result, unpack
from sandbox.mtproto.session import MessageIds

DC_ID: Final = 2
#: Clients look for the data centres of the real network in the configuration, whichever they need.
_DC_IDS: Final = range(1, 6)
_BOOL_TRUE: Final = tl.write(True)
_CONTENT: Final = 1


@dataclass(frozen=True, slots=True)
class Save:
    """A call that saves a part, to be answered when the last byte of its packet is in."""

    message: Opened
    part: Part


class Desk:
    """The data centre behind the sink: gives packets to send for packets that came. For many threads."""

    def __init__(self, key: bytes, host: str, port: int) -> None:
        self._key = AuthKey.of(key)
        self._known = _known(host, port)
        self._lock = threading.Lock()  # of all below
        self._ids = MessageIds()
        self._saved: dict[int, dict[int, int]] = {}  # size of each part, by file and number

    def saved_bytes(self) -> list[int]:
        """The sizes of all files since the last time this was asked."""
        with self._lock:
            saved, self._saved = self._saved, {}
        return [sum(parts.values()) for parts in saved.values()]

    def peek(self, head: bytes) -> Save | None:
        """The save that a large packet begins with; None: it must be read as a whole."""
        message = envelope.peeked(self._key, head)
        try:
            part = calls.read_part(message.body, calls.unwrapped(message.body))
        except calls.UNREADABLE:
            return None
        return None if part is None else Save(message, part)

    def acknowledge(self, save: Save) -> bytes:
        """The packet that answers a save."""
        self._keep(save.part)
        return self._sealed(save.message, rpc_result(save.message.message_id, _BOOL_TRUE))

    def answers(self, packet: bytes) -> list[bytes]:
        """The packets that answer a whole packet. Raises BadEnvelope, BadMessage."""
        opened = self._key.open(memoryview(packet))
        outer = Message(opened.message_id, opened.seq_no, opened.body)
        bodies = [self._answer(message) for message in unpack(outer)]
        return [self._sealed(opened, body) for body in bodies if body is not None]

    def _answer(self, message: Message) -> bytes | None:
        """The body that answers one message; None: it wants none."""
        try:
            call = calls.unwrapped(message.body)
            part = calls.read_part(message.body, call)
        except calls.UNREADABLE as error:
            raise BadMessage(0) from error
        if part is not None:
            self._keep(part)
            return rpc_result(message.id, _BOOL_TRUE)
        match call.constructor:
            case functions.PingRequest.CONSTRUCTOR_ID | functions.PingDelayDisconnectRequest.CONSTRUCTOR_ID:
                (ping_id,) = struct.unpack_from("<q", message.body, call.fields_at)
                return bytes(types.Pong(message.id, ping_id))
            case functions.GetFutureSaltsRequest.CONSTRUCTOR_ID:
                now = int(time.time())
                salt = types.FutureSalt(valid_since=now - 60, valid_until=now + 86_400, salt=0)
                return bytes(types.FutureSalts(message.id, now, [salt]))
            case known if known in self._known:
                return rpc_result(message.id, self._known[known])
        if message.seq_no % 2 != _CONTENT:
            return None  # acknowledgements and the like
        return rpc_result(message.id, bytes(types.RpcError(400, "METHOD_INVALID")))

    def _keep(self, part: Part) -> None:
        with self._lock:
            self._saved.setdefault(part.file_id, {})[part.number] = part.size_bytes

    def _sealed(self, to: Opened, body: bytes) -> bytes:
        with self._lock:
            message_id = self._ids.next(reply=True)
        return self._key.seal(to.salt, to.session_id, message_id, _CONTENT, body)


def _known(host: str, port: int) -> dict[int, bytes]:
    """What clients ask for as they connect, by constructor, and the answers."""
    now = int(time.time())
    config: Any = tl.filled(
        types.Config,
        date=now,
        expires=now + 86_400,
        this_dc=DC_ID,
        dc_options=[types.DcOption(dc_id, host, port, static=True) for dc_id in _DC_IDS],
        me_url_prefix="https://t.me/",
    )
    # a client that asks who it is learns that it is nobody, and asks for no updates then
    stranger = types.RpcError(401, "AUTH_KEY_UNREGISTERED")
    answers = {
        functions.help.GetConfigRequest: config,
        functions.help.GetNearestDcRequest: types.NearestDc("IR", DC_ID, DC_ID),
        functions.users.GetUsersRequest: stranger,
    }
    return {request.CONSTRUCTOR_ID: tl.write(answer) for request, answer in answers.items()}
