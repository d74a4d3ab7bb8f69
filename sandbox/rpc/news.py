"""What happened, as one account is told of it: events as TL updates."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.rpc.marks import peer
from sandbox.world import events
from sandbox.world.box import Logged
from sandbox.world.channels import CHANNEL_MARK, Channel, Group
from sandbox.world.letters import Letter

if TYPE_CHECKING:
    from sandbox.rpc.view import View


def update(view: "View", logged: Logged) -> Any:
    """The update that tells a viewer of an event."""
    match logged.event:
        case events.LetterArrived(letter):
            kind = types.UpdateNewChannelMessage if letter.is_post else types.UpdateNewMessage
            return kind(view.message(letter), logged.pts, logged.pts_count)
        case events.LetterEdited(letter):
            kind = types.UpdateEditChannelMessage if letter.is_post else types.UpdateEditMessage
            return kind(view.message(letter), logged.pts, logged.pts_count)
        case events.LettersDeleted() as event:
            return _deleted(event, logged)
        case events.LettersRead() as event:
            return _read(event, logged)
        case events.ChatChanged(chat):
            return types.UpdateChannel(chat.id) if isinstance(chat, Channel) else types.UpdateChat(chat.id)
        case events.MemberChanged() as event:
            return _member_changed(view, event, logged.qts)
        case events.JoinRequested() as event:
            return _join_requested(view, event, logged.qts)
    return _asked(logged.event)


def _asked(event: events.ButtonPressed | events.InlineAsked | events.InlineChosen) -> Any:
    """What people ask of a bot."""
    match event:
        case events.ButtonPressed(query_id, user_id, peer_id, message_id, data):
            chat = peer(peer_id)
            return types.UpdateBotCallbackQuery(query_id, user_id, chat, message_id, user_id, data=data)
        case events.InlineAsked(query_id, user_id, query, offset):
            return types.UpdateBotInlineQuery(query_id, user_id, query, offset)
        case events.InlineChosen(user_id, query, result_id):
            return types.UpdateBotInlineSend(user_id, query, result_id)


def _deleted(event: events.LettersDeleted, logged: Logged) -> Any:
    ids, pts, pts_count = list(event.message_ids), logged.pts, logged.pts_count
    if event.owner_id < CHANNEL_MARK:
        return types.UpdateDeleteChannelMessages(CHANNEL_MARK - event.owner_id, ids, pts, pts_count)
    return types.UpdateDeleteMessages(ids, pts, pts_count)


def _read(event: events.LettersRead, logged: Logged) -> Any:
    chat = peer(event.peer_id)
    if event.inbox:
        return types.UpdateReadHistoryInbox(chat, event.max_id, event.unread, logged.pts, logged.pts_count)
    return types.UpdateReadHistoryOutbox(chat, event.max_id, logged.pts, logged.pts_count)


def _member_changed(view: "View", event: events.MemberChanged, qts: int) -> Any:
    is_group = isinstance(event.chat, Group)
    shown = view.group_participant if is_group else view.participant
    kind = types.UpdateChatParticipant if is_group else types.UpdateChannelParticipant
    return kind(
        event.chat.id,
        date=event.after.since,
        actor_id=event.actor_id,
        user_id=event.after.user_id,
        qts=qts,
        prev_participant=shown(event.before) if event.before is not None else None,
        new_participant=shown(event.after),
        invite=view.invite(event.invite) if event.invite is not None else None,
    )


def _join_requested(view: "View", event: events.JoinRequested, qts: int) -> Any:
    invite = event.chat.invites.get(event.request.invite_hash or "")
    shown = view.invite(invite) if invite is not None else types.ChatInvitePublicJoinRequests()
    chat, request = peer(event.chat.peer_id), event.request
    return types.UpdateBotChatInviteRequester(chat, request.at, request.user_id, "", shown, qts)


def named_in(log: Iterable[Logged]) -> set[int]:
    """The marked ids of the people and chats that events speak of."""
    named: set[int] = set()
    for logged in log:
        match logged.event:
            case events.LetterArrived(letter) | events.LetterEdited(letter):
                named |= in_letter(letter)
            case events.MemberChanged(chat, actor_id, _, after):
                named |= {chat.peer_id, actor_id, after.user_id}
            case events.JoinRequested(chat, request):
                named |= {chat.peer_id, request.user_id}
            case events.ChatChanged(chat):
                named.add(chat.peer_id)
            case events.LettersRead(peer_id):
                named.add(peer_id)
            case events.ButtonPressed(user_id=user_id, peer_id=peer_id):
                named |= {user_id, peer_id}
            case events.InlineAsked(user_id=user_id) | events.InlineChosen(user_id=user_id):
                named.add(user_id)
    return named


def in_letter(letter: Letter) -> set[int]:
    """The marked ids that a message names."""
    named = {letter.sender_id, letter.recipient_id}
    if letter.draft.forward is not None:
        named.add(letter.draft.forward.from_id)
    if letter.draft.via_bot_id is not None:
        named.add(letter.draft.via_bot_id)
    return named
