"""channels.* and basic groups: what chats there are, who is in them, coming and going."""

from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Logged
from sandbox.world.channels import Channel, Group
from sandbox.world.events import ChatChanged
from sandbox.world.members import SEEING, Right, Role
from sandbox.world.talks import talk


@rpc(functions.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    view = peers.view(call)
    return types.messages.Chats([view.chat(peers.channel(call, peer)) for peer in request.id])


@rpc(functions.messages.GetChatsRequest)
def get_chats(call: Call, request: Any) -> Any:
    view = peers.view(call)
    return types.messages.Chats([view.chat(peers.group(call, group_id)) for group_id in request.id])


@rpc(functions.channels.GetParticipantRequest)
def get_participant(call: Call, request: Any) -> Any:
    channel = peers.open_channel(call, request.channel)
    account = peers.user(call, request.participant, "PARTICIPANT_ID_INVALID")
    if account is not call.account and not channel.shows_members_to(call.account.id):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    member = channel.member(account.id)
    if member is None or member.role is Role.LEFT:
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    view = peers.view(call)
    participant = view.participant(member)
    return types.channels.ChannelParticipant(participant, [view.chat(channel)], [view.user(account)])


@rpc(functions.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    channel = peers.open_channel(call, request.channel)
    return types.messages.ChatFull(_full(call, channel), [peers.view(call).chat(channel)], users=[])


def _full(call: Call, channel: Channel) -> Any:
    """How many admins a channel has, its admins are told."""
    known, member = talk(call.account, channel), channel.member(call.account.id)
    admins = sum(member.role in SEEING for member in channel.members.values())
    return types.ChannelFull(
        channel.id,
        about="",
        read_inbox_max_id=known.read_by_owner,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=types.PhotoEmpty(id=0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=channel.box.pts,
        can_view_participants=channel.shows_members_to(call.account.id),
        participants_count=channel.size,
        admins_count=admins if member is not None and member.role in SEEING else None,
    )


@rpc(functions.messages.GetFullChatRequest)
def get_full_chat(call: Call, request: Any) -> Any:
    group = peers.group(call, request.chat_id)
    view = peers.view(call)
    found = (view.group_participant(member) for member in group.members.values())
    full = types.ChatFull(
        group.id,
        about="",
        participants=types.ChatParticipants(group.id, [one for one in found if one is not None], version=1),
        notify_settings=types.PeerNotifySettings(),
    )
    return types.messages.ChatFull(full, [view.chat(group)], view.people(group.inside))


def changed(call: Call, chat: Group | Channel) -> Any:
    """The answer to a call that changed a chat, or the caller's standing in it."""
    logged = Logged(ChatChanged(chat), 0, 0, 0)
    view = peers.view(call)
    return view.updates([view.update(logged)], [logged])


@rpc(functions.channels.JoinChannelRequest, bots=False)
def join_channel(call: Call, request: Any) -> Any:
    channel = peers.open_channel(call, request.channel)
    if channel.holds(call.account.id):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    if channel.by_request:
        call.world.ask_to_join(channel, call.account)
        raise RpcError(400, "INVITE_REQUEST_SENT")
    call.world.seat(channel, call.account, Role.MEMBER)
    return types.messages.ChatInviteJoinResultOk(changed(call, channel))


@rpc(functions.channels.LeaveChannelRequest)
def leave_channel(call: Call, request: Any) -> Any:
    channel = peers.channel(call, request.channel)
    if not channel.holds(call.account.id):
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    call.world.seat(channel, call.account, Role.LEFT)
    return changed(call, channel)


@rpc(functions.messages.DeleteChatUserRequest)
def delete_chat_user(call: Call, request: Any) -> Any:
    group = peers.group(call, request.chat_id)
    account = peers.user(call, request.user_id, "USER_ID_INVALID")
    if account is not call.account and not group.may(call.account.id, Right.BAN):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    if not group.holds(account.id):
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    call.world.seat(group, account, Role.LEFT, call.account)
    return changed(call, group)
