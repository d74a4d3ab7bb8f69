"""Several data centres over one world, and a real client that is sent from one to the other."""

import asyncio
import hashlib
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from telethon import TelegramClient, events
from telethon.sessions import MemorySession
from telethon.tl import functions, types

from sandbox import LOGIN_CODE, DataCentre, World
from tests.sandbox.clients import connected, refused

DEADLINE_S = 20.0


@pytest.fixture
async def elsewhere(world: World, dc: DataCentre) -> AsyncIterator[DataCentre]:
    """A second data centre, under another id and with the same key."""
    async with DataCentre(world, dc_id=4) as other:
        yield other


@asynccontextmanager
async def migrant(dc: DataCentre) -> AsyncIterator[Any]:
    """A client that knows one address only, without a key."""
    # Telethon keeps the addresses of data centres for all clients of a class, and each test has its own
    kind = type("Migrant", (TelegramClient,), {"_config": None})
    session = MemorySession()
    session.set_dc(dc.id, dc.host, dc.port)
    telethon = kind(session, 12345, "0" * 32, request_retries=3, retry_delay=0)
    await telethon.connect()
    try:
        yield telethon
    finally:
        await telethon.disconnect()


async def test_bot_when_at_home_elsewhere_is_sent_there(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """USER_MIGRATE: it makes a key there, logs in, and hears what is written to it."""
    bot, ada = world.add_bot(), world.add_user("Ada")
    bot.home_dc, ada.home_dc = 4, 4
    async with migrant(dc) as telethon, connected(elsewhere, ada) as ada_there:
        await telethon.sign_in(bot_token=bot.token)
        assert (4, elsewhere.port) == (telethon.session.dc_id, telethon.session.port)
        assert ([], [bot]) == (dc.logins.of(bot), [login.account for login in elsewhere.logins.of(bot)])
        heard: asyncio.Queue[str] = asyncio.Queue()
        telethon.add_event_handler(lambda event: heard.put(event.raw_text), events.NewMessage())
        await telethon.get_me()
        await ada_there.send_message("peyk_bot", "over here")
        async with asyncio.timeout(DEADLINE_S):
            assert "over here" == await heard.get()


async def test_user_when_at_home_elsewhere_is_sent_there(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """PHONE_MIGRATE: the code is asked for again, at home."""
    ada = world.add_user("Ada")
    ada.home_dc = 4
    async with migrant(dc) as telethon:
        await telethon.send_code_request(ada.phone)
        me = await telethon.sign_in(ada.phone, LOGIN_CODE)
        assert (ada.id, 4) == (me.id, telethon.session.dc_id)


async def test_file_when_it_lies_elsewhere_is_fetched_from_there(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """FILE_MIGRATE: the login is exported and imported, the file is whole, and its bytes came from there."""
    bot, ada = world.add_bot(), world.add_user("Ada")
    bot.home_dc, ada.home_dc = 4, 2
    bot.heard_from.add(ada.id)
    content = os.urandom(1_500_000)
    async with migrant(dc) as telethon, connected(elsewhere, bot) as uploader:
        await telethon.send_code_request(ada.phone)
        await telethon.sign_in(ada.phone, LOGIN_CODE)
        peer = types.InputPeerUser(ada.id, world.accounts.access_hash(bot, "user", ada.id))
        await uploader.send_file(peer, io.BytesIO(content), force_document=True)
        (message,) = await telethon.get_messages("peyk_bot", limit=1)
        assert 4 == message.document.dc_id
        got = await telethon.download_media(message, bytes)
        assert hashlib.sha256(content).digest() == hashlib.sha256(got).digest()
        (login,) = elsewhere.logins.of(ada)
        assert login.imported
        assert 2 == telethon.session.dc_id


async def test_file_when_asked_for_at_the_wrong_place_names_the_right_one(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """303, with the number of the data centre."""
    bot, ada = world.add_bot(), world.add_user("Ada")
    bot.heard_from.add(ada.id)
    peer = types.InputPeerUser(ada.id, world.accounts.access_hash(bot, "user", ada.id))
    async with connected(elsewhere, bot) as there, connected(dc, bot) as here:
        sent = await there.send_file(peer, io.BytesIO(b"content"), force_document=True)
        place = types.InputDocumentFileLocation(
            sent.document.id, sent.document.access_hash, sent.document.file_reference, thumb_size=""
        )
        with refused("FILE_MIGRATE_4"):
            await here(functions.upload.GetFileRequest(place, 0, 4096))


async def test_login_when_exported_is_good_once_and_in_one_place(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """Neither here, nor for somebody else, nor twice; nor for a place that is not there."""
    ada, eve = world.add_user("Ada"), world.add_user("Eve")
    export = functions.auth.ExportAuthorizationRequest
    async with connected(dc, ada) as home, connected(elsewhere) as abroad, connected(dc) as stranger:
        for wrong in (2, 5):
            with refused("DC_ID_INVALID"):
                await home(export(wrong))
        ticket = await home(export(4))
        with refused("AUTH_BYTES_INVALID"):
            await stranger(functions.auth.ImportAuthorizationRequest(ticket.id, ticket.bytes))
        ticket = await home(export(4))
        with refused("AUTH_BYTES_INVALID"):
            await abroad(functions.auth.ImportAuthorizationRequest(eve.id, ticket.bytes))
        ticket = await home(export(4))
        imported = await abroad(functions.auth.ImportAuthorizationRequest(ticket.id, ticket.bytes))
        assert ada.id == imported.user.id
        assert ada.id == (await abroad.get_me()).id
        with refused("AUTH_BYTES_INVALID"):
            await stranger(functions.auth.ImportAuthorizationRequest(ticket.id, ticket.bytes))


async def test_configuration_when_asked_for_names_every_data_centre(
    world: World, dc: DataCentre, elsewhere: DataCentre
) -> None:
    """While they run."""
    async with connected(dc) as telethon:
        config = await telethon(functions.help.GetConfigRequest())
        assert [(2, dc.port), (4, elsewhere.port)] == [
            (option.id, option.port) for option in config.dc_options
        ]
        await elsewhere.stop()
        config = await telethon(functions.help.GetConfigRequest())
        assert [2] == [option.id for option in config.dc_options]
