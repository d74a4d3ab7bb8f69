"""Groups, supergroups and channels: who may do what in them, and who is told."""

from typing import Any

import pytest
from telethon import Button, events, functions, types
from telethon.errors import ChannelPrivateError

from sandbox import Account, DataCentre, Right, Role, World
from sandbox.people import Person
from sandbox.world.events import LetterArrived
from sandbox.world.letters import Draft
from tests.sandbox.clients import Seen, connected, peer, refused


async def test_post_when_made_by_an_admin_reaches_members_under_the_channels_numbers(
    world: World, dc: DataCentre
) -> None:
    """One number for all, pts of the channel, no author shown; edits and deletions follow."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.join("news")
        seen, edits = Seen(ada.client, events.NewMessage()), Seen(ada.client, events.MessageEdited())
        gone = Seen(ada.client, events.MessageDeleted())
        place = peer(world, account, channel)
        first, second = [await bot.send_message(place, text) for text in ("one", "two")]
        arrived = [await seen.next(), await seen.next()]
        assert ["one", "two"] == [event.raw_text for event in arrived]
        assert [first.id, second.id] == [event.message.id for event in arrived] == [1, 2]
        assert (None, True) == (arrived[0].message.from_id, arrived[0].message.post)
        await first.edit("One")
        assert "One" == (await edits.next()).raw_text
        await second.delete()
        deleted = await gone.next()
        assert (channel.id, [2]) == (deleted.original_update.channel_id, deleted.deleted_ids)
        assert 5 == channel.box.pts
        assert 1 == user.box.pts


@pytest.mark.parametrize(
    ("role", "rights", "error"),
    [
        (Role.MEMBER, frozenset(), "CHAT_ADMIN_REQUIRED"),
        (Role.ADMIN, frozenset({Right.INVITE}), "CHAT_ADMIN_REQUIRED"),
        (Role.BANNED, frozenset(), "CHANNEL_PRIVATE"),
    ],
)
async def test_post_when_the_right_is_missing_is_refused(
    world: World, dc: DataCentre, role: Role, rights: frozenset[Right], error: str
) -> None:
    """Members read; of admins, those who may post do."""
    account = world.add_bot()
    channel = world.add_channel("news", "News")
    world.seat(channel, account, role, rights=rights)
    async with connected(dc, account) as bot:
        with refused(error):
            await bot.send_message(peer(world, account, channel), "spam")


async def test_message_when_of_somebody_else_is_changed_by_those_with_the_right_only(
    world: World, dc: DataCentre
) -> None:
    """Editing posts, deleting in a supergroup, and what members may not."""
    account, other, user = world.add_bot(), world.add_bot("other_bot"), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    talk = world.add_channel("talk", "Talk", [account], broadcast=False)
    for chat in (channel, talk):
        world.seat(chat, other, Role.ADMIN, rights=frozenset({Right.POST}))
    world.seat(talk, user, Role.MEMBER)
    async with connected(dc, account) as bot, connected(dc, other) as lesser, connected(dc, user) as ada:
        post = await lesser.send_message(peer(world, other, channel), "one")
        await bot.edit_message(peer(world, account, channel), post.id, "edited")
        said = await ada.send_message(peer(world, user, talk), "hello")
        assert user.id == said.from_id.user_id
        with refused("MESSAGE_AUTHOR_REQUIRED"):
            await bot.edit_message(peer(world, account, talk), said.id, "mine now")
        with refused("MESSAGE_DELETE_FORBIDDEN"):
            await lesser.delete_messages(peer(world, other, talk), [said.id])
        await bot.delete_messages(peer(world, account, talk), [said.id])
        assert {} == talk.box.letters


async def test_supergroup_when_somebody_writes_is_heard_by_all_inside(world: World, dc: DataCentre) -> None:
    """Everybody writes, with their name; who left neither hears nor writes."""
    account, user, guest = world.add_bot(), world.add_user("Ada"), world.add_user("Grace")
    world.add_channel("talk", "Talk", [account], broadcast=False)
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada, connected(dc, guest) as grace:
        await ada.join("talk")
        seen, unseen = Seen(bot, events.NewMessage(incoming=True)), Seen(grace, events.NewMessage())
        await grace.get_me()
        await ada.client.send_message("talk", "hello")
        heard = await seen.next()
        assert ("hello", user.id, True) == (heard.raw_text, heard.sender_id, heard.is_group)
        await heard.reply("hi")
        (answer,) = await ada.client.get_messages("talk", limit=1)
        assert ("hi", heard.message.id) == (answer.raw_text, answer.reply_to_msg_id)
        with refused("CHAT_WRITE_FORBIDDEN"):
            await grace.send_message("talk", "me too")
        assert 0 == unseen.waiting


async def test_group_when_somebody_writes_each_has_the_message_under_an_own_number(
    world: World, dc: DataCentre
) -> None:
    """A basic group lives in its members' boxes; edits, replies and deletions map between them."""
    account, user, third = world.add_bot(), world.add_user("Ada"), world.add_user("Grace")
    user.box.last_message_id, third.box.last_message_id = 100, 200
    group = world.add_group("Friends", [account, user, third])
    async with connected(dc, account) as bot, connected(dc, user) as ada, connected(dc, third) as grace:
        seen, edits = Seen(bot, events.NewMessage(incoming=True)), Seen(grace, events.MessageEdited())
        await bot.get_me()
        await grace.get_me()
        sent = await ada.send_message(peer(world, user, group), "hello")
        heard = await seen.next()
        assert (101, 1, group.id) == (sent.id, heard.message.id, heard.message.peer_id.chat_id)
        answer = await heard.reply("hi")
        await answer.edit("hi!")
        edited = await edits.next()
        assert ("hi!", 202, 201) == (edited.raw_text, edited.message.id, edited.message.reply_to_msg_id)
        await answer.delete()
        assert [101] == sorted(user.box.letters)
        await ada(functions.messages.DeleteChatUserRequest(group.id, types.InputUserSelf()))
        with refused("CHAT_WRITE_FORBIDDEN"):
            await ada.send_message(peer(world, user, group), "still here?")
        (shown,) = (await bot(functions.messages.GetChatsRequest([group.id]))).chats
        assert ("Friends", 2) == (shown.title, shown.participants_count)


async def test_channel_when_named_without_its_hash_is_shown_to_bots_inside_only(
    world: World, dc: DataCentre
) -> None:
    """So clients that remember nothing find the chats of their bot."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    world.seat(channel, user, Role.MEMBER)
    request = functions.channels.GetChannelsRequest([types.InputChannel(channel.id, 0)])
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        (shown,) = (await bot(request)).chats
        assert peer(world, account, channel).access_hash == shown.access_hash
        with refused("CHANNEL_INVALID"):
            await ada(request)


async def test_bot_when_it_is_added_promoted_or_removed_is_told_with_its_rights(
    world: World, dc: DataCentre
) -> None:
    """Its own standing comes as the same update, with who did it."""
    account, owner = world.add_bot(), world.add_user("Ada")
    channel, group = world.add_channel("news", "News"), world.add_group("Friends")
    world.seat(channel, owner, Role.CREATOR)
    async with connected(dc, account) as bot:
        seen = Seen(bot, events.Raw((types.UpdateChannelParticipant, types.UpdateChatParticipant)))
        await bot.get_me()
        world.seat(channel, account, Role.ADMIN, owner, rights=frozenset({Right.POST}))
        promoted = await seen.next()
        assert (account.id, owner.id) == (promoted.user_id, promoted.actor_id)
        rights = promoted.new_participant.admin_rights
        assert (True, False) == (rights.post_messages, rights.invite_users)
        assert owner.id == promoted.new_participant.promoted_by
        world.seat(channel, account, Role.BANNED, owner)
        removed = await seen.next()
        assert (account.id, owner.id) == (removed.user_id, removed.new_participant.kicked_by)
        with pytest.raises(ChannelPrivateError):
            await bot.send_message(peer(world, account, channel), "why?")
        world.seat(group, account, Role.MEMBER, owner)
        added = await seen.next()
        assert (group.id, None) == (added.chat_id, added.prev_participant)
        world.seat(group, account, Role.LEFT, owner)
        assert None is (await seen.next()).new_participant


async def test_posts_when_missed_come_by_the_channels_own_difference(world: World, dc: DataCentre) -> None:
    """A gap in the channel's pts makes a client ask; what it missed comes in order, in slices if many."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    world.seat(channel, user, Role.MEMBER)
    post = world.post_office.send
    async with connected(dc, user) as ada:
        seen = Seen(ada, events.NewMessage())
        await ada.get_me()
        post(account, channel, Draft("heard"))
        assert "heard" == (await seen.next()).raw_text
        listeners, world.listeners[:] = list(world.listeners), []
        post(account, channel, Draft("missed"))
        world.listeners[:] = listeners
        post(account, channel, Draft("heard again"))
        assert ["missed", "heard again"] == [(await seen.next()).raw_text for _ in range(2)]
        assert ["heard", "missed", "heard again"] == await _difference(world, ada, user, channel, limit=2)


async def _difference(world: World, client: Any, viewer: Account, channel: Any, limit: int) -> list[str]:
    """All that a channel's difference brings from its beginning."""
    pts, texts, final = 1, [], False
    while not final:
        place, whatever = peer(world, viewer, channel), types.ChannelMessagesFilterEmpty()
        request = functions.updates.GetChannelDifferenceRequest(place, whatever, pts, limit)
        answer = await client(request)
        texts += [message.message for message in answer.new_messages]
        pts, final = answer.pts, answer.final
    empty = await client(functions.updates.GetChannelDifferenceRequest(place, whatever, pts, limit))
    assert isinstance(empty, types.updates.ChannelDifferenceEmpty)
    return texts


async def test_channel_difference_when_too_much_was_missed_gives_the_newest_post(
    world: World, dc: DataCentre
) -> None:
    """Who is that far behind starts anew; a state of the future is refused."""
    account = world.add_bot()
    channel = world.add_channel("news", "News", [account])
    for number in range(3):
        sent = world.post_office.send(account, channel, Draft(str(number)))
    for _ in range(20_000):
        channel.box.record(LetterArrived(sent.letter), 1)
    place, whatever = peer(world, account, channel), types.ChannelMessagesFilterEmpty()
    async with connected(dc, account) as bot:
        answer = await bot(functions.updates.GetChannelDifferenceRequest(place, whatever, 1, 100))
        assert isinstance(answer, types.updates.ChannelDifferenceTooLong)
        assert ("2", channel.box.pts) == (answer.messages[0].message, answer.dialog.pts)
        with refused("PERSISTENT_TIMESTAMP_INVALID"):
            future = channel.box.pts + 1
            await bot(functions.updates.GetChannelDifferenceRequest(place, whatever, future, 100))


async def test_button_when_pressed_in_a_supergroup_tells_where(world: World, dc: DataCentre) -> None:
    """The bot learns chat and message, as it numbers them, and who pressed."""
    account, user = world.add_bot(), world.add_user("Ada")
    talk = world.add_channel("talk", "Talk", [account], broadcast=False)
    world.seat(talk, user, Role.MEMBER)
    async with connected(dc, account) as bot, connected(dc, user) as ada:

        async def pressed(event: Any) -> None:
            await event.answer(f"{event.sender_id} in {event.chat_id}")

        bot.add_event_handler(pressed, events.CallbackQuery())
        card = await bot.send_message(
            peer(world, account, talk), "choose", buttons=[[Button.inline("x", b"data")]]
        )
        request = functions.messages.GetBotCallbackAnswerRequest(
            peer(world, user, talk), card.id, data=b"data"
        )
        assert f"{user.id} in {talk.peer_id}" == (await ada(request)).message


async def test_posts_when_asked_for_by_number_are_given_with_gaps_marked(
    world: World, dc: DataCentre
) -> None:
    """Bots fetch by number; a private channel's posts are its members' only."""
    account, other = world.add_bot(), world.add_bot("other_bot")
    storage = world.add_channel(None, "Storage", [account])
    world.post_office.send(account, storage, Draft("kept"))
    async with connected(dc, account) as bot, connected(dc, other) as stranger:
        found = await bot.get_messages(peer(world, account, storage), ids=[1, 2])
        assert ["kept", None] == [message and message.raw_text for message in found]
        with refused("CHANNEL_PRIVATE"):
            await stranger.get_messages(peer(world, other, storage), ids=[1])
        with refused("BOT_METHOD_INVALID"):
            await bot.get_messages(peer(world, account, storage), limit=5)
