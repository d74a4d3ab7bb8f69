"""Callback queries: a person presses a button, the bot answers."""

from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers, sending
from sandbox.rpc.limits import MAX_CALLBACK_ANSWER, length
from sandbox.rpc.registry import Call, RpcError, later, rpc
from sandbox.world.box import Logged
from sandbox.world.events import ButtonPressed
from sandbox.world.letters import Letter
from sandbox.world.questions import CallbackAnswer


@rpc(functions.messages.GetBotCallbackAnswerRequest, bots=False)
def get_bot_callback_answer(call: Call, request: Any) -> Any:
    letter = sending.letter(call, peers.place(call, request.peer), request.msg_id)
    bot = call.world.accounts.get(letter.sender_id) if letter is not None else None
    number = letter.number(bot.id) if letter is not None and bot is not None and bot.is_bot else None
    if letter is None or bot is None or number is None:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    if request.data is None or request.data not in _callback_data(letter):
        raise RpcError(400, "DATA_INVALID")
    query_id, answer = call.world.buttons.ask(bot)
    event = ButtonPressed(query_id, call.account.id, letter.other(bot.id), number, request.data)
    call.world.tell(bot, Logged(event, 0, 0, 0))
    return later(answer, _shown)


def _callback_data(letter: Letter) -> set[bytes]:
    markup = letter.draft.markup
    if not isinstance(markup, types.ReplyInlineMarkup):
        return set()
    kinds = [button.type for row in markup.rows for button in row.buttons]
    return {kind.data for kind in kinds if isinstance(kind, types.InlineButtonTypeCallback)}


def _shown(answer: CallbackAnswer) -> Any:
    return types.messages.BotCallbackAnswer(
        cache_time=answer.cache_s,
        alert=answer.alert,
        has_url=answer.url is not None,
        message=answer.message,
        url=answer.url,
    )


@rpc(functions.messages.SetBotCallbackAnswerRequest, users=False)
def set_bot_callback_answer(call: Call, request: Any) -> Any:
    if length(request.message or "") > MAX_CALLBACK_ANSWER:
        raise RpcError(400, "MESSAGE_TOO_LONG")
    answer = CallbackAnswer(request.message, bool(request.alert), request.url, request.cache_time)
    if not call.world.buttons.answer(call.account, request.query_id, answer):
        raise RpcError(400, "QUERY_ID_INVALID")
    return True
