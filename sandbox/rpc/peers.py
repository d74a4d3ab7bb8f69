"""From the Input… objects of a request to accounts and chats, with their access hashes checked."""

from typing import Any

from telethon.tl import types

from sandbox.rpc.registry import Call, RpcError
from sandbox.rpc.view import View
from sandbox.world.accounts import Account
from sandbox.world.channels import Channel, Group
from sandbox.world.members import Right
from sandbox.world.post_office import Place


def view(call: Call) -> View:
    """How the world looks to the caller."""
    return View(call.world, call.account)


def user(call: Call, peer: Any, error: str = "PEER_ID_INVALID") -> Account:
    """The account that an InputUser or InputPeerUser names. Raises RpcError 400 `error`."""
    if isinstance(peer, types.InputPeerSelf | types.InputUserSelf):
        return call.account
    if not isinstance(peer, types.InputPeerUser | types.InputUser):
        raise RpcError(400, error)
    account = call.world.accounts.get(peer.user_id)
    if account is None or peer.access_hash != call.world.accounts.access_hash(
        call.account, "user", account.id
    ):
        raise RpcError(400, error)
    return account


def known_user(call: Call, peer: Any) -> Account:
    """As `user`, but a bot may name people who wrote to it with an access hash of 0. Raises RpcError."""
    if call.account.is_bot and isinstance(peer, types.InputUser) and peer.access_hash == 0:
        account = call.world.accounts.get(peer.user_id)
        if account is not None and account.id in call.account.heard_from:
            return account
    return user(call, peer, "USER_ID_INVALID")


def channel(call: Call, peer: Any) -> Channel:
    """The channel or supergroup that an InputChannel or InputPeerChannel names. Raises RpcError.

    A bot may name a channel in which it is with an access hash of 0.
    """
    if not isinstance(peer, types.InputPeerChannel | types.InputChannel):
        raise RpcError(400, "CHANNEL_INVALID")
    found = call.world.channel(peer.channel_id)
    if found is None:
        raise RpcError(400, "CHANNEL_INVALID")
    by_membership = call.account.is_bot and peer.access_hash == 0 and found.holds(call.account.id)
    if not by_membership and peer.access_hash != call.world.accounts.access_hash(
        call.account, "channel", found.id
    ):
        raise RpcError(400, "CHANNEL_INVALID")
    return found


def open_channel(call: Call, peer: Any) -> Channel:
    """A channel that the caller may look into: public, or its own. Raises RpcError."""
    found = channel(call, peer)
    inside = found.holds(call.account.id)
    if found.bars(call.account.id) or (found.username is None and not inside):
        raise RpcError(400, "CHANNEL_PRIVATE")
    return found


def group(call: Call, group_id: int) -> Group:
    """A basic group in which the caller is or was: those have no access hash. Raises RpcError."""
    found = call.world.chats.group(group_id)
    if found is None or found.member(call.account.id) is None:
        raise RpcError(400, "CHAT_ID_INVALID")
    return found


def place(call: Call, peer: Any) -> Place:
    """The chat that an InputPeer names, if the caller may look into it. Raises RpcError."""
    match peer:
        case types.InputPeerChannel():
            return open_channel(call, peer)
        case types.InputPeerChat():
            return group(call, peer.chat_id)
    return user(call, peer)


def recipient(call: Call, peer: Any) -> Place:
    """The chat that the caller writes to. Raises RpcError when it may not."""
    found = place(call, peer)
    match found:
        case Account():
            _check_private(call, found)
        case Channel(broadcast=True):
            if not found.may(call.account.id, Right.POST):
                raise RpcError(400, "CHAT_ADMIN_REQUIRED")
        case _:
            if not found.holds(call.account.id):
                raise RpcError(403, "CHAT_WRITE_FORBIDDEN")
    return found


def _check_private(call: Call, account: Account) -> None:
    """A bot does not begin: it answers people who wrote to it, or who have just asked to join its channel."""
    caller = call.account
    heard = account.id in caller.heard_from
    asked = caller.open_until.get(account.id, 0) > call.world.clock.now()
    if caller.is_bot and (account.is_bot or not (heard or asked)):
        raise RpcError(400, "PEER_ID_INVALID")
    if caller.id in account.blocked:
        raise RpcError(403, "USER_IS_BLOCKED")


def chat_of_admin(call: Call, peer: Any, right: Right) -> Group | Channel:
    """The chat in which the caller has this right. Raises RpcError."""
    found = place(call, peer)
    if isinstance(found, Account):
        raise RpcError(400, "PEER_ID_INVALID")
    if not found.may(call.account.id, right):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    return found
