"""What the data centre says is what the schema of a second implementation says, too.

The fixture `second_opinion` listens in all tests of the sandbox; here it is shown to hear, and to object.
"""

import hashlib
import os
import struct
from typing import Any

import pytest
from telethon import Button, events
from telethon.tl import functions, types

from sandbox import DataCentre, Role, World
from sandbox.people import Person
from tests.sandbox.clients import client

pytestmark = pytest.mark.interop
pytest.importorskip("pyrogram", reason="Kurigram is not installed: pip install -e '.[interop]'")

FROM_THE_JOURNEY = {
    # service messages
    "newSessionCreated",
    "badServerSalt",
    "pong",
    "rpcResult",
    "rpcError",
    # results
    "config",
    "auth.authorization",
    "updates.state",
    "contacts.resolvedPeer",
    "messages.botCallbackAnswer",
    "messages.affectedMessages",
    "messages.messagesSlice",
    "upload.file",
    "channels.channelParticipant",
    # updates, and what is in them
    "updates",
    "updateNewMessage",
    "updateEditMessage",
    "updateDeleteMessages",
    "updateBotCallbackQuery",
    "updateMessageID",
    "updateChannelParticipant",
    "message",
    "messageMediaDocument",
    "document",
    "user",
    "channel",
    "replyInlineMarkup",
    "keyboardInlineButton",
    "inlineButtonTypeCallback",
    "messageEntityBold",
}


def _host(bot: Any) -> None:
    """A bot that greets, and answers a button with an alert and an edit."""

    async def greet(event: Any) -> None:
        await event.respond("<b>Hello</b>", parse_mode="html", buttons=[[Button.inline("Press me", b"go")]])

    async def pressed(event: Any) -> None:
        await event.answer("Well done", alert=True)
        await event.edit("Pressed")

    bot.add_event_handler(greet, events.NewMessage(incoming=True))
    bot.add_event_handler(pressed, events.CallbackQuery())


async def test_journey_when_overheard_is_as_the_other_schema_has_it(
    world: World, dc: DataCentre, second_opinion: Any
) -> None:
    """Login, messages, buttons, files, a channel, an error: every byte read, every field equal."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("sponsor", "Sponsor", [account])
    content = os.urandom(600_000)
    bot = client(dc)
    _host(bot)
    async with await bot.start(bot_token=account.token), Person.connect(dc, user) as ada:
        await ada.send("/start")
        await ada.press(await ada.expect("Hello"), "Press me")
        await ada.expect("Pressed")
        sent = await bot.send_file(user.id, content, force_document=True)
        assert hashlib.sha256(content).hexdigest() == (await ada.save(await ada.expect_file()))[1]
        await ada.client(functions.PingRequest(7))
        await ada.join("sponsor")
        await bot.get_permissions("sponsor", user.id)
        world.seat(channel, user, Role.BANNED)
        await ada.client.get_messages(ada.bot, limit=5)
        await bot.delete_messages(user.id, [sent.id])
        with pytest.raises(ValueError, match="nobody"):
            await bot.get_entity("nobody_is_called_this")
    assert set() == FROM_THE_JOURNEY - set(second_opinion.heard)


@pytest.mark.parametrize(
    ("body", "objection"),
    [
        (bytes(types.Pong(1, 2)) + bytes(4), "4 bytes behind"),
        (bytes(types.Pong(1, 2))[:-4], "would be"),
        (struct.pack("<I", 0xDEADBEEF), "KeyError"),
        (bytes(types.PeerUser(1)) * 2, "12 bytes behind"),
        # a bit that no field has: what is read is not all that was written
        (bytes(types.MessageReplyHeader())[:4] + struct.pack("<I", 1 << 30), "would be"),
    ],
)
def test_opinion_when_bytes_are_not_the_schemas_objects(
    second_opinion: Any, body: bytes, objection: str
) -> None:
    """Too many, too few, unknown ones, and flags that mean nothing."""
    second_opinion.hear(body)
    (heard,) = second_opinion.objections
    second_opinion.objections.clear()
    assert objection in heard
