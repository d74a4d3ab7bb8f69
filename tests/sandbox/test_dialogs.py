"""The list of chats, what is to be known of one, and what an application of people asks for besides."""

from inspect import signature
from typing import Any

import pytest
from telethon import functions, types

from sandbox import Account, DataCentre, Role, World, tl
from sandbox.rpc.nothing import EMPTY
from sandbox.serve import cast
from sandbox.world.letters import Draft
from tests.sandbox.clients import connected, peer, refused


def _chats(world: World, user: Account, count: int) -> list[str]:
    """So many people write to a user, a second after each other; their names, the newest first."""
    names = [f"Person {number}" for number in range(count)]
    for name in names:
        world.post_office.send(world.add_user(name), user, Draft("hello"))
        world.clock.skip(1)
    return names[::-1]


async def test_dialogs_when_there_are_many_come_in_pages_newest_first(world: World, dc: DataCentre) -> None:
    """150 chats are two pages, each chat once; a channel stands where its last post does."""
    account, user = world.add_bot(), world.add_user("Ada")
    names = _chats(world, user, 150)
    channel = world.add_channel("news", "News", [account])
    world.seat(channel, user, Role.MEMBER)
    world.post_office.send(account, channel, Draft("one"))
    async with connected(dc, user) as ada:
        dialogs = [dialog async for dialog in ada.iter_dialogs()]
        assert ["News", *names] == [dialog.name for dialog in dialogs]
        assert ["one", "hello"] == [dialog.message.message for dialog in dialogs[:2]]
        assert [] == await ada.get_dialogs(folder=1)
        older = await ada.get_dialogs(offset_date=dialogs[-1].date)
        assert [] == older
        # TDLib asks for what is behind a chat without an access hash
        last = types.InputPeerChannel(channel.id, access_hash=0)
        behind = await ada(functions.messages.GetDialogsRequest(None, 0, last, limit=1, hash=0))
        assert [names[0]] == [one.first_name for one in behind.users if one.id != user.id]
    assert 5 == world.stats.calls["messages.getDialogs"]


async def test_dialog_when_something_is_unread_says_how_much_and_up_to_where(
    world: World, dc: DataCentre
) -> None:
    """Both sides: what Ada has not read of Ben's, and how far Ben has read what Ada wrote."""
    user, other = world.add_user("Ada"), world.add_user("Ben")
    for sender, to in ((user, other), (other, user), (user, other), (other, user), (other, user)):
        world.post_office.send(sender, to, Draft("hello"))
    async with connected(dc, user) as ada, connected(dc, other) as ben:
        await ada.send_read_acknowledge(peer(world, user, other), max_id=2)
        await ben.send_read_acknowledge(peer(world, other, user), max_id=1)
        (dialog,) = [one.dialog for one in await ada.get_dialogs()]
        assert (5, 2, 2) == (dialog.top_message, dialog.read_inbox_max_id, dialog.unread_count)
        assert 1 == dialog.read_outbox_max_id


async def test_dialogs_when_asked_by_name_are_there_also_if_nothing_was_written(
    world: World, dc: DataCentre
) -> None:
    """TDLib asks so for each chat that it opens; with them comes where the account stands."""
    user, other = world.add_user("Ada"), world.add_user("Ben")
    async with connected(dc, user) as ada:
        named = types.InputDialogPeer(peer(world, user, other))
        found = await ada(functions.messages.GetPeerDialogsRequest([named]))
        assert [(types.PeerUser(other.id), 0)] == [(one.peer, one.top_message) for one in found.dialogs]
        assert {"Ada", "Ben"} == {one.first_name for one in found.users}
        assert user.box.pts == found.state.pts
        pinned = await ada(functions.messages.GetPinnedDialogsRequest(0))
        assert ([], user.box.pts) == (pinned.dialogs, pinned.state.pts)
        with refused("PEER_ID_INVALID"):
            await ada(functions.messages.GetPeerDialogsRequest([]))


async def test_chat_when_asked_for_in_full_says_who_is_in_it(world: World, dc: DataCentre) -> None:
    """How many are in a channel all are told, how many admins it has its admins; a group tells who."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("news", "News", [account])
    group = world.add_group("Band", [account, user])
    world.seat(channel, user, Role.MEMBER)
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        for client, viewer, admins in ((bot, account, 1), (ada, user, None)):
            place = peer(world, viewer, channel)
            full = (await client(functions.channels.GetFullChannelRequest(place))).full_chat
            assert (2, admins) == (full.participants_count, full.admins_count)
            chat = await client(functions.messages.GetFullChatRequest(group.id))
            inside = chat.full_chat.participants.participants
            assert [account.id, user.id] == [one.user_id for one in inside]
            assert {account.id, user.id} == {one.id for one in chat.users}


async def test_dialog_of_a_channel_when_the_program_made_it_has_a_message(
    world: World, dc: DataCentre
) -> None:
    """GramJS lists no chat without one: it fails, and lists none at all."""
    players = cast(world)
    world.seat(players.channel, players.user, Role.MEMBER)
    async with connected(dc, players.user) as ada:
        (dialog,) = await ada.get_dialogs()
        assert ("The Sponsor", 1) == (dialog.name, dialog.message.id)


async def test_config_when_asked_for_has_no_number_that_is_nothing(world: World, dc: DataCentre) -> None:
    """Clients take these for limits and periods: TDLib says that 0 is wrong, and asks again at once."""
    async with connected(dc, world.add_bot()) as bot:
        config = vars(await bot(functions.help.GetConfigRequest()))
    numbers = {name: value for name, value in config.items() if type(value) is int}
    assert len(numbers) > 20
    assert {} == {name: value for name, value in numbers.items() if value <= 0}


@pytest.mark.parametrize("empty", [rpc.request for rpc in EMPTY], ids=[rpc.name for rpc in EMPTY])
async def test_call_when_there_is_nothing_of_the_kind_is_answered_so(
    world: World, dc: DataCentre, empty: Any
) -> None:
    """An application that is refused says so in its log, or asks again."""
    given = {"peer": types.InputNotifyUsers()}
    asked = tl.filled(empty, **{name: given[name] for name in signature(empty).parameters if name in given})
    async with connected(dc, world.add_user("Ada")) as ada:
        answer = await ada(asked)
    assert not any(value for value in vars(answer).values() if value)


async def test_calls_when_an_application_starts_are_answered(world: World, dc: DataCentre) -> None:
    """What is asked besides, and has something in its answer."""
    user = world.add_user("Ada")
    async with connected(dc, user) as ada:
        myself, messages = types.InputPeerSelf(), functions.messages
        assert [] == (await ada(functions.help.GetAppConfigRequest(0))).config.value
        (folder,) = (await ada(messages.GetDialogFiltersRequest())).filters
        assert isinstance(folder, types.DialogFilterDefault)
        assert [] == (await ada(functions.stories.GetPeerStoriesRequest(myself))).stories.stories
        assert not any(vars((await ada(messages.GetPeerSettingsRequest(myself))).settings).values())
        assert (await ada(functions.account.GetReactionsNotifySettingsRequest())).show_previews
        for request in (functions.help.GetPromoDataRequest, functions.help.GetTermsOfServiceUpdateRequest):
            assert (await ada(request())).expires.timestamp() > world.clock.now()
        with refused("STICKERSET_INVALID"):
            await ada(messages.GetStickerSetRequest(types.InputStickerSetAnimatedEmoji(), 0))
