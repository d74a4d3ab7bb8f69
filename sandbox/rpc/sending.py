"""What all ways of sending share: the draft, the random_id, the limits, and the answer."""

from typing import Any

from telethon.tl import types

from sandbox.rpc import peers
from sandbox.rpc.limits import check_entities, check_markup
from sandbox.rpc.linking import linked
from sandbox.rpc.registry import Call, RpcError
from sandbox.world.box import Sent
from sandbox.world.channels import Channel
from sandbox.world.letters import Draft, Letter, Media
from sandbox.world.post_office import Place


def draft(call: Call, request: Any, attached: Media | None = None, album_id: int | None = None) -> Draft:
    """What a request wants to say. Raises RpcError."""
    markup = getattr(request, "reply_markup", None) if call.account.is_bot else None
    entities = tuple(request.entities or ())
    check_entities(entities)
    check_markup(markup)
    text = request.message or ""
    return Draft(text, linked(text, entities), attached, markup, album_id)


def repeated(call: Call, random_id: int) -> Sent | None:
    """What was sent under this random_id before: a lost answer must not send twice. Raises RpcError."""
    if not random_id:
        raise RpcError(400, "RANDOM_ID_EMPTY")
    sent = call.account.sent.get(random_id)
    if sent is not None and sent.letter.number(call.account.id) is None:
        raise RpcError(500, "RANDOM_ID_DUPLICATE")  # it was deleted since
    return sent


def charge(call: Call, to: Place, count: int) -> None:
    """Count messages of a bot against its limits. Raises Flooded."""
    if call.account.is_bot and count:
        call.world.floodgate.send(call.account.id, to.peer_id, count)


def send(call: Call, to: Place, draft: Draft, request: Any) -> Any:
    """Send one message and answer the call. Raises Flooded."""
    charge(call, to, 1)
    return answer(call, [post(call, to, draft, request.random_id, request.reply_to)])


def send_all(call: Call, to: Place, messages: list[tuple[int, Draft | Sent]], reply_to: Any) -> Any:
    """Send several messages, each under its random_id, and answer the call. Raises Flooded.

    Of what was sent before, nothing but the answer is sent again.
    """
    charge(call, to, sum(isinstance(message, Draft) for _, message in messages))
    sent = [
        message if isinstance(message, Sent) else post(call, to, message, random_id, reply_to)
        for random_id, message in messages
    ]
    return answer(call, sent)


def post(call: Call, to: Place, draft: Draft, random_id: int, reply_to: Any) -> Sent:
    """Send one message. `reply_to` is an InputReplyTo or None."""
    number = getattr(reply_to, "reply_to_msg_id", None)
    answered = letter(call, to, number) if number is not None else None
    return call.world.post_office.send(call.account, to, draft, random_id, answered)


def answer(call: Call, sent: list[Sent]) -> Any:
    """The sender learns of its own messages by the answer, not by a push."""
    view = peers.view(call)
    numbers = [
        types.UpdateMessageID(one.letter.number(call.account.id), one.letter.random_id) for one in sent
    ]
    log = [one.logged for one in sent]
    return view.updates([*numbers, *map(view.update, log)], log)


def letter(call: Call, place: Place, number: int) -> Letter | None:
    """The message with this number in a chat, as the caller numbers it."""
    if isinstance(place, Channel):
        return place.box.letters.get(number)
    found = call.account.box.letters.get(number)
    return found if found is not None and found.other(call.account.id) == place.peer_id else None
