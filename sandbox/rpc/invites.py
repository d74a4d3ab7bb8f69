"""messages.*: invite links, and the requests to join that some of them make."""

from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.channels import changed
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.channels import Channel, Group
from sandbox.world.invites import MAX_USES, Invite
from sandbox.world.members import Right, Role

#: https://core.telegram.org/bots/api#createchatinvitelink
MAX_TITLE: Final = 32


@rpc(functions.messages.ExportChatInviteRequest)
def export_chat_invite(call: Call, request: Any) -> Any:
    """Without conditions it is the caller's permanent link, which replaces the one before."""
    chat = peers.chat_of_admin(call, request.peer, Right.INVITE)
    terms = _terms(call, request)
    permanent = not any(terms.values())
    for old in chat.invites.values():
        old.revoked |= permanent and old.permanent and old.creator_id == call.account.id
    invite = Invite(call.account.id, call.world.clock.date(), permanent=permanent, **terms)
    call.world.chats.add_invite(chat, invite)
    call.world.ledger.keep(chat)
    return peers.view(call).invite(invite)


def _terms(call: Call, request: Any) -> dict[str, Any]:
    """The conditions of a link. Raises RpcError."""
    expires_at = int(request.expire_date.timestamp()) if request.expire_date is not None else None
    if expires_at is not None and expires_at <= call.world.clock.now():
        raise RpcError(400, "EXPIRE_DATE_INVALID")
    limit = request.usage_limit or None
    if limit is not None and (request.request_needed or not 1 <= limit <= MAX_USES):
        raise RpcError(400, "USAGE_LIMIT_INVALID")
    return {
        "title": (request.title or "")[:MAX_TITLE] or None,
        "expires_at": expires_at,
        "usage_limit": limit,
        "request_needed": bool(request.request_needed),
    }


@rpc(functions.messages.EditExportedChatInviteRequest)
def edit_exported_chat_invite(call: Call, request: Any) -> Any:
    """Only revoking is here, which is for good."""
    chat = peers.chat_of_admin(call, request.peer, Right.INVITE)
    invite = chat.invites.get(_hash(request.link))
    if invite is None:
        raise RpcError(400, "INVITE_HASH_EXPIRED")
    if not request.revoked:
        raise RpcError(400, "INVITE_REVOKED_MISSING")
    invite.revoked = True
    call.world.ledger.keep(chat)
    view = peers.view(call)
    return types.messages.ExportedChatInvite(view.invite(invite), view.people({invite.creator_id}))


def _hash(link: str) -> str:
    """What stands at the end of t.me/+hash and t.me/joinchat/hash."""
    return link.rstrip("/").rpartition("/")[2].removeprefix("+")


def _found(call: Call, request: Any) -> tuple[Group | Channel, Invite]:
    """The chat that a link leads to. A banned person is told that the link is over. Raises RpcError."""
    if not request.hash:
        raise RpcError(400, "INVITE_HASH_EMPTY")
    found = call.world.chats.by_invite(request.hash)
    if found is None:
        raise RpcError(400, "INVITE_HASH_INVALID")
    chat, invite = found
    is_over = not invite.is_open(call.world.clock.now()) or chat.bars(call.account.id)
    if is_over and not chat.holds(call.account.id):
        raise RpcError(400, "INVITE_HASH_EXPIRED")
    return chat, invite


@rpc(functions.messages.CheckChatInviteRequest, bots=False)
def check_chat_invite(call: Call, request: Any) -> Any:
    chat, invite = _found(call, request)
    if chat.holds(call.account.id):
        return types.ChatInviteAlready(peers.view(call).chat(chat))
    kind: dict[str, bool] = {}
    if isinstance(chat, Channel):
        kind = {"channel": True, "broadcast": chat.broadcast, "megagroup": not chat.broadcast}
        kind["public"] = chat.username is not None
    photo, asks = types.PhotoEmpty(id=0), invite.request_needed
    return types.ChatInvite(chat.title, photo, chat.size, color=0, request_needed=asks, **kind)


@rpc(functions.messages.ImportChatInviteRequest, bots=False)
def import_chat_invite(call: Call, request: Any) -> Any:
    chat, invite = _found(call, request)
    if chat.holds(call.account.id):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    if invite.request_needed:
        call.world.ask_to_join(chat, call.account, invite)
        raise RpcError(400, "INVITE_REQUEST_SENT")
    call.world.seat(chat, call.account, Role.MEMBER, invite=invite)
    return types.messages.ChatInviteJoinResultOk(changed(call, chat))


@rpc(functions.messages.HideChatJoinRequestRequest)
def hide_chat_join_request(call: Call, request: Any) -> Any:
    chat = peers.chat_of_admin(call, request.peer, Right.INVITE)
    account = peers.user(call, request.user_id, "USER_ID_INVALID")
    if chat.holds(account.id):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    if not call.world.answer_request(chat, account, call.account, let_in=bool(request.approved)):
        raise RpcError(400, "HIDE_REQUESTER_MISSING")
    return changed(call, chat)
