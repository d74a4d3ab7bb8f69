"""messages.*: writing, changing, reading and deleting private messages."""

from dataclasses import replace
from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.limits import check_caption, check_entities, check_markup, check_text
from sandbox.rpc.media import media
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.accounts import Account
from sandbox.world.letters import Draft, Letter
from sandbox.world.post_office import Sent

#: Messages in one answer of getHistory.
MAX_HISTORY: Final = 100


@rpc(functions.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    recipient = peers.recipient(call, request.peer)
    if repeated := _repeated(call, request):
        return repeated
    check_text(request.message)
    return _send(call, request, recipient, _draft(call, request))


@rpc(functions.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    recipient = peers.recipient(call, request.peer)
    # before the parts are looked for: what was sent already needs none
    if repeated := _repeated(call, request):
        return repeated
    check_caption(request.message, premium=call.account.premium)
    return _send(call, request, recipient, _draft(call, request, media(call, request.media)))


@rpc(functions.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    peers.user(call, request.peer)
    return peers.view(call).media(media(call, request.media))


def _draft(call: Call, request: Any, attached: Any = None) -> Draft:
    markup = request.reply_markup if call.account.is_bot else None
    entities = tuple(request.entities or ())
    check_entities(entities)
    check_markup(markup)
    return Draft(request.message or "", entities, attached, markup)


def _repeated(call: Call, request: Any) -> Any:
    """The answer of old, when this random_id was used before: a lost answer must not send twice."""
    if not request.random_id:
        raise RpcError(400, "RANDOM_ID_EMPTY")
    sent = call.account.sent.get(request.random_id)
    if sent is not None and call.account.id not in sent.letter.ids:
        raise RpcError(500, "RANDOM_ID_DUPLICATE")  # it was deleted since
    return None if sent is None else _sent(call, sent)


def _send(call: Call, request: Any, recipient: Account, draft: Draft) -> Any:
    reply_to = getattr(request.reply_to, "reply_to_msg_id", None)
    answered = call.account.box.letters.get(reply_to) if reply_to is not None else None
    return _sent(
        call, call.world.post_office.send(call.account, recipient, draft, request.random_id, answered)
    )


def _sent(call: Call, sent: Sent) -> Any:
    """The sender learns of its own message by the answer, not by a push."""
    letter, view = sent.letter, peers.view(call)
    number = types.UpdateMessageID(letter.ids[call.account.id], letter.random_id)
    return view.updates([number, view.update(sent.logged)], [sent.logged])


def _own_letter(call: Call, peer: Account, message_id: int) -> Letter:
    letter = call.account.box.letters.get(message_id)
    if letter is None or letter.other(call.account.id) != peer.id:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    if letter.sender_id != call.account.id:
        raise RpcError(403, "MESSAGE_AUTHOR_REQUIRED")
    return letter


@rpc(functions.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    peer = peers.user(call, request.peer)
    letter = _own_letter(call, peer, request.id)
    draft = _edited(call, request, letter.draft)
    if draft.same_as(letter.draft):
        raise RpcError(400, "MESSAGE_NOT_MODIFIED")
    logged = call.world.post_office.edit(letter, draft, call.account, peer)
    view = peers.view(call)
    return view.updates([view.update(logged)], [logged])


def _edited(call: Call, request: Any, old: Draft) -> Draft:
    """What the message becomes: a text that is not given stays, buttons that are not given go."""
    attached = media(call, request.media) if request.media is not None else old.media
    new = _draft(call, request, attached)
    if request.message is None:
        new = replace(new, text=old.text, entities=old.entities)
    if attached is None:
        check_text(new.text)
    else:
        check_caption(new.text, premium=call.account.premium)
    return new


@rpc(functions.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    """A bot's deletion is always for both."""
    box = call.account.box
    letters = [box.letters[number] for number in dict.fromkeys(request.id) if number in box.letters]
    if request.revoke or call.account.is_bot:
        for letter in letters:
            other = call.world.accounts.get(letter.other(call.account.id))
            if other is not None and other is not call.account:
                call.world.post_office.delete([letter], other)
    count = call.world.post_office.delete(letters, call.account)
    return types.messages.AffectedMessages(pts=box.pts, pts_count=count)


@rpc(functions.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    view, found, people = peers.view(call), [], {call.account.id}
    for wanted in request.id:
        letter = _wanted(call.account, wanted)
        if letter is None or call.account.id not in letter.ids:
            found.append(types.MessageEmpty(wanted.id, peer_id=None))
        else:
            found.append(view.message(letter))
            people |= {letter.sender_id, letter.recipient_id}
    return types.messages.Messages(found, topics=[], chats=[], users=view.users(people))


def _wanted(owner: Account, wanted: Any) -> Letter | None:
    """The message that an InputMessage names. Raises RpcError."""
    if not isinstance(wanted, types.InputMessageID | types.InputMessageReplyTo):
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    letter = owner.box.letters.get(wanted.id)
    if isinstance(wanted, types.InputMessageReplyTo):
        return letter.reply_to if letter is not None else None
    return letter


@rpc(functions.messages.GetHistoryRequest, bots=False)
def get_history(call: Call, request: Any) -> Any:
    peer, box = peers.user(call, request.peer), call.account.box
    numbers = [
        number
        for number in sorted(box.letters, reverse=True)
        if box.letters[number].other(call.account.id) == peer.id
        and (not request.offset_id or number < request.offset_id)
        and (not request.max_id or number < request.max_id)
        and number > request.min_id
    ]
    view, first = peers.view(call), max(0, request.add_offset)
    page = numbers[first : first + max(1, min(request.limit, MAX_HISTORY))]
    messages = [view.message(box.letters[number]) for number in page]
    return types.messages.MessagesSlice(
        len(numbers), messages, topics=[], chats=[], users=view.users({call.account.id, peer.id})
    )


@rpc(functions.messages.ReadHistoryRequest, bots=False)
def read_history(call: Call, request: Any) -> Any:
    peer = peers.user(call, request.peer)
    call.world.post_office.read(peer, call.account, request.max_id or call.account.box.last_message_id)
    return types.messages.AffectedMessages(pts=call.account.box.pts, pts_count=0)


@rpc(functions.messages.SetTypingRequest)
def set_typing(call: Call, request: Any) -> Any:
    peers.recipient(call, request.peer)
    return True
