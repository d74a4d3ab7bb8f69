"""Invite links: what they cost to make, how they end, and the requests that some make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telethon import events, functions, types

from sandbox import Account, Channel, DataCentre, Right, Role, World
from sandbox.people import Person
from tests.sandbox.clients import Seen, connected, peer, refused


@dataclass
class Door:
    """A private channel with a bot as its admin, and a person outside."""

    world: World
    account: Account
    channel: Channel
    bot: Any
    user: Account
    ada: Person

    async def link(self, **terms: Any) -> Any:
        """A new link by the bot."""
        request = functions.messages.ExportChatInviteRequest(self.place, **terms)
        return await self.bot(request)

    @property
    def place(self) -> Any:
        """The channel as the bot names it."""
        return peer(self.world, self.account, self.channel)

    async def enter(self, invite: Any, person: Any = None) -> Any:
        """Join by a link as raw as it gets."""
        secret = invite.link.removeprefix("https://t.me/+")
        return await (person or self.ada.client)(functions.messages.ImportChatInviteRequest(secret))


@asynccontextmanager
async def door(world: World, dc: DataCentre) -> AsyncIterator[Door]:
    """Everybody connected."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel(None, "Private sponsor", [account])
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await bot.get_me()
        yield Door(world, account, channel, bot, user, ada)


async def test_link_when_used_lets_in_and_is_named_in_the_update(world: World, dc: DataCentre) -> None:
    """The admin bot learns by which link somebody came: that is how a sponsor counts."""
    async with door(world, dc) as place:
        seen = Seen(place.bot, events.Raw(types.UpdateChannelParticipant))
        invite = await place.link(title="campaign one")
        check = functions.messages.CheckChatInviteRequest(invite.link.removeprefix("https://t.me/+"))
        shown = await place.ada.client(check)
        assert ("Private sponsor", 1, True) == (shown.title, shown.participants_count, shown.broadcast)
        await place.enter(invite)
        joined = await seen.next()
        assert (place.user.id, invite.link) == (joined.user_id, joined.invite.link)
        assert ("campaign one", 1) == (joined.invite.title, joined.invite.usage)
        assert isinstance(await place.ada.client(check), types.ChatInviteAlready)
        with refused("USER_ALREADY_PARTICIPANT"):
            await place.enter(invite)
        (known,) = await place.ada.client.get_messages(joined.channel_id, ids=[1])
        assert None is known


async def test_link_when_over_lets_nobody_in(world: World, dc: DataCentre) -> None:
    """By time, by use, by being revoked; and banned people by no link at all."""
    async with door(world, dc) as place:
        soon = datetime.now(UTC) + timedelta(hours=1)
        timed, once = await place.link(expire_date=soon), await place.link(usage_limit=1)
        recalled = await place.link(title="x")
        await place.bot(
            functions.messages.EditExportedChatInviteRequest(place.place, recalled.link, revoked=True)
        )
        world.clock.skip(3601)
        async with connected(dc, world.add_user("Grace")) as grace:
            await place.enter(once, grace)
        for invite in (timed, once, recalled):
            with refused("INVITE_HASH_EXPIRED"):
                await place.enter(invite)
        good = await place.link(title="y")
        world.seat(place.channel, place.user, Role.BANNED)
        with refused("INVITE_HASH_EXPIRED"):
            await place.enter(good)
        for secret, error in (("", "EMPTY"), ("nonsense", "INVALID")):
            with refused(f"INVITE_HASH_{error}"):
                await place.ada.client(functions.messages.ImportChatInviteRequest(secret))


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"expire_date": datetime(2020, 1, 1, tzinfo=UTC)}, "EXPIRE_DATE_INVALID"),
        ({"usage_limit": 100_000}, "USAGE_LIMIT_INVALID"),
        ({"usage_limit": 5, "request_needed": True}, "USAGE_LIMIT_INVALID"),
    ],
    ids=["in the past", "too many", "both"],
)
async def test_link_when_its_terms_are_impossible_is_refused(
    world: World, dc: DataCentre, terms: Any, error: str
) -> None:
    """Each rule with its name."""
    async with door(world, dc) as place:
        with refused(error):
            await place.link(**terms)


async def test_link_when_asked_for_without_the_right_is_refused(world: World, dc: DataCentre) -> None:
    """Admins who may not invite, and people of the channel."""
    async with door(world, dc) as place:
        world.seat(place.channel, place.account, Role.ADMIN, rights=frozenset({Right.POST}))
        with refused("CHAT_ADMIN_REQUIRED"):
            await place.link()


async def test_permanent_link_when_made_anew_replaces_the_one_before(world: World, dc: DataCentre) -> None:
    """Without conditions there is one link an admin."""
    async with door(world, dc) as place:
        first, second = await place.link(), await place.link()
        assert (True, True) == (first.permanent, second.permanent)
        with refused("INVITE_HASH_EXPIRED"):
            await place.enter(first)
        await place.enter(second)


async def test_request_when_made_waits_for_the_bots_word(world: World, dc: DataCentre) -> None:
    """The bot is told, may write for five minutes, and lets in; the link stands in both updates."""
    async with door(world, dc) as place:
        asked = Seen(place.bot, events.Raw(types.UpdateBotChatInviteRequester))
        joined = Seen(place.bot, events.Raw(types.UpdateChannelParticipant))
        invite = await place.link(request_needed=True, title="campaign")
        for _ in range(2):
            with refused("INVITE_REQUEST_SENT"):
                await place.enter(invite)
        update = await asked.next()
        assert (place.user.id, place.channel.id) == (update.user_id, update.peer.channel_id)
        assert invite.link == update.invite.link
        assert not place.channel.holds(place.user.id)
        await place.bot.send_message(place.user.id, "Welcome, wait a moment")
        await place.ada.expect("Welcome")
        world.clock.skip(301)
        with refused("PEER_ID_INVALID"):
            await place.bot.send_message(place.user.id, "Still here?")
        who = types.InputUser(place.user.id, peer(world, place.account, place.user).access_hash)
        let_in = functions.messages.HideChatJoinRequestRequest(place.place, who, approved=True)
        await place.bot(let_in)
        entered = await joined.next()
        assert (place.user.id, invite.link) == (entered.user_id, entered.invite.link)
        assert place.account.id == entered.actor_id
        with refused("USER_ALREADY_PARTICIPANT"):
            await place.bot(let_in)
        assert 0 == asked.waiting


async def test_request_when_dismissed_leaves_the_person_outside_and_may_be_made_again(
    world: World, dc: DataCentre
) -> None:
    """A public channel that wants requests says so, and its updates name no link."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("club", "Club", [account], by_request=True)
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        asked = Seen(bot, events.Raw(types.UpdateBotChatInviteRequester))
        await bot.get_me()
        who = types.InputUser(user.id, peer(world, account, user).access_hash)
        dismiss = functions.messages.HideChatJoinRequestRequest(
            peer(world, account, channel), who, approved=False
        )
        with refused("HIDE_REQUESTER_MISSING"):
            await bot(dismiss)
        for _ in range(2):
            with refused("INVITE_REQUEST_SENT"):
                await ada.client(functions.channels.JoinChannelRequest("club"))
            assert isinstance((await asked.next()).invite, types.ChatInvitePublicJoinRequests)
            await bot(dismiss)
        assert not channel.holds(user.id)


async def test_link_into_a_group_when_used_lets_in_and_is_named_in_the_update(
    world: World, dc: DataCentre
) -> None:
    """Basic groups have links, too."""
    account, user = world.add_bot(), world.add_user("Ada")
    group = world.add_group("Friends")
    world.seat(group, account, Role.ADMIN)
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        seen = Seen(bot, events.Raw(types.UpdateChatParticipant))
        export = functions.messages.ExportChatInviteRequest(peer(world, account, group), title="one")
        invite = await bot(export)
        assert await ada.join(invite.link)
        joined = await seen.next()
        assert (user.id, group.id, invite.link) == (joined.user_id, joined.chat_id, joined.invite.link)
        assert group.holds(user.id)
