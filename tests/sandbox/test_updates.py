"""What reaches whom: pushes, and what was missed."""

from typing import Any

import pytest
from telethon import Button, TelegramClient, events, functions, types
from telethon.sessions import MemorySession

from sandbox import DataCentre, Role, World
from sandbox.people import API_HASH, API_ID, Person
from sandbox.world.box import Box
from sandbox.world.events import LettersDeleted
from sandbox.world.letters import Draft
from tests.sandbox.clients import Seen, connected, refused


async def test_messages_when_the_bot_was_away_are_caught_up(world: World, dc: DataCentre) -> None:
    """A client with a saved state gets them by getDifference, able to answer their sender."""
    account, user = world.add_bot(), world.add_user("Ada")
    session = MemorySession()
    session.set_dc(dc.id, dc.host, dc.port)
    async with connected(dc, account) as bot:
        session.auth_key = bot.session.auth_key
        session.set_update_state(0, await bot(functions.updates.GetStateRequest()))
    async with Person.connect(dc, user) as ada:
        await ada.send("while you were away")
        back = TelegramClient(session, API_ID, API_HASH, catch_up=True)
        seen = Seen(back, events.NewMessage(incoming=True))
        await back.connect()
        event = await seen.next()
        assert "while you were away" == event.raw_text
        await event.respond("back")
        await ada.expect("back")
        await back.disconnect()


async def test_difference_when_long_comes_in_slices_and_at_last_is_empty(
    world: World, dc: DataCentre
) -> None:
    """1,100 messages in three answers, each message once."""
    account, user = world.add_bot(), world.add_user("Ada")
    for number in range(1100):
        world.post_office.send(user, account, Draft(str(number)), number + 1, None)
    async with connected(dc, account) as bot:
        pts, texts = 1, []
        while True:
            answer = await bot(functions.updates.GetDifferenceRequest(pts, 0, 1))
            if isinstance(answer, types.updates.DifferenceEmpty):
                break
            texts += [message.message for message in answer.new_messages]
            pts = (getattr(answer, "intermediate_state", None) or answer.state).pts
        assert [str(number) for number in range(1100)] == texts
        with refused("PERSISTENT_TIMESTAMP_INVALID"):
            await bot(functions.updates.GetDifferenceRequest(pts + 1, 0, 1))


def test_difference_when_too_long_is_not_given() -> None:
    """What the log has forgotten is known to be forgotten."""
    box = Box(7)
    for number in range(30_000):
        box.record(LettersDeleted((number,)), 1)
    assert box.since(1, 1) is None
    newest = box.since(box.pts - 10, 1)
    assert newest is not None
    assert 10 == len(newest)


async def test_membership_when_it_changes_is_told_to_admin_bots(world: World, dc: DataCentre) -> None:
    """Joining, leaving and being banned, with who it was and what they were before."""
    account, other, user = world.add_bot(), world.add_bot("other_bot"), world.add_user("Ada")
    channel = world.add_channel("sponsor", "Sponsor", [account])
    async with (
        connected(dc, account) as bot,
        connected(dc, other) as stranger,
        Person.connect(dc, user) as ada,
    ):
        seen = Seen(bot, events.Raw(types.UpdateChannelParticipant))
        unseen = Seen(stranger, events.Raw())
        await bot.get_me()
        await ada.join("sponsor")
        joined = await seen.next()
        assert (channel.id, user.id, None) == (joined.channel_id, joined.user_id, joined.prev_participant)
        assert isinstance(joined.new_participant, types.ChannelParticipant)
        await ada.leave("sponsor")
        left = await seen.next()
        assert isinstance(left.prev_participant, types.ChannelParticipant)
        assert isinstance(left.new_participant, types.ChannelParticipantLeft)
        assert joined.qts + 1 == left.qts
        world.seat(channel, user, Role.BANNED)
        banned = await seen.next()
        assert isinstance(banned.new_participant, types.ChannelParticipantBanned)
        world.seat(channel, account, Role.LEFT)
        assert account.id == (await seen.next()).user_id
        assert 0 == unseen.waiting


async def test_membership_when_asked_for_is_told_to_admins_only(world: World, dc: DataCentre) -> None:
    """USER_NOT_PARTICIPANT, CHAT_ADMIN_REQUIRED, CHANNEL_PRIVATE and the rest, each in its place."""
    account, other, user = world.add_bot(), world.add_bot("other_bot"), world.add_user("Ada")
    channel = world.add_channel("sponsor", "Sponsor", [account])

    async def ask(bot: Any, viewer: Any, of: Any, wrong: int = 0) -> Any:
        place = types.InputChannel(channel.id, world.accounts.access_hash(viewer, "channel", channel.id))
        whom = types.InputPeerUser(of.id, world.accounts.access_hash(viewer, "user", of.id) ^ wrong)
        return (await bot(functions.channels.GetParticipantRequest(place, whom))).participant

    async with connected(dc, account) as bot, connected(dc, other) as stranger:
        with refused("USER_NOT_PARTICIPANT"):
            await ask(bot, account, user)
        world.seat(channel, user, Role.MEMBER)
        assert user.id == (await ask(bot, account, user)).user_id
        assert isinstance(await ask(bot, account, account), types.ChannelParticipantAdmin)
        with refused("CHAT_ADMIN_REQUIRED"):
            await ask(stranger, other, user)
        with refused("PARTICIPANT_ID_INVALID"):
            await ask(bot, account, user, wrong=1)
        world.seat(channel, user, Role.LEFT)
        with refused("USER_NOT_PARTICIPANT"):
            await ask(bot, account, user)
        world.seat(channel, account, Role.BANNED)
        with refused("CHANNEL_PRIVATE"):
            await ask(bot, account, user)


async def test_button_when_the_bot_does_not_answer_times_out(
    world: World, dc: DataCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is told; an answer after that is too late; what is no button's data is refused."""
    monkeypatch.setattr("sandbox.world.questions.ANSWER_S", 0.05)
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        seen = Seen(bot, events.CallbackQuery())
        await ada.send("hi")
        await bot.send_message(user.id, "choose", buttons=[[Button.inline("x", b"data")]])
        card = await ada.expect("choose")
        with refused("BOT_RESPONSE_TIMEOUT"):
            await ada.press(card, "x")
        event = await seen.next()
        assert (b"data", user.id) == (event.data, event.sender_id)
        answer = functions.messages.SetBotCallbackAnswerRequest
        with refused("QUERY_ID_INVALID"):
            await bot(answer(event.query.query_id, 0, message="late"))
        with refused("MESSAGE_TOO_LONG"):
            await bot(answer(event.query.query_id, 0, message="a" * 201))
        with refused("DATA_INVALID"):
            await ada.client(functions.messages.GetBotCallbackAnswerRequest(ada.bot, card.id, data=b"other"))


async def test_updates_when_a_session_wants_none_are_not_pushed_to_it(world: World, dc: DataCentre) -> None:
    """invokeWithoutUpdates, and sessions that only uploaded: silence; the others hear."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with (
        connected(dc, account) as bot,
        connected(dc, account, receive_updates=False) as quiet,
        Person.connect(dc, user) as ada,
    ):
        heard, unheard = Seen(bot, events.NewMessage()), Seen(quiet, events.Raw())
        await quiet.get_me()
        await ada.send("hi")
        assert "hi" == (await heard.next()).raw_text
        await quiet.get_me()
        assert 0 == unheard.waiting
