"""The person of the interop tests, with TDLib."""

import hashlib
import json
import sys
from typing import Any

from tests.interop.tdlib import Tdlib, document, text


def live(place: Any) -> dict[str, Any]:
    """Log in, write to the bot, send it a file and fetch what it sends, join, look at the chats, log out."""
    person = Tdlib(place, "person")
    person.until("authorizationStateWaitPhoneNumber")
    person.call("setAuthenticationPhoneNumber", phone_number=place["phone"])
    person.until("authorizationStateWaitCode")
    person.call("checkAuthenticationCode", code=place["code"])
    person.until("authorizationStateReady")
    bot = person.call("searchPublicChat", username=place["bot_username"])["id"]
    person.send(bot, text("/start"))
    heard = person.message()["content"]["text"]["text"]
    person.send(bot, document(place["file_path"]))
    fetched = person.downloaded(person.message()).read_bytes()
    channel = person.call("searchPublicChat", username=place["channel"])
    person.call("joinChat", chat_id=channel["id"])
    full = person.call("getSupergroupFullInfo", supergroup_id=channel["type"]["supergroup_id"])
    assert full["member_count"] == 2
    chats = person.call("getChats", limit=100)["chat_ids"]
    titles = [person.call("getChat", chat_id=chat_id)["title"] for chat_id in chats]
    person.log_out()
    return {"heard": heard, "digest": hashlib.sha256(fetched).hexdigest(), "chats": titles}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(live(json.loads(sys.argv[1]))) + "\n")
