"""users.* and contacts.*: who is who."""

from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.bots import offered_commands
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.accounts import Account


@rpc(functions.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> Any:
    return [peers.view(call).user(peers.known_user(call, peer)) for peer in request.id]


@rpc(functions.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    account = peers.known_user(call, request.id)
    commands = offered_commands(account, call.account)
    full = types.UserFull(
        id=account.id,
        settings=types.PeerSettings(),
        notify_settings=types.PeerNotifySettings(),
        common_chats_count=0,
        blocked=account.id in call.account.blocked,
        bot_info=types.BotInfo(user_id=account.id, commands=commands) if account.is_bot else None,
    )
    return types.users.UserFull(full, chats=[], users=[peers.view(call).user(account)])


@rpc(functions.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    call.world.floodgate.look_up(call.account.id)
    owner = call.world.resolve(request.username.removeprefix("@"))
    if owner is None:
        raise RpcError(400, "USERNAME_NOT_OCCUPIED")
    view = peers.view(call)
    if isinstance(owner, Account):
        return types.contacts.ResolvedPeer(types.PeerUser(owner.id), chats=[], users=[view.user(owner)])
    return types.contacts.ResolvedPeer(types.PeerChannel(owner.id), chats=[view.chat(owner)], users=[])


@rpc(functions.contacts.BlockRequest, bots=False)
def block(call: Call, request: Any) -> Any:
    call.account.blocked.add(peers.user(call, request.id).id)
    call.world.ledger.keep(call.account)
    return True
