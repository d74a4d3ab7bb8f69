"""Private messages: who may write what to whom, and what becomes of it."""

from typing import Any

import pytest
from telethon import Button, events, functions, types
from telethon.errors import MessageNotModifiedError, PeerIdInvalidError, UserIsBlockedError

from sandbox import DataCentre, World
from sandbox.people import Person
from sandbox.world.letters import Draft
from tests.sandbox.clients import Seen, connected, refused
from tests.sandbox.raw import raw


def _peer(world: World, viewer: Any, account: Any) -> Any:
    return types.InputPeerUser(account.id, world.accounts.access_hash(viewer, "user", account.id))


async def test_bot_when_it_writes_first_is_refused_until_the_person_has_written(
    world: World, dc: DataCentre
) -> None:
    """A bot answers; it does not begin. Nor may it write to one who blocked it."""
    account, user = world.add_bot(), world.add_user("Ada")
    peer = _peer(world, account, user)
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        with pytest.raises(PeerIdInvalidError):
            await bot.send_message(peer, "buy")
        await ada.send("hi")
        await bot.send_message(peer, "hello")
        await ada.expect("hello")
        await ada.block()
        with pytest.raises(UserIsBlockedError):
            await bot.send_message(peer, "still there?")


async def test_access_hash_when_of_another_account_is_no_good(world: World, dc: DataCentre) -> None:
    """Each account has its own numbers for everybody."""
    account, user = world.add_bot(), world.add_user("Ada")
    other = world.add_bot("other_bot")
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        with pytest.raises(PeerIdInvalidError):
            await bot.send_message(_peer(world, other, user), "hello")


async def test_message_when_its_random_id_was_used_before_is_the_earlier_one(
    world: World, dc: DataCentre
) -> None:
    """A lost answer does not send twice; another account's same number is another message."""
    world.add_bot()
    user = world.add_user("Ada")
    async with connected(dc, user) as ada:
        bot = await ada.get_input_entity("peyk_bot")
        first = await ada(functions.messages.SendMessageRequest(bot, "hi", random_id=42))
        again = await ada(functions.messages.SendMessageRequest(bot, "hi", random_id=42))
        assert first.updates[0].id == again.updates[0].id
        assert first.updates[1].pts == again.updates[1].pts
        assert 1 == len(user.box.letters)
        assert 1 == world.stats.messages


async def test_message_when_its_random_id_is_of_a_deleted_one_is_refused(
    world: World, dc: DataCentre
) -> None:
    """There is no earlier message to give any more, and a second one must not be."""
    bot, user = world.add_bot(), world.add_user("Ada")
    async with raw(dc, user) as ada:
        send = bytes(functions.messages.SendMessageRequest(_peer(world, user, bot), "hi", random_id=42))
        (number, _) = (await ada.result(await ada.send(send))).updates
        await ada.result(await ada.send(bytes(functions.messages.DeleteMessagesRequest([number.id]))))
        error = await ada.result(await ada.send(send))
        assert (500, "RANDOM_ID_DUPLICATE") == (error.error_code, error.error_message)
        assert {} == user.box.letters


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "MESSAGE_EMPTY"),
        (" \n", "MESSAGE_EMPTY"),
        ("a" * 4097, "MESSAGE_TOO_LONG"),
        ("\U0001f600" * 2049, "MESSAGE_TOO_LONG"),
    ],
    ids=["nothing", "blank", "long", "long in UTF-16"],
)
async def test_text_when_empty_or_too_long_is_refused(
    world: World, dc: DataCentre, text: str, error: str
) -> None:
    """Lengths are of UTF-16 code units."""
    world.add_bot()
    async with connected(dc, world.add_user("Ada")) as ada:
        bot = await ada.get_input_entity("peyk_bot")
        with refused(error):
            await ada(functions.messages.SendMessageRequest(bot, text, random_id=1))
        longest = await ada.send_message(bot, "a" * 4096)
        assert 4096 == len(longest.raw_text)


def _callback(data: bytes) -> Any:
    return types.KeyboardInlineButton("x", types.InlineButtonTypeCallback(data))


@pytest.mark.parametrize(
    ("buttons", "error"),
    [
        ([[_callback(b"d" * 64), _callback(b"")]], "BUTTON_DATA_INVALID"),
        ([[_callback(b"d" * 65)]], "BUTTON_DATA_INVALID"),
        ([[Button.url("x", "javascript:alert(1)")]], "BUTTON_URL_INVALID"),
        ([[Button.inline(" ", b"d")]], "BUTTON_TEXT_INVALID"),
        ([[_callback(b"d")] * 9], "REPLY_MARKUP_TOO_LONG"),
        ([[_callback(b"d")]] * 101, "REPLY_MARKUP_INVALID"),
    ],
    ids=["no data", "long data", "no link", "no text", "wide", "tall"],
)
async def test_buttons_when_telegram_would_not_show_them_are_refused(
    world: World, dc: DataCentre, buttons: Any, error: str
) -> None:
    """Data of 1 to 64 bytes, links, texts, and not too many."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        rows = [
            types.KeyboardInlineButtonRow([getattr(one, "button", one) for one in row]) for row in buttons
        ]
        with refused(error):
            await bot.send_message(user.id, "choose", buttons=types.ReplyInlineMarkup(rows))


async def test_caption_when_too_long_is_refused(world: World, dc: DataCentre) -> None:
    """1024 for accounts without Premium."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        await bot.send_file(user.id, b"content", caption="a" * 1024)
        with refused("MEDIA_CAPTION_TOO_LONG"):
            await bot.send_file(user.id, b"content", caption="a" * 1025)


async def test_edit_when_nothing_changes_is_refused_and_else_reaches_the_person(
    world: World, dc: DataCentre
) -> None:
    """Text, buttons and entities count; the other's message is not the bot's to change."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        buttons = [[Button.inline("x", b"d")]]
        message = await bot.send_message(user.id, "one", buttons=buttons)
        with pytest.raises(MessageNotModifiedError):
            await message.edit("one", buttons=buttons)
        await message.edit("one", buttons=[[Button.inline("y", b"d")]])
        await ada.expect_that(lambda seen: seen.buttons[0][0].text == "y", "button y", 5)
        await bot.edit_message(user.id, message.id, "**one**", parse_mode="md")
        edited = await ada.expect_that(lambda seen: bool(seen.entities), "bold", 5)
        assert ("one", None) == (edited.raw_text, edited.reply_markup)
        theirs = next(number for number, letter in account.box.letters.items() if letter.sender_id == user.id)
        with refused("MESSAGE_AUTHOR_REQUIRED"):
            await bot.edit_message(user.id, theirs, "mine now")


async def test_message_when_deleted_by_the_bot_is_gone_for_both(world: World, dc: DataCentre) -> None:
    """Numbers differ between the two boxes; the right ones go."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        kept, gone = await bot.send_message(user.id, "kept"), await bot.send_message(user.id, "gone")
        await gone.delete()
        assert ["kept", "hi"] == [
            message.raw_text for message in await ada.client.get_messages(ada.bot, limit=9)
        ]
        assert [None, "kept"] == [
            message and message.raw_text
            for message in await bot.get_messages(user.id, ids=[gone.id, kept.id])
        ]


async def test_history_when_asked_for_pages_gives_them_in_order(world: World, dc: DataCentre) -> None:
    """Newest first, by offset and limit."""
    world.add_bot()
    async with connected(dc, world.add_user("Ada")) as ada:
        for number in range(5):
            await ada.send_message("peyk_bot", str(number))
        newest = await ada.get_messages("peyk_bot", limit=2)
        older = await ada.get_messages("peyk_bot", limit=2, offset_id=newest[-1].id)
        assert (["4", "3"], ["2", "1"]) == ([one.text for one in newest], [one.text for one in older])
        assert 5 == newest.total


async def test_reply_when_read_by_the_bot_names_its_own_number_of_the_message(
    world: World, dc: DataCentre
) -> None:
    """The same message has another number in each box."""
    account, user = world.add_bot(), world.add_user("Ada")
    account.box.last_message_id = 100
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        question = await bot.send_message(user.id, "which?")
        await ada.client.send_message(ada.bot, "this", reply_to=(await ada.expect("which?")).id)
        (answer,) = await bot.get_messages(user.id, ids=[question.id + 1])
        assert question.id == answer.reply_to_msg_id
        assert "which?" == (await answer.get_reply_message()).raw_text


async def test_reading_when_somebody_reads_is_told_to_the_writer_and_to_the_readers_other_programs(
    world: World, dc: DataCentre
) -> None:
    """By each one's own number; bots are not told; once is enough."""
    account, user, friend = world.add_bot(), world.add_user("Ada"), world.add_user("Grace")
    user.box.last_message_id = 100
    async with connected(dc, user) as ada, connected(dc, friend) as grace, connected(dc, friend) as phone:
        told, seen = Seen(ada, events.MessageRead()), Seen(phone, events.MessageRead(inbox=True))
        await ada.get_me()
        await phone.get_me()
        await ada.send_message(_peer(world, user, friend), "hello")
        for _ in range(2):
            await grace.send_read_acknowledge(_peer(world, friend, user))
        assert 101 == (await told.next()).max_id
        assert (1, 0) == ((update := (await seen.next()).original_update).max_id, update.still_unread_count)
        assert (0, 0) == (told.waiting, seen.waiting)
        world.post_office.send(account, friend, Draft("ad"))
        pts = account.box.pts
        await grace.send_read_acknowledge(_peer(world, friend, account))
        assert pts == account.box.pts


async def test_caller_when_not_logged_in_or_of_the_wrong_kind_is_refused(
    world: World, dc: DataCentre
) -> None:
    """401 before login; methods for people are not for bots."""
    account = world.add_bot()
    async with connected(dc) as nobody, connected(dc, account) as bot:
        with refused("AUTH_KEY_UNREGISTERED"):
            await nobody(functions.updates.GetStateRequest())
        with refused("BOT_METHOD_INVALID"):
            await bot(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 10, 0, 0, 0))
        with refused("INPUT_METHOD_INVALID"):
            await bot(functions.langpack.GetLanguagesRequest(""))
        dc.revoke(account)
        with refused("AUTH_KEY_UNREGISTERED"):
            await bot(functions.updates.GetStateRequest())
