"""Inline queries: a person types the bot's name and a few words in whatever chat, the bot offers messages.

https://core.telegram.org/api/bots/inline
"""

from typing import Any, Final

from telethon.tl import functions, types

from sandbox.rpc import peers, sending
from sandbox.rpc.limits import check_entities, check_markup, check_text, length
from sandbox.rpc.media import document
from sandbox.rpc.registry import Call, RpcError, later, rpc
from sandbox.world.box import Logged
from sandbox.world.events import InlineAsked, InlineChosen
from sandbox.world.letters import Draft, Media
from sandbox.world.questions import InlineAnswer, Offer

#: https://core.telegram.org/bots/api#answerinlinequery
MAX_RESULTS: Final = 50
MAX_QUERY: Final = 256
MAX_ID_BYTES: Final = 64


@rpc(functions.messages.GetInlineBotResultsRequest, bots=False)
def get_inline_bot_results(call: Call, request: Any) -> Any:
    bot = peers.user(call, request.bot, "BOT_INVALID")
    if not isinstance(request.peer, types.InputPeerEmpty):
        peers.place(call, request.peer)
    if not bot.inline:
        raise RpcError(400, "BOT_INLINE_DISABLED")
    query = request.query[:MAX_QUERY]
    query_id, answer = call.world.inline.ask(bot)
    call.world.tell(bot, Logged(InlineAsked(query_id, call.account.id, query, request.offset), 0, 0, 0))
    call.world.offers.expect(query_id, bot.id, call.account.id, query)
    return later(answer, lambda offered: _shown(call, query_id, offered))


def _shown(call: Call, query_id: int, answer: InlineAnswer) -> Any:
    return types.messages.BotResults(
        query_id,
        [_result(call, result_id, offer) for result_id, offer in answer.offers.items()],
        answer.cache_s,
        users=[],
        gallery=answer.gallery,
        next_offset=answer.next_offset,
    )


def _result(call: Call, result_id: str, offer: Offer) -> Any:
    said = {"entities": list(offer.draft.entities) or None, "reply_markup": offer.draft.markup}
    about = {"title": offer.title, "description": offer.description}
    if offer.draft.media is None:
        message = types.BotInlineMessageText(offer.draft.text, **said)
        return types.BotInlineResult(result_id, offer.kind, message, **about)
    shown = peers.view(call).media(offer.draft.media).document
    message = types.BotInlineMessageMediaAuto(offer.draft.text, **said)
    return types.BotInlineMediaResult(result_id, offer.kind, message, document=shown, **about)


@rpc(functions.messages.SetInlineBotResultsRequest, users=False)
def set_inline_bot_results(call: Call, request: Any) -> Any:
    if len(request.results) > MAX_RESULTS:
        raise RpcError(400, "RESULTS_TOO_MUCH")
    if len({result.id for result in request.results}) < len(request.results):
        raise RpcError(400, "RESULT_ID_DUPLICATE")
    if length(request.next_offset or "") > MAX_ID_BYTES:
        raise RpcError(400, "NEXT_OFFSET_INVALID")
    offers = {result.id: _offer(call, result) for result in request.results}
    answer = InlineAnswer(offers, request.cache_time, request.next_offset, bool(request.gallery))
    if not call.world.inline.answer(call.account, request.query_id, answer):
        raise RpcError(400, "QUERY_ID_INVALID")
    call.world.offers.fill(request.query_id, offers)
    return True


def _offer(call: Call, result: Any) -> Offer:
    """What one result would send. Raises RpcError."""
    said = result.send_message
    if not 1 <= len(result.id.encode()) <= MAX_ID_BYTES:
        raise RpcError(400, "RESULT_ID_INVALID" if result.id else "RESULT_ID_EMPTY")
    match result, said:
        case types.InputBotInlineResult(), types.InputBotInlineMessageText():
            check_text(said.message)
            media = None
        case types.InputBotInlineResultDocument(), types.InputBotInlineMessageMediaAuto():
            media = Media(document(call, result.document, "DOCUMENT_INVALID"))
        case _:
            raise RpcError(400, "RESULT_TYPE_INVALID")
    check_entities(said.entities or ())
    check_markup(said.reply_markup)
    entities = tuple(said.entities or ())
    draft = Draft(said.message, entities, media, said.reply_markup, via_bot_id=call.account.id)
    return Offer(result.type, draft, result.title, result.description)


@rpc(functions.messages.SendInlineBotResultRequest, bots=False)
def send_inline_bot_result(call: Call, request: Any) -> Any:
    to = peers.recipient(call, request.peer)
    if sent := sending.repeated(call, request.random_id):
        return sending.answer(call, [sent])
    offered = call.world.offers.get(request.query_id, call.account.id)
    if offered is None or request.id not in offered.offers:
        raise RpcError(400, "QUERY_ID_INVALID" if offered is None else "RESULT_ID_INVALID")
    bot = call.world.accounts.get(offered.bot_id)
    if bot is not None:
        call.world.tell(bot, Logged(InlineChosen(call.account.id, offered.query, request.id), 0, 0, 0))
    return sending.send(call, to, offered.offers[request.id].draft, request)
