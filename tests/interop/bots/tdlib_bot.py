"""The bot of the interop tests, written with TDLib."""

import base64
import hashlib
import json
import sys
from typing import Any

from tests.interop.tdlib import Tdlib, document, text


def serve(place: Any) -> None:
    """Sign in, say so, and answer until it is told to log out."""
    bot = Tdlib(place, "bot")
    bot.until("authorizationStateWaitPhoneNumber")
    bot.call("checkAuthenticationBotToken", token=place["bot_token"])
    bot.until("authorizationStateReady")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        message = bot.message()
        chat_id, content = message["chat_id"], message["content"]
        words = content.get("text", {}).get("text")
        if content["@type"] == "messageDocument":
            digest = hashlib.sha256(bot.downloaded(message).read_bytes()).hexdigest()
            bot.send(chat_id, text(digest))
        elif words == "/start":
            _show_button(bot, chat_id)
        elif words == "/file":
            bot.send(chat_id, document(place["file_path"]))
        elif words == "/logout":
            bot.log_out()
            return


def _show_button(bot: Tdlib, chat_id: int) -> None:
    data = base64.b64encode(b"go").decode()
    kind = {"@type": "inlineKeyboardButtonTypeCallback", "data": data}
    button = {"@type": "inlineKeyboardButton", "text": "Press me", "type": kind}
    markup = {"@type": "replyMarkupInlineKeyboard", "rows": [[button]]}
    bot.call("sendMessage", chat_id=chat_id, reply_markup=markup, input_message_content=text("Choose"))
    query = bot.wait("updateNewCallbackQuery")
    bot.call("answerCallbackQuery", callback_query_id=query["id"], text="Well done", show_alert=True)
    message_id = query["message_id"]
    bot.call("editMessageText", chat_id=chat_id, message_id=message_id, input_message_content=text("Pressed"))


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
