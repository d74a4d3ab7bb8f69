"""From the Input… objects of a request to accounts and channels, with their access hashes checked."""

from typing import Any

from telethon.tl import types

from sandbox.rpc.registry import Call, RpcError
from sandbox.rpc.view import View
from sandbox.world.accounts import Account
from sandbox.world.channels import Channel


def view(call: Call) -> View:
    """How the world looks to the caller."""
    return View(call.world, call.dc.id, call.account)


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
        if account is not None and has_written(account, call.account):
            return account
    return user(call, peer, "USER_ID_INVALID")


def channel(call: Call, peer: Any) -> Channel:
    """The channel that an InputChannel or InputPeerChannel names. Raises RpcError.

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


def has_written(sender: Account, recipient: Account) -> bool:
    """Whether one account ever wrote to another, which opens the chat for a bot."""
    return sender.id in recipient.heard_from


def recipient(call: Call, peer: Any) -> Account:
    """The account that the caller writes to. Raises RpcError when it may not."""
    account = user(call, peer)
    if call.account.is_bot and (account.is_bot or not has_written(account, call.account)):
        raise RpcError(400, "PEER_ID_INVALID")
    if call.account.id in account.blocked:
        raise RpcError(403, "USER_IS_BLOCKED")
    return account
