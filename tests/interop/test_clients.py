"""Bots and people with seven clients, none of them ours, in the data centre: the same journey with each.

They are unmodified; told where the data centre is and which key to trust, they are told no more.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from telethon import events

from sandbox import DataCentre, World
from sandbox.people import NotSeen, Person
from sandbox.world.letters import Draft
from tests.interop.conftest import beside
from tests.interop.programs import HERE, Program, of_bot, of_person, place, running, told_by
from tests.proxies import forward_proxy
from tests.sandbox.clients import connected

#: More than what is uploaded in small files' way (https://core.telegram.org/api/files#uploading-files)
FILE_BYTES = 12_000_000
PATIENCE_S = 60.0
#: How often somebody writes who is not answered, within that time.
_CALLS = 4

pytestmark = [pytest.mark.interop, pytest.mark.timeout(360)]


@dataclass(frozen=True, slots=True)
class Client:
    """A client of another house: its scripts, and the fixtures that bring its packages and its layer."""

    name: str
    script: str
    packages: str | None = None
    layers: str | None = None


CLIENTS = (
    Client("telethon", "telethon_{}.py"),
    Client("kurigram", "pyrogram_{}.py"),
    Client("mtcute", "mtcute_{}.mjs", "packages", "layers"),
    Client("gramjs", "gramjs_{}.mjs", "packages", "layers"),
    Client("tdlib", "tdlib_{}.py", "elders"),
    Client("telethon-1.36", "telethon_{}.py", "elders", "elder_layers"),
    Client("pyrogram-2.0.106", "pyrogram_{}.py", "elders", "elder_layers"),
)


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def client(request: pytest.FixtureRequest) -> Client:
    """One client after the other, where it can run."""
    if request.param.name == "kurigram":
        pytest.importorskip("pyrogram", reason="Kurigram is not installed: pip install -e '.[interop]'")
    found: Client = request.param
    return found


@dataclass(frozen=True, slots=True)
class Journey:
    """What a client is led through: its data centre, the way there, a folder, and its packages."""

    dc: DataCentre
    proxy_port: int
    luggage: Path
    client: Client
    packages: Path | None

    def program(self, role: str) -> Program:
        """The client's bot or person."""
        script = HERE / {"bot": "bots", "person": "people"}[role] / self.client.script.format(role)
        if script.suffix == ".mjs" and self.packages is not None:
            return Program(beside(self.packages, script, self.luggage))
        return Program(script, self.packages)

    def told(self, file: Path) -> dict[str, Any]:
        """Where to go, and what to carry."""
        return place(self.dc, self.proxy_port, self.luggage, file)


@pytest.fixture
def luggage(tmp_path: Path) -> Iterator[Path]:
    """A folder for large files that nobody wants to look at afterwards."""
    folder = tmp_path / "luggage"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def journey(
    request: pytest.FixtureRequest, client: Client, world: World, luggage: Path
) -> AsyncIterator[Journey]:
    """A data centre that knows the client's layer, beside the one that TDLib asks first; a proxy to both."""
    layers = request.getfixturevalue(client.layers) if client.layers else []
    packages = request.getfixturevalue(client.packages) if client.packages else None
    async with AsyncExitStack() as stack:
        dc, first = [
            await stack.enter_async_context(DataCentre(world, dc_id=dc_id, layers=layers)) for dc_id in (2, 1)
        ]

        def leads(host: str, port: int) -> tuple[str, int]:
            """Telegram's first data centre has its addresses in a network of its own."""
            if host == dc.host:
                return host, port
            centre = first if host.startswith("149.154.175.") else dc
            return centre.host, centre.port

        proxy = await stack.enter_async_context(forward_proxy())
        proxy.leads = leads
        yield Journey(dc, proxy.port, luggage, client, packages)


def _file(folder: Path) -> tuple[Path, str]:
    """A file of chance, and its digest."""
    content, file = os.urandom(FILE_BYTES), folder / "file.bin"
    file.write_bytes(content)
    return file, hashlib.sha256(content).hexdigest()


async def _first_card(ada: Person) -> Any:
    """What the bot says first; some clients do not hear what was written before they had signed in."""
    for _ in range(_CALLS):
        await ada.send("/start")
        with suppress(NotSeen):
            return await ada.expect("Choose", PATIENCE_S / _CALLS)
    raise NotSeen("the bot did not answer")


async def test_bot_when_written_with_a_foreign_client_makes_the_journey(
    world: World, journey: Journey
) -> None:
    """It signs in, hears, shows a keyboard, answers the button, sends 12 MB, fetches them again, logs out."""
    account, user = world.add_bot(), world.add_user("Ada")
    account.home_dc = journey.dc.id
    file, digest = _file(journey.luggage)
    told = journey.told(file) | of_bot(account)
    async with running(journey.program("bot"), told) as said, Person.connect(journey.dc, user) as ada:
        card = await _first_card(ada)
        pressed = await ada.press(card, "Press me")
        assert ("Well done", True) == (pressed.text, pressed.alert)
        assert card.id == (await ada.expect("Pressed", PATIENCE_S)).id
        await ada.send("/file")
        sent = await ada.expect_file(PATIENCE_S)
        assert (FILE_BYTES, digest) == await ada.save(sent)
        await ada.client.send_file(ada.bot, sent.document)
        assert digest == (await ada.expect(timeout_s=PATIENCE_S)).raw_text
        await ada.send("/logout")
    assert [] == said, "".join(said)
    assert [] == journey.dc.logins.of(account)


async def test_person_when_with_a_foreign_client_makes_the_journey(world: World, journey: Journey) -> None:
    """Logs in, is answered, sends 12 MB and fetches them again, joins, lists its chats, logs out."""
    account, user = world.add_bot(), world.add_user("Ada")
    channel = world.add_channel("sponsor", "The Sponsor", [account])
    # Telegram's channels are never without a message: the first says that it was made
    world.post_office.send(account, channel, Draft("Welcome"))
    user.home_dc = journey.dc.id
    file, digest = _file(journey.luggage)
    told = journey.told(file) | of_person(user, account, "sponsor")
    async with connected(journey.dc, account) as bot:
        got = _answer(bot)
        said = await told_by(journey.program("person"), told)
        assert digest == got.get_nowait()
    assert ("Hello", digest) == (said["heard"], said["digest"])
    assert {"Peyk", "The Sponsor"} == set(said["chats"])
    assert channel.holds(user.id)
    assert [] == journey.dc.logins.of(user)


def _answer(bot: Any) -> "asyncio.Queue[str]":
    """A bot that greets, and sends a file back as a new one. Gives the digests of what it got."""
    got: asyncio.Queue[str] = asyncio.Queue()

    async def answer(event: Any) -> None:
        if event.document is None:
            await event.respond("Hello")
            return
        content = await event.download_media(bytes)
        got.put_nowait(hashlib.sha256(content).hexdigest())
        await event.respond(file=content, force_document=True)

    bot.add_event_handler(answer, events.NewMessage(incoming=True))
    return got
