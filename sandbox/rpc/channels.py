"""channels.*: what channels there are, and who is in them."""

from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Logged
from sandbox.world.channels import INSIDE, Channel, Role
from sandbox.world.events import ChannelChanged


@rpc(functions.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    view = peers.view(call)
    return types.messages.Chats([view.channel(peers.channel(call, peer)) for peer in request.id])


@rpc(functions.channels.GetParticipantRequest)
def get_participant(call: Call, request: Any) -> Any:
    channel = _visible(call, request.channel)
    account = peers.user(call, request.participant, "PARTICIPANT_ID_INVALID")
    if account is not call.account and not channel.shows_members_to(call.account.id):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    member = channel.member(account.id)
    if member is None or member.role is Role.LEFT:
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    view = peers.view(call)
    participant = view.participant(channel, member)
    return types.channels.ChannelParticipant(participant, [view.channel(channel)], [view.user(account)])


def _visible(call: Call, peer: Any) -> Channel:
    """A channel that the caller may look into: public, or its own. Raises RpcError."""
    channel = peers.channel(call, peer)
    member = channel.member(call.account.id)
    banned = member is not None and member.role is Role.BANNED
    if banned or (channel.username is None and not channel.holds(call.account.id)):
        raise RpcError(400, "CHANNEL_PRIVATE")
    return channel


def _changed(call: Call, channel: Channel) -> Any:
    logged = Logged(ChannelChanged(channel), 0, 0, 0)
    view = peers.view(call)
    return view.updates([view.update(logged)], [logged])


@rpc(functions.channels.JoinChannelRequest, bots=False)
def join_channel(call: Call, request: Any) -> Any:
    channel = _visible(call, request.channel)
    if channel.holds(call.account.id):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    call.world.seat(channel, call.account, Role.MEMBER)
    return types.messages.ChatInviteJoinResultOk(_changed(call, channel))


@rpc(functions.channels.LeaveChannelRequest)
def leave_channel(call: Call, request: Any) -> Any:
    channel = peers.channel(call, request.channel)
    member = channel.member(call.account.id)
    if member is None or member.role not in INSIDE:
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    call.world.seat(channel, call.account, Role.LEFT)
    return _changed(call, channel)
