"""Scripted people: what they look at, what they say when it does not come, what they save."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from telethon import Button, events, functions

from sandbox import DataCentre, World
from sandbox.buttons import channel_of_link, invite_of_link
from sandbox.people import NotSeen, Person, Pressed, crowd
from tests.sandbox.clients import connected, peer


async def test_person_when_expecting_looks_at_what_is_new_only(world: World, dc: DataCentre) -> None:
    """Messages and edits count; what was passed over is not seen again; a miss says what came."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        for text in ("one", "two"):
            message = await bot.send_message(user.id, text)
        await bot.edit_message(user.id, message.id, "three")
        assert "two" == (await ada.expect(re.compile("^t.o$"))).raw_text
        assert "three" == (await ada.expect("hree")).raw_text
        with pytest.raises(NotSeen, match="expected text 'one'"):
            await ada.expect("one", timeout_s=0.05)


async def test_person_when_pressing_what_is_not_there_is_told(world: World, dc: DataCentre) -> None:
    """By label, data or number; the labels that there are stand in the error."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        await bot.send_message(user.id, "choose", buttons=[[Button.url("Site", "https://example.org")]])
        card = await ada.expect("choose")
        for wanted in ("Nothing", b"nothing", 1):
            with pytest.raises(LookupError, match="Site"):
                await ada.press(card, wanted)
        assert "https://example.org" == (await ada.press(card, 0)).url


async def test_person_when_saving_over_a_file_does_not(world: World, dc: DataCentre, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        await ada.send("hi")
        await bot.send_file(user.id, b"content", force_document=True)
        message = await ada.expect_file()
        path = tmp_path / "file"
        assert 7 == (await ada.save(message, path))[0]
        path.write_bytes(b"mine")
        with pytest.raises(FileExistsError):
            await ada.save(message, path)
        assert b"mine" == path.read_bytes()


@pytest.mark.parametrize(
    ("url", "username"),
    [
        ("https://t.me/sponsor", "sponsor"),
        ("http://t.me/sponsor/", "sponsor"),
        ("https://t.me/+AbCdEf", None),
        ("https://t.me/sponsor/12", None),
        ("https://example.org/sponsor", None),
    ],
)
def test_link_when_it_names_a_channel_gives_its_username(url: str, username: Any) -> None:
    """Only plain links to a public name."""
    assert username == channel_of_link(url)


@pytest.mark.parametrize(
    ("url", "invite"),
    [
        ("https://t.me/+AbCdEf-_12", "AbCdEf-_12"),
        ("t.me/joinchat/AbCdEf12", "AbCdEf12"),
        ("https://t.me/sponsor", None),
        ("https://t.me/+short", None),
    ],
)
def test_link_when_it_is_an_invite_gives_its_secret(url: str, invite: Any) -> None:
    """Both forms that there are."""
    assert invite == invite_of_link(url)


async def test_person_when_pressing_an_invite_joins_or_waits(world: World, dc: DataCentre) -> None:
    """A button with a private channel's link is joined as a public one; with a request it stays a link."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel, club = world.add_channel(None, "Private", [account]), world.add_channel(None, "Club", [account])
    links = []
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        for chat, by_request in ((channel, False), (club, True)):
            export = functions.messages.ExportChatInviteRequest(
                peer(world, account, chat), request_needed=by_request
            )
            links.append((await bot(export)).link)
        await ada.send("hi")
        await bot.send_message(user.id, "join", buttons=[[Button.url("Join", link)] for link in links])
        card = await ada.expect("join")
        assert Pressed(joined=links[0]) == await ada.press(card, 0)
        assert Pressed(url=links[1]) == await ada.press(card, 1)
        assert (True, False) == (channel.holds(user.id), club.holds(user.id))


async def test_crowd_when_large_talks_all_at_once(
    world: World, dc: DataCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred people in one process, each in a chat of their own; nobody exchanges keys first."""
    monkeypatch.delattr("sandbox.mtproto.handshake.Handshake.answer")
    account = world.add_bot()
    async with connected(dc, account) as bot:

        async def greet(event: Any) -> None:
            await event.respond(f"Hello {event.sender_id}")

        bot.add_event_handler(greet, events.NewMessage(incoming=True))
        await bot.get_me()
        async with crowd(dc, [world.add_user(f"Person {number}") for number in range(100)]) as people:

            async def talk(person: Person) -> str:
                await person.send("/start")
                return str((await person.expect("Hello", 60)).raw_text)

            answers = await asyncio.gather(*map(talk, people))
            assert [f"Hello {person.id}" for person in people] == answers
