"""updates.*: where an account stands, and what it missed."""

import time
from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.rpc.view import named_in
from sandbox.world.box import Logged
from sandbox.world.events import LetterArrived, LetterEdited

#: Events in one answer; more come in slices.
_SLICE: Final = 500


def _state(call: Call, pts: int, qts: int) -> Any:
    return types.updates.State(pts, qts, int(time.time()), seq=1, unread_count=0)


@rpc(functions.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:
    return _state(call, call.account.box.pts, call.account.box.qts)


@rpc(functions.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    box = call.account.box
    if not 1 <= request.pts <= box.pts or request.qts > box.qts:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    missed = box.since(request.pts, request.qts)
    if missed is None:
        return types.updates.DifferenceTooLong(pts=box.pts)
    if not missed:
        return types.updates.DifferenceEmpty(date=int(time.time()), seq=1)
    if len(missed) <= _SLICE:
        return _difference(call, types.updates.Difference, missed, _state(call, box.pts, box.qts))
    part = missed[:_SLICE]
    qts = max([request.qts, *(logged.qts for logged in part)])
    return _difference(call, types.updates.DifferenceSlice, part, _state(call, part[-1].pts, qts))


def _difference(call: Call, kind: Any, missed: list[Logged], state: Any) -> Any:
    view, viewer_id = peers.view(call), call.account.id
    new_messages, other_updates = [], []
    for logged in missed:
        match logged.event:
            case LetterArrived(letter) | LetterEdited(letter) if viewer_id not in letter.ids:
                pass  # it was deleted since
            case LetterArrived(letter):
                new_messages.append(view.message(letter))
            case _:
                other_updates.append(view.update(logged))
    people, channels = named_in(missed)
    chats = [view.channel(channel) for channel in channels]
    return kind(new_messages, [], other_updates, chats, view.users(people | {viewer_id}), state)
