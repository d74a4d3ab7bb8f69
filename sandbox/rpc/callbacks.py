"""Callback queries: a person presses a button, the bot answers."""

import asyncio
from typing import Any

from telethon.tl import functions, types

from sandbox.rpc import peers
from sandbox.rpc.limits import MAX_CALLBACK_ANSWER, length
from sandbox.rpc.registry import Call, RpcError, rpc
from sandbox.world.box import Logged
from sandbox.world.buttons import CallbackAnswer
from sandbox.world.events import ButtonPressed
from sandbox.world.letters import Letter


@rpc(functions.messages.GetBotCallbackAnswerRequest, bots=False)
def get_bot_callback_answer(call: Call, request: Any) -> Any:
    bot = peers.user(call, request.peer)
    letter = call.account.box.letters.get(request.msg_id)
    if letter is None or letter.sender_id != bot.id or bot.id not in letter.ids:
        raise RpcError(400, "MESSAGE_ID_INVALID")
    if request.data is None or request.data not in _callback_data(letter):
        raise RpcError(400, "DATA_INVALID")
    query_id, answer = call.world.buttons.press(bot)
    event = ButtonPressed(query_id, call.account.id, letter.ids[bot.id], request.data)
    call.world.tell(bot, Logged(event, 0, 0, 0))
    shown: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    answer.add_done_callback(lambda done: _show(done.result(), shown))
    return shown


def _callback_data(letter: Letter) -> set[bytes]:
    markup = letter.draft.markup
    if not isinstance(markup, types.ReplyInlineMarkup):
        return set()
    kinds = [button.type for row in markup.rows for button in row.buttons]
    return {kind.data for kind in kinds if isinstance(kind, types.InlineButtonTypeCallback)}


def _show(answer: CallbackAnswer | None, shown: "asyncio.Future[Any]") -> None:
    if answer is None:
        shown.set_exception(RpcError(400, "BOT_RESPONSE_TIMEOUT"))
        return
    shown.set_result(
        types.messages.BotCallbackAnswer(
            cache_time=answer.cache_s,
            alert=answer.alert,
            has_url=answer.url is not None,
            message=answer.message,
            url=answer.url,
        )
    )


@rpc(functions.messages.SetBotCallbackAnswerRequest, users=False)
def set_bot_callback_answer(call: Call, request: Any) -> Any:
    if length(request.message or "") > MAX_CALLBACK_ANSWER:
        raise RpcError(400, "MESSAGE_TOO_LONG")
    answer = CallbackAnswer(request.message, bool(request.alert), request.url, request.cache_time)
    if not call.world.buttons.answer(call.account, request.query_id, answer):
        raise RpcError(400, "QUERY_ID_INVALID")
    return True
