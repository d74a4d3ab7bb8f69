"""messages.* and channels.*: reading, finding and deleting messages."""

from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Box
from sandbox.world.channels import Channel, Group
from sandbox.world.letters import Letter
from sandbox.world.members import Right
from sandbox.world.post_office import Place

#: Messages in one answer.
MAX_MESSAGES: Final = 100


@rpc(functions.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    box = call.account.box
    messages, chats, users = _found(call, box, request.id)
    return types.messages.Messages(messages, topics=[], chats=chats, users=users)


@rpc(functions.channels.GetMessagesRequest)
def get_channel_messages(call: Call, request: Any) -> Any:
    box = peers.open_channel(call, request.channel).box
    messages, chats, users = _found(call, box, request.id)
    return types.messages.ChannelMessages(
        box.pts, len(messages), messages, topics=[], chats=chats, users=users
    )


def _found(call: Call, box: Box, wanted: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    """The messages that InputMessages name, empty ones for those that are not there; chats and users."""
    if len(wanted) > MAX_MESSAGES:
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    letters = [_wanted(box, one) for one in wanted]
    view = peers.view(call)
    _, chats, users = view.messages(letter for letter in letters if letter is not None)
    messages = [
        view.message(letter) if letter is not None else types.MessageEmpty(one.id, peer_id=None)
        for one, letter in zip(wanted, letters, strict=True)
    ]
    return messages, chats, users


def _wanted(box: Box, wanted: Any) -> Letter | None:
    """The message that an InputMessage names. Raises RpcError."""
    if not isinstance(wanted, types.InputMessageID | types.InputMessageReplyTo):
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    letter = box.letters.get(wanted.id)
    if letter is not None and isinstance(wanted, types.InputMessageReplyTo):
        letter = letter.reply_to
    return letter if letter is not None and box.owner_id in letter.ids else None


@rpc(functions.messages.GetHistoryRequest, bots=False)
def get_history(call: Call, request: Any) -> Any:
    place = peers.place(call, request.peer)
    box = place.box if isinstance(place, Channel) else call.account.box
    numbers = _numbers(call, place, box, request)
    first = max(0, request.add_offset)
    page = numbers[first : first + max(1, min(request.limit, MAX_MESSAGES))]
    messages, chats, users = peers.view(call).messages(box.letters[number] for number in page)
    found = {"messages": messages, "topics": [], "chats": chats, "users": users}
    if isinstance(place, Channel):
        return types.messages.ChannelMessages(box.pts, len(numbers), **found)
    return types.messages.MessagesSlice(len(numbers), **found)


def _numbers(call: Call, place: Place, box: Box, request: Any) -> list[int]:
    """The messages of a chat within the bounds of a request, newest first."""
    return [
        number
        for number in sorted(box.letters, reverse=True)
        if (isinstance(place, Channel) or box.letters[number].other(call.account.id) == place.peer_id)
        and (not request.offset_id or number < request.offset_id)
        and (not request.max_id or number < request.max_id)
        and number > request.min_id
    ]


@rpc(functions.messages.ReadHistoryRequest, bots=False)
def read_history(call: Call, request: Any) -> Any:
    place, box = peers.place(call, request.peer), call.account.box
    logged = call.world.post_office.read(call.account, place.peer_id, request.max_id or box.last_message_id)
    return types.messages.AffectedMessages(box.pts, pts_count=logged.pts_count if logged else 0)


@rpc(functions.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    """A bot's deletion is always for all."""
    box, account = call.account.box, call.account
    letters = [box.letters[number] for number in dict.fromkeys(request.id) if number in box.letters]
    for_all = bool(request.revoke or account.is_bot)
    if for_all and not all(_may_delete(call, letter) for letter in letters):
        raise RpcError(403, "MESSAGE_DELETE_FORBIDDEN")
    count = call.world.post_office.delete(letters, account.id, for_all=for_all)
    return types.messages.AffectedMessages(box.pts, pts_count=count)


@rpc(functions.channels.DeleteMessagesRequest)
def delete_channel_messages(call: Call, request: Any) -> Any:
    channel = peers.open_channel(call, request.channel)
    found = (channel.box.letters.get(number) for number in dict.fromkeys(request.id))
    letters = [letter for letter in found if letter is not None]
    if not all(_may_delete(call, letter) for letter in letters):
        raise RpcError(403, "MESSAGE_DELETE_FORBIDDEN")
    count = call.world.post_office.delete(letters, channel.peer_id, for_all=True)
    return types.messages.AffectedMessages(channel.box.pts, pts_count=count)


def _may_delete(call: Call, letter: Letter) -> bool:
    """Everything in a private chat, one's own elsewhere, and all of it with the right to."""
    chat: Group | Channel | None = call.world.chats.get(letter.recipient_id)
    own = letter.sender_id == call.account.id
    return chat is None or own or chat.may(call.account.id, Right.DELETE)
