"""messages.*: writing, forwarding and changing messages."""

import secrets
from dataclasses import replace
from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers, sending
from sandbox.rpc.limits import check_caption, check_text
from sandbox.rpc.media import media
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Sent
from sandbox.world.channels import Channel
from sandbox.world.files import Photo
from sandbox.world.letters import Draft, Forward, Letter, Media
from sandbox.world.members import Right
from sandbox.world.post_office import Place

#: https://core.telegram.org/method/messages.sendMultiMedia
MAX_ALBUM: Final = 10
#: https://core.telegram.org/method/messages.forwardMessages
MAX_FORWARDS: Final = 100


@rpc(functions.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    to = peers.recipient(call, request.peer)
    if sent := sending.repeated(call, request.random_id):
        return sending.answer(call, [sent])
    check_text(request.message)
    return sending.send(call, to, sending.draft(call, request), request)


@rpc(functions.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    to = peers.recipient(call, request.peer)
    # before the parts are looked for: what was sent already needs none
    if sent := sending.repeated(call, request.random_id):
        return sending.answer(call, [sent])
    check_caption(request.message, premium=call.account.premium)
    return sending.send(call, to, sending.draft(call, request, media(call, request.media)), request)


@rpc(functions.messages.SendMultiMediaRequest)
def send_multi_media(call: Call, request: Any) -> Any:
    to, items = peers.recipient(call, request.peer), request.multi_media
    if not 1 <= len(items) <= MAX_ALBUM:
        raise RpcError(400, "MULTI_MEDIA_TOO_LONG" if items else "MEDIA_EMPTY")
    return sending.send_all(call, to, _album(call, items), request.reply_to)


def _album(call: Call, items: list[Any]) -> list[tuple[int, Draft | Sent]]:
    """The messages of an album by random_id, those that were sent before as they were. Raises RpcError."""
    album_id = secrets.randbits(62)
    album = [
        (
            item.random_id,
            sending.repeated(call, item.random_id) or _album_draft(call, item, number, album_id),
        )
        for number, item in enumerate(items)
    ]
    if len({_shelf(one.media) for _, one in album if isinstance(one, Draft)}) > 1:
        raise RpcError(400, "MEDIA_GROUPED_INVALID")
    return album


def _album_draft(call: Call, item: Any, number: int, album_id: int) -> Draft:
    if not isinstance(item.media, types.InputMediaDocument | types.InputMediaPhoto):
        raise RpcError(400, "MEDIA_INVALID")  # what is new goes by uploadMedia first
    check_caption(item.message, premium=call.account.premium)
    return sending.draft(call, item, media(call, item.media, number), album_id)


def _shelf(attached: Media | None) -> str:
    """What goes together in an album: photos with videos, music with music, files with files."""
    file = attached.file if attached is not None else None
    if file is None or isinstance(file, Photo):
        return "pictures"
    kinds = {type(attribute) for attribute in file.attributes}
    if types.DocumentAttributeVideo in kinds:
        return "pictures"
    return "music" if types.DocumentAttributeAudio in kinds else "files"


@rpc(functions.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    peers.place(call, request.peer)
    return peers.view(call).media(media(call, request.media))


@rpc(functions.messages.ForwardMessagesRequest)
def forward_messages(call: Call, request: Any) -> Any:
    origin, to = _open_place(call, request.from_peer), peers.recipient(call, request.to_peer)
    if not 1 <= len(request.id) <= MAX_FORWARDS:
        raise RpcError(400, "MESSAGE_IDS_EMPTY")
    if len(request.id) != len(request.random_id):
        raise RpcError(400, "RANDOM_ID_INVALID")
    # albums stay together, under a new id
    mask = secrets.randbits(62)
    messages = [
        (random_id, sending.repeated(call, random_id) or _forwarded(call, origin, number, request, mask))
        for number, random_id in zip(request.id, request.random_id, strict=True)
    ]
    return sending.send_all(call, to, messages, request.reply_to)


def _open_place(call: Call, peer: Any) -> Place:
    """A chat whose messages may be taken elsewhere. Raises RpcError."""
    found = peers.place(call, peer)
    if isinstance(found, Channel) and found.noforwards:
        raise RpcError(400, "CHAT_FORWARDS_RESTRICTED")
    return found


def _forwarded(call: Call, origin: Place, number: int, request: Any, mask: int) -> Draft:
    letter = sending.letter(call, origin, number)
    if letter is None:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    old = letter.draft
    text = "" if request.drop_media_captions and old.media is not None else old.text
    return replace(
        old,
        text=text,
        entities=old.entities if text else (),
        markup=None,
        album_id=old.album_id ^ mask if old.album_id is not None else None,
        forward=None if request.drop_author else old.forward or _origin(call, letter),
    )


def _origin(call: Call, letter: Letter) -> Forward:
    chat = call.world.chats.get(letter.recipient_id)
    if isinstance(chat, Channel) and chat.broadcast:
        return Forward(chat.peer_id, letter.sent_at, letter.ids[chat.peer_id])
    return Forward(letter.sender_id, letter.sent_at)


@rpc(functions.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    place = peers.place(call, request.peer)
    letter = _own_letter(call, place, request.id)
    draft = _edited(call, request, letter.draft)
    if draft.same_as(letter.draft):
        raise RpcError(400, "MESSAGE_NOT_MODIFIED")
    if call.account.is_bot:
        call.world.floodgate.edit(call.account.id, place.peer_id)
    logged = call.world.post_office.edit(letter, draft, call.account)
    view = peers.view(call)
    return view.updates([view.update(logged)], [logged])


def _own_letter(call: Call, place: Place, message_id: int) -> Letter:
    letter = sending.letter(call, place, message_id)
    if letter is None:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    edits_all = isinstance(place, Channel) and place.broadcast and place.may(call.account.id, Right.EDIT)
    if letter.sender_id != call.account.id and not edits_all:
        raise RpcError(403, "MESSAGE_AUTHOR_REQUIRED")
    return letter


def _edited(call: Call, request: Any, old: Draft) -> Draft:
    """What the message becomes: a text that is not given stays, buttons that are not given go."""
    attached = media(call, request.media) if request.media is not None else old.media
    new = sending.draft(call, request, attached)
    if request.message is None:
        new = replace(new, text=old.text, entities=old.entities)
    if attached is None:
        check_text(new.text)
    else:
        check_caption(new.text, premium=call.account.premium)
    return replace(old, text=new.text, entities=new.entities, media=attached, markup=new.markup)
