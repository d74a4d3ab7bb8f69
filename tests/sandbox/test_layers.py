"""Other API layers: read by their schema, answered in it, by the names of things alone."""

import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import events
from telethon.tl import functions, types

from sandbox import DataCentre, World, tl
from sandbox.layers import Layer, Speech
from sandbox.layers.layer import Unsayable
from sandbox.world.letters import Draft
from tests.sandbox.clients import Seen, connected, peer
from tests.sandbox.raw import raw

#: Some definitions of layer 198, as https://core.telegram.org/schema had them.
TEXT = """
inputPeerSelf#7da07ec9 = InputPeer;
peerUser#59511722 user_id:long = Peer;
user#4b46c37e flags:# self:flags.10?true bot:flags.14?true flags2:# stories_hidden:flags2.3?true id:long \
access_hash:flags.0?long first_name:flags.1?string usernames:flags2.0?Vector<Username> = User;
keyboardButton#a2fa4880 text:string = KeyboardButton;
keyboardButtonUrl#258aff05 text:string url:string = KeyboardButton;
keyboardButtonCallback#35bbdb6b flags:# requires_password:flags.0?true text:string data:bytes \
= KeyboardButton;
keyboardButtonRow#77608b83 buttons:Vector<KeyboardButton> = KeyboardButtonRow;
replyKeyboardMarkup#85dd99d1 flags:# resize:flags.0?true rows:Vector<KeyboardButtonRow> = ReplyMarkup;
replyInlineMarkup#48a30254 rows:Vector<KeyboardButtonRow> = ReplyMarkup;
updateReadHistoryOutbox#2f2f21bf peer:Peer max_id:int pts:int pts_count:int = Update;
updates#74ae4240 updates:Vector<Update> users:Vector<User> chats:Vector<Chat> date:int seq:int = Updates;
---functions---
invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X;
messages.sendMessage#983f9745 flags:# no_webpage:flags.1?true peer:InputPeer message:string random_id:long \
reply_markup:flags.2?ReplyMarkup schedule_date:flags.10?int = Updates;
// LAYER 198
"""
LAYER = Layer.parse(TEXT)
SPEECH = Speech([LAYER])
CALLBACK = types.KeyboardInlineButton("Go", types.InlineButtonTypeCallback(b"go"))
LINK = types.KeyboardInlineButton("See", types.InlineButtonTypeUrl("https://example.org"))
INLINE = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([CALLBACK, LINK])])
PLAIN = types.ReplyKeyboardMarkup(
    [types.KeyboardButtonRow([types.KeyboardButton("Yes", types.ButtonTypeDefault())])], resize=True
)


def _request(markup: Any = None) -> Any:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return functions.messages.SendMessageRequest(
        types.InputPeerSelf(), "hi", random_id=7, reply_markup=markup, schedule_date=moment
    )


def test_user_when_written_for_an_older_layer_has_its_fields_in_its_order() -> None:
    """Flags are counted anew; what the layer does not know is left out."""
    user = types.User(5, is_self=True, first_name="Ada", lang_code="fa", stories_hidden=False)
    expected = struct.pack("<IIIq", 0x4B46C37E, 1 << 10 | 1 << 1, 0, 5) + b"\x03Ada"
    assert expected == SPEECH.write(user, 198)
    assert bytes(user) == SPEECH.write(user, 229)


def test_button_when_written_for_an_older_layer_is_flat() -> None:
    """A button was one constructor with a text, and a row of an inline keyboard one as any."""
    button = struct.pack("<II", 0x35BBDB6B, 0) + b"\x02Go\0" + b"\x02go\0"
    link = struct.pack("<I", 0x258AFF05) + b"\x03See" + b"\x13https://example.org"
    row = struct.pack("<IIi", 0x77608B83, tl.VECTOR, 2) + button + link
    assert struct.pack("<IIi", 0x48A30254, tl.VECTOR, 1) + row == SPEECH.write(INLINE, 198)


@pytest.mark.parametrize("markup", [None, INLINE, PLAIN])
def test_request_when_read_from_an_older_layer_is_as_from_ours(markup: Any) -> None:
    """Keyboards get their shape of today, dates are dates; inside invokeWithLayer as well."""
    request = _request(markup)
    expected = tl.read(bytes(request)).to_dict()
    body = SPEECH.write(request, 198)
    assert struct.pack("<I", 0x983F9745) == body[:4]
    assert expected == SPEECH.read(body).to_dict()
    wrapped = struct.pack("<Ii", 0xDA9B0D0D, 198) + body
    assert expected == SPEECH.read(wrapped).query.to_dict()


def test_updates_when_an_older_layer_lacks_some_go_without_them() -> None:
    """Telegram does not tell a client what its layer has no name for."""
    read = types.UpdateReadHistoryOutbox(types.PeerUser(5), 1, 2, 1)
    newer = types.UpdateChannel(1)
    told = types.Updates([newer, read], [], [], 0, 0)
    assert bytes(types.Updates([read], [], [], 0, 0)) == SPEECH.write(told, 198)
    with pytest.raises(Unsayable, match="updateChannel"):
        SPEECH.write(newer, 198)


def test_answer_when_a_bool_or_a_list_is_written_as_such() -> None:
    """What an RPC may answer besides objects."""
    assert tl.write(True) == SPEECH.write(True, 198)
    assert struct.pack("<Ii", tl.VECTOR, 1) + LAYER.write(PLAIN) == SPEECH.write([PLAIN], 198)


def test_answer_when_a_later_layer_wraps_it_is_said_without_the_wrapper() -> None:
    """Joining was answered with the updates alone; to say nothing then would undo nothing."""
    joined = types.Updates([types.UpdateReadHistoryOutbox(types.PeerUser(5), 1, 2, 1)], [], [], 0, 0)
    wrapped = types.messages.ChatInviteJoinResultOk(joined)
    assert SPEECH.write(joined, 198) == SPEECH.write(wrapped, 198)
    assert bytes(wrapped) == SPEECH.write(wrapped, 229)


async def test_answer_when_it_comes_later_and_cannot_be_said_is_an_error(world: World) -> None:
    """A bot answers a button; its presser's layer has no name for that. Silence would be for ever."""
    bot, user = world.add_bot(), world.add_user("Ada")
    world.post_office.send(user, bot, Draft("/start"))
    card = world.post_office.send(bot, user, Draft("Choose", markup=INLINE)).letter
    async with DataCentre(world, layers=[LAYER]) as dc, raw(dc, user) as ada, connected(dc, bot) as telethon:
        pressed = Seen(telethon, events.CallbackQuery())
        await telethon.get_me()
        (login,) = dc.logins.of(user)
        login.layer = 198
        ask = functions.messages.GetBotCallbackAnswerRequest(
            peer(world, user, bot), card.ids[user.id], data=b"go"
        )
        called = await ada.send(bytes(ask))
        await (await pressed.next()).answer("Well done")
        failure = await ada.result(called)
        assert (500, "INTERNAL") == (failure.error_code, failure.error_message)


@given(st.data())
def test_request_when_broken_is_malformed_and_nothing_worse(data: st.DataObject) -> None:
    """Cut anywhere, with any bytes changed."""
    body = bytearray(SPEECH.write(_request(INLINE), 198))
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(tl.Malformed):
        SPEECH.read(bytes(body[: data.draw(st.integers(0, len(body)))]))


@pytest.mark.parametrize("rows", [[True], [types.KeyboardButtonRow([True])]])
def test_keyboard_when_of_something_else_is_malformed(rows: list[Any]) -> None:
    """Any object may stand where a row or a button should."""
    body = struct.pack("<IIi", 0x48A30254, tl.VECTOR, 1)
    body += (
        tl.write(True) if rows == [True] else struct.pack("<IIi", 0x77608B83, tl.VECTOR, 1) + tl.write(True)
    )
    with pytest.raises(tl.Malformed):
        SPEECH.read(body)


@pytest.mark.parametrize("text", ["", TEXT.replace("// LAYER 198", ""), "// LAYER 198"])
def test_schema_when_without_a_layer_or_definitions_is_refused(text: str) -> None:
    """A text that is no schema says so at once."""
    with pytest.raises(ValueError, match="no TL schema"):
        Layer.parse(text)
