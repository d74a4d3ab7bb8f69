"""What is there again after a restart, also after one that nobody asked for."""

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon import Button, TelegramClient, events, functions, types
from telethon.crypto import rsa
from telethon.sessions import MemorySession

from sandbox import Account, Channel, DataCentre, Group, Ledger, Right, Role, World
from sandbox.people import API_HASH, API_ID, Person
from sandbox.world.invites import Invite
from sandbox.world.ledger import LedgerError
from sandbox.world.letters import Draft
from tests.sandbox.clients import client, connected, peer

PART = 512 * 1024


def opened(folder: Path) -> World:
    """The world of a folder."""
    return World(folder / "files", Ledger(folder / "world.sqlite"))


@asynccontextmanager
async def running(folder: Path, port: int = 0) -> AsyncIterator[DataCentre]:
    """A data centre over the world of a folder."""
    world = opened(folder)
    dc = DataCentre(world, folder / "dc.pem")
    await dc.start(port=port)
    rsa.add_key(dc.public_key_path.read_bytes(), old=False)
    try:
        yield dc
    finally:
        await dc.stop()
        world.close()


def test_world_when_opened_again_is_as_it_was(tmp_path: Path) -> None:
    """Accounts, chats, memberships, invites, messages, files' facts, hashes and sequences."""
    world = opened(tmp_path)
    account, user = world.add_bot(inline=True), world.add_user("Ada", premium=True, password="secret")
    channel = world.add_channel("news", "News", [account], by_request=True)
    group = world.add_group("Friends", [account, user])
    world.seat(channel, user, Role.ADMIN, account, rights=frozenset({Right.POST}))
    invite = Invite(account.id, 1_700_000_000, title="campaign", usage_limit=5, expires_at=4_000_000_000)
    world.chats.add_invite(channel, invite)
    world.seat(channel, world.add_user("Joan"), Role.MEMBER, invite=invite)
    world.ask_to_join(channel, world.add_user("Grace"), invite)
    account.commands[b"scope"] = [types.BotCommand("help", "How it works")]
    user.blocked.add(account.id)
    entities = (types.MessageEntityBold(0, 2),)
    markup = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([])])
    first = world.post_office.send(user, account, Draft("سلام", entities), 11)
    world.post_office.send(account, user, Draft("hi", markup=markup), 12, first.letter)
    gone = world.post_office.send(account, user, Draft("gone"), 13).letter
    world.post_office.delete([gone], user.id, for_all=True)
    world.post_office.send(account, channel, Draft("post"), 14)
    world.post_office.send(user, group, Draft("to all"), 15)
    before = _portrait(world)
    hashes = world.accounts.access_hash(account, "user", user.id)
    world.close()

    again = opened(tmp_path)
    assert before == _portrait(again)
    bot = again.accounts.get(account.id)
    assert bot is not None
    assert hashes == again.accounts.access_hash(bot, "user", user.id)
    question, letter = bot.box.letters[1], bot.box.letters[2]
    assert (question, "سلام", 11) == (letter.reply_to, question.draft.text, question.random_id)
    assert {12, 13, 14} == set(bot.sent)
    assert letter is bot.sent[12].letter
    found = again.chats.by_invite(invite.hash)
    assert found is not None
    assert (channel.id, 1, "campaign") == (found[0].id, found[1].usage, found[1].title)
    assert again.add_user("New").id not in {account.id for account in world.accounts}
    again.close()


class Life:
    """A world in which things happen, chosen by numbers, and which is opened again in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = opened(folder)
        bot = self.world.add_bot()
        people = [bot, self.world.add_user("Ada"), self.world.add_user("Grace")]
        self.world.add_channel("news", "News", [bot])
        self.world.add_group("Friends", people)

    def do(self, verb: str, who: int, what: int) -> None:
        """One thing, if it can be done."""
        world = self.world
        people = sorted(world.accounts, key=lambda account: account.id)
        person, other = people[who % 3], people[what % 3]
        letters = [person.box.letters[number] for number in sorted(person.box.letters)]
        news, group = self.places()
        letter = letters[what % len(letters)] if letters else None
        match verb:
            case "write":
                places: list[Account | Channel | Group] = [*people, news, group]
                world.post_office.send(person, places[what % 5], Draft(f"{who} {what}"), what, letter)
            case "edit" if letter is not None:
                world.post_office.edit(letter, Draft(f"edited {what}"), person)
            case "delete" if letter is not None:
                world.post_office.delete([letter], person.id, for_all=bool(who % 2))
            case "read":
                world.post_office.read(person, other.id, what)
            case "seat":
                world.seat(news if who % 2 else group, other, list(Role)[what % 5], person)
            case "ask" if not news.holds(other.id):
                world.ask_to_join(news, other)
            case "answer":
                world.answer_request(news, other, person, let_in=bool(what % 2))
            case "reopen":
                self.reopen()

    def places(self) -> tuple[Channel, Group]:
        """The channel and the group that there are."""
        news = self.world.resolve("news")
        assert isinstance(news, Channel)
        return news, next(chat for chat in self.world.chats if isinstance(chat, Group))

    def reopen(self) -> None:
        """A restart: everything is as it was."""
        before = _portrait(self.world)
        self.world.close()
        self.world = opened(self.folder)
        assert before == _portrait(self.world)


VERBS = ["write", "write", "write", "edit", "delete", "read", "seat", "ask", "answer", "reopen"]


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 99), st.integers(1, 99)), max_size=40))
def test_world_when_anything_happened_is_the_same_after_every_restart(
    steps: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is written, changed, deleted, read, joined or asked, in any order."""
    life = Life(tmp_path_factory.mktemp("life"))
    for verb, who, what in steps:
        life.do(verb, who, what)
    life.reopen()
    life.world.close()


def _portrait(world: World) -> Any:
    """Everything of a world that can be compared."""
    accounts = sorted(world.accounts, key=lambda account: account.id)
    boxes: list[Account | Channel] = [*accounts, *(chat for chat in world.chats if isinstance(chat, Channel))]
    return {
        "accounts": [
            (
                (a.id, a.first_name, a.username, a.phone, a.token, a.premium, a.password, a.inline),
                (a.heard_from, a.blocked, a.read_up_to, a.open_until, set(a.sent)),
                [(shelf, list(map(bytes, commands))) for shelf, commands in a.commands.items()],
            )
            for a in accounts
        ],
        "chats": [
            (
                (c.peer_id, c.title, c.members, c.requests, vars(c).get("username")),
                {secret: vars(invite) for secret, invite in c.invites.items()},
            )
            for c in sorted(world.chats, key=lambda chat: chat.peer_id)
        ],
        "boxes": [
            (
                owner.peer_id,
                (owner.box.pts, owner.box.qts, owner.box.last_message_id, owner.box.logged),
                {n: (x.draft.text, x.draft.same_as(x.draft), x.ids) for n, x in owner.box.letters.items()},
                [(entry.pts, entry.pts_count, entry.qts) for entry in owner.box.log],
            )
            for owner in boxes
        ],
    }


async def test_client_when_the_data_centre_was_away_goes_on_with_its_key(tmp_path: Path) -> None:
    """No new login: the key is known, what came meanwhile is missed and caught up, files are there."""
    content = os.urandom(PART + 7)
    session = MemorySession()
    async with running(tmp_path) as dc:
        port, world = dc.port, dc.world
        account, user = world.add_bot(), world.add_user("Ada")
        bot = client(dc)
        async with await bot.start(bot_token=account.token):
            session.set_dc(dc.id, dc.host, port)
            session.auth_key = bot.session.auth_key
            async with Person.connect(dc, user) as ada:
                await ada.send("hi")
                await bot.send_file(peer(world, account, user), content, force_document=True, caption="kept")
            session.set_update_state(0, await bot(functions.updates.GetStateRequest()))
    async with running(tmp_path, port) as dc:
        user_again, bot_again = dc.world.accounts.get(user.id), dc.world.accounts.get(account.id)
        assert user_again is not None
        assert bot_again is not None
        async with Person.connect(dc, user_again) as ada:
            await ada.send("while you were away")
            (message,) = await ada.client.get_messages(ada.bot, limit=1, offset_id=3)
            saved = await ada.save(message)
            assert (len(content), hashlib.sha256(content).hexdigest()) == saved
            back = TelegramClient(session, API_ID, API_HASH, catch_up=True)
            heard: asyncio.Queue[Any] = asyncio.Queue()
            back.add_event_handler(heard.put, events.NewMessage(incoming=True))
            await back.connect()
            event = await asyncio.wait_for(heard.get(), 10)
            assert "while you were away" == event.raw_text
            await event.respond("back", buttons=[[Button.inline("x", b"data")]])
            await ada.expect("back")
            await back.disconnect()


async def test_upload_when_interrupted_by_a_restart_goes_on(tmp_path: Path) -> None:
    """Parts that were acknowledged need not come again; what belongs to nothing is cleared away."""
    content = os.urandom(2 * PART + 5)
    parts = [content[at : at + PART] for at in range(0, len(content), PART)]

    async def save(bot: Any, *numbers: int) -> None:
        for number in numbers:
            part = functions.upload.SaveBigFilePartRequest(5, number, len(parts), parts[number])
            assert await bot(part)

    async with running(tmp_path) as dc:
        account, user = dc.world.add_bot(), dc.world.add_user("Ada")
        dc.world.post_office.send(user, account, Draft("hi"))
        async with connected(dc, account) as bot:
            key = bot.session.auth_key
            await save(bot, 2, 0)
    (tmp_path / "files" / "left over").write_bytes(b"x")
    async with running(tmp_path) as dc:
        session = MemorySession()
        session.set_dc(dc.id, dc.host, dc.port)
        session.auth_key = key
        again = TelegramClient(session, API_ID, API_HASH)
        await again.connect()
        await save(again, 1)
        file = types.InputFileBig(5, len(parts), "x")
        media = types.InputMediaUploadedDocument(file, "text/plain", [])
        to = peer(dc.world, account, user)
        sent = await again(functions.messages.SendMediaRequest(to, media, ""))
        assert content == await again.download_media(sent.updates[-1].message, bytes)
        await again.disconnect()
        assert 1 == len(list((tmp_path / "files").iterdir()))


async def _program(folder: Path, *arguments: str) -> tuple[asyncio.subprocess.Process, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--json", "--no-control"),
        *("--state", str(folder), "--key", str(folder / "dc.pem"), *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return process, json.loads(await process.stdout.readline())


async def test_program_when_killed_has_kept_all_that_it_answered(tmp_path: Path) -> None:
    """kill -9 in the middle of a stream of messages: the same key, and every message that was answered."""
    process, facts = await _program(tmp_path)
    rsa.add_key((tmp_path / "dc.pem.pub").read_bytes(), old=False)
    session = MemorySession()
    session.set_dc(facts["dc_id"], facts["host"], facts["port"])
    answered = []
    ada = TelegramClient(session, API_ID, API_HASH, connection_retries=0, auto_reconnect=False)
    await ada.connect()
    await ada.send_code_request(facts["user"]["phone"])
    await ada.sign_in(facts["user"]["phone"], facts["user"]["code"])

    async def write() -> None:
        for number in range(10_000):
            answered.append((await ada.send_message(facts["bot_username"], str(number))).id)
            if number == 40:
                process.send_signal(signal.SIGKILL)

    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await write()
    assert -signal.SIGKILL == await process.wait()
    await ada.disconnect()

    process, facts = await _program(tmp_path)
    session.set_dc(facts["dc_id"], facts["host"], facts["port"])
    back = TelegramClient(session, API_ID, API_HASH)
    async with back:
        assert facts["user"]["id"] == (await back.get_me()).id
        kept = await back.get_messages(facts["bot_username"], ids=answered)
        assert list(map(str, range(len(answered)))) == [message.raw_text for message in kept]
        assert len(answered) > 40
    process.terminate()
    assert 0 == await process.wait()


def test_state_when_in_use_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Two sandboxes on one folder would write over each other; a foreign file is not touched."""
    world = opened(tmp_path)
    with pytest.raises(LedgerError, match="another sandbox"):
        Ledger(tmp_path / "world.sqlite")
    world.close()
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"no database at all, but long enough to be read as one" * 9)
    with pytest.raises(LedgerError, match="no state"):
        Ledger(other)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(LedgerError, match="another version"):
        Ledger(newer)
