"""messages.*: the list of chats, each with its newest message and what of it is unread."""

from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.rpc.updates import state
from sandbox.world.channels import CHANNEL_MARK
from sandbox.world.talks import Talk, talk, talks

#: Chats in one answer.
MAX_DIALOGS: Final = 100


@rpc(functions.messages.GetDialogsRequest, bots=False)
def get_dialogs(call: Call, request: Any) -> Any:
    """Nothing is pinned here, and no folder has anything in it."""
    found = [] if request.folder_id else talks(call.world, call.account)
    page = _behind(call, found, request)[: max(1, min(request.limit, MAX_DIALOGS))]
    return types.messages.DialogsSlice(len(found), **_shown(call, page))


@rpc(functions.messages.GetPinnedDialogsRequest, bots=False)
def get_pinned_dialogs(call: Call, request: Any) -> Any:
    return types.messages.PeerDialogs(**_shown(call, []), state=state(call))


@rpc(functions.messages.GetPeerDialogsRequest, bots=False)
def get_peer_dialogs(call: Call, request: Any) -> Any:
    """Also of chats in which nothing was ever written."""
    named = [one for one in request.peers if isinstance(one, types.InputDialogPeer)]
    if not named:
        raise RpcError(400, "PEER_ID_INVALID")
    found = [talk(call.account, peers.place(call, one.peer)) for one in named]
    return types.messages.PeerDialogs(**_shown(call, found), state=state(call))


def _behind(call: Call, found: list[Talk], request: Any) -> list[Talk]:
    """Those behind the chat that the request names, or older than its date."""
    last_id = _marked_id(call, request.offset_peer)
    for at, one in enumerate(found):
        if one.place.peer_id == last_id:
            return found[at + 1 :]
    before = request.offset_date.timestamp() if request.offset_date is not None else 0
    return [one for one in found if one.at < before] if before else found


def _marked_id(call: Call, peer: Any) -> int | None:
    """Whom an InputPeer names, whatever its access hash: TDLib has none to give here."""
    match peer:
        case types.InputPeerSelf():
            return call.account.id
        case types.InputPeerUser():
            return int(peer.user_id)
        case types.InputPeerChat():
            return -int(peer.chat_id)
        case types.InputPeerChannel():
            return CHANNEL_MARK - int(peer.channel_id)
    return None


def _shown(call: Call, found: list[Talk]) -> dict[str, Any]:
    """Dialogs, their newest messages, and all whom these name."""
    newest = (one.newest for one in found if one.newest is not None)
    view = peers.view(call)
    messages, chats, users = view.messages(newest, {one.place.peer_id for one in found})
    return {"dialogs": list(map(view.dialog, found)), "messages": messages, "chats": chats, "users": users}
