"""updates.*: where an account or a channel stands, and what a client missed."""

import time
from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.news import named_in
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Logged
from sandbox.world.channels import Channel
from sandbox.world.events import LetterArrived, LetterEdited, LettersDeleted
from sandbox.world.talks import talk

#: Events in one answer; more come in slices.
_SLICE: Final = 500
#: Seconds until a client may ask for a channel's difference again.
_CHANNEL_TIMEOUT_S: Final = 30


def state(call: Call) -> Any:
    """Where the caller stands."""
    return _state(call.account.box.pts, call.account.box.qts)


def _state(pts: int, qts: int) -> Any:
    return types.updates.State(pts, qts, int(time.time()), seq=1, unread_count=0)


@rpc(functions.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:
    return state(call)


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
    return _difference(call, missed, request.qts)


def _difference(call: Call, missed: list[Logged], qts: int) -> Any:
    """All that was missed, or a slice of it and the state behind that."""
    part = missed[:_SLICE]
    messages, others, chats, users = _missed(call, part)
    if len(part) == len(missed):
        return types.updates.Difference(messages, [], others, chats, users, state(call))
    reached = _state(part[-1].pts, max([qts, *(logged.qts for logged in part)]))
    return types.updates.DifferenceSlice(messages, [], others, chats, users, reached)


@rpc(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    channel = peers.open_channel(call, request.channel)
    box = channel.box
    if not 1 <= request.pts <= box.pts or request.limit < 1:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    missed = box.since(request.pts, box.qts)
    if missed is None:
        return _too_long(call, channel)
    if not missed:
        return types.updates.ChannelDifferenceEmpty(box.pts, final=True, timeout=_CHANNEL_TIMEOUT_S)
    part = missed[: min(request.limit, _SLICE)]
    kind, final = types.updates.ChannelDifference, len(part) == len(missed)
    return kind(part[-1].pts, *_missed(call, part), final=final, timeout=_CHANNEL_TIMEOUT_S)


def _missed(call: Call, log: list[Logged]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """New messages, other updates, and the chats and users that they name."""
    view, viewer_id = peers.view(call), call.account.id
    messages, others = [], []
    for logged in log:
        match logged.event:
            case LetterArrived(letter) | LetterEdited(letter) if letter.number(viewer_id) is None:
                pass  # it was deleted since
            case LetterArrived(letter):
                messages.append(view.message(letter))
            case LettersDeleted(()):
                pass  # nothing is left of it, but its place in the sequence
            case _:
                others.append(view.update(logged))
    named = named_in(log) | {viewer_id}
    return messages, others, view.chats(named), view.people(named)


def _too_long(call: Call, channel: Channel) -> Any:
    """The newest message, and where the channel stands: who missed more has to look it up."""
    view, known = peers.view(call), talk(call.account, channel)
    messages, _, users = view.messages([known.newest] if known.newest is not None else [])
    return types.updates.ChannelDifferenceTooLong(
        view.dialog(known), messages, [view.chat(channel)], users, final=True, timeout=_CHANNEL_TIMEOUT_S
    )
