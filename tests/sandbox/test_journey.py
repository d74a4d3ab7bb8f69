"""The journey of a bot and a person, by an unmodified Telethon, over each transport."""

import hashlib
import io
import os
from typing import Any

import pytest
from telethon import Button, events
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.network.connection.tcpintermediate import IntermediatePacketCodec

from sandbox import DataCentre, World
from sandbox.people import Person, Place
from tests.sandbox.clients import client, connected

KIB = 1024
PART = 512 * KIB


class PaddedCodec(IntermediatePacketCodec):
    """Up to 15 bytes behind each packet, as is specified: Telethon's own knows 3 at most."""

    tag = b"\xdd" * 4

    def encode_packet(self, data: bytes) -> Any:
        return super().encode_packet(data + os.urandom(os.urandom(1)[0] % 16))

    async def read_packet(self, reader: Any) -> Any:
        packet = await super().read_packet(reader)
        is_plain = packet[:8] == bytes(8)
        return packet if is_plain else packet[: 24 + (len(packet) - 24) // 16 * 16]


class ConnectionTcpPadded(ConnectionTcpIntermediate):
    packet_codec = PaddedCodec


def _host(bot: Any) -> None:
    """A bot that greets, answers a button with an alert and an edit, and sends a file."""

    async def greet(event: Any) -> None:
        await event.respond("Hello", buttons=[[Button.inline("Press me", b"go")]])

    async def pressed(event: Any) -> None:
        await event.answer("Well done", alert=True)
        await event.edit("Pressed")

    bot.add_event_handler(greet, events.NewMessage(incoming=True))
    bot.add_event_handler(pressed, events.CallbackQuery())


@pytest.mark.parametrize(
    ("transport", "size"),
    [
        (ConnectionTcpFull, PART + 1),
        (ConnectionTcpAbridged, PART + 1),
        (ConnectionTcpIntermediate, PART + 1),
        (ConnectionTcpPadded, PART + 1),
        # Telethon's cipher is of pure Python
        (ConnectionTcpObfuscated, KIB + 1),
    ],
)
async def test_journey_when_travelled_over_a_transport_arrives(
    world: World, dc: DataCentre, transport: Any, size: int
) -> None:
    """Key exchange, login by token, greeting, button, alert, edit, file, equal digests."""
    account, user = world.add_bot(), world.add_user("Ada")
    content = os.urandom(size)
    bot = client(dc, connection=transport)
    _host(bot)
    async with await bot.start(bot_token=account.token), Person.connect(dc, user) as ada:
        await ada.send("/start")
        card = await ada.expect("Hello")
        pressed = await ada.press(card, "Press me")
        assert ("Well done", True) == (pressed.text, pressed.alert)
        assert card.id == (await ada.expect("Pressed")).id
        await bot.send_file(user.id, io.BytesIO(content), force_document=True)
        saved = await ada.save(await ada.expect_file())
        assert (len(content), hashlib.sha256(content).hexdigest()) == saved


async def test_person_when_only_the_address_is_known_logs_in_with_a_code(
    world: World, dc: DataCentre
) -> None:
    """The whole way: exchange of keys, sendCode, signIn; a phone nobody had before is a new user's."""
    account = world.add_bot()
    place = Place(dc.id, dc.host, dc.port, dc.public_key_path)
    async with connected(dc, account) as bot:
        _host(bot)
        async with Person.log_in(place, "+98 912 000 0000", "peyk_bot") as newcomer:
            await newcomer.send("hi")
            assert "Hello" == (await newcomer.expect()).raw_text
            known = world.accounts.by_phone("989120000000")
            assert known is not None
            assert known.id == newcomer.id


@pytest.mark.parametrize(
    "size", [1, KIB - 1, KIB, PART - 1, PART, PART + 1, 10 * KIB * KIB, 10 * KIB * KIB + 1]
)
async def test_file_when_uploaded_and_downloaded_is_the_same(world: World, dc: DataCentre, size: int) -> None:
    """At and around the bounds of parts, and of small files and big ones."""
    account, user = world.add_bot(), world.add_user("Ada")
    content = os.urandom(size)
    async with connected(dc, account) as bot, connected(dc, user) as ada:
        await ada.send_message("peyk_bot", "hi")
        sent = await bot.send_file(user.id, content, force_document=True)
        assert size == sent.document.size
        (message,) = await ada.get_messages("peyk_bot", limit=1)
        assert (
            hashlib.sha256(content).digest() == hashlib.sha256(await message.download_media(bytes)).digest()
        )


async def test_connection_when_killed_comes_back_and_updates_go_on(world: World, dc: DataCentre) -> None:
    """What a broken network does to a client that reconnects by itself."""
    account, user = world.add_bot(), world.add_user("Ada")
    async with connected(dc, account) as bot, Person.connect(dc, user) as ada:
        _host(bot)
        await ada.send("one")
        await ada.expect("Hello")
        assert 1 == dc.kill(account)
        me = await bot.get_me()
        assert account.id == me.id
        await ada.send("two")
        await ada.expect("Hello")
