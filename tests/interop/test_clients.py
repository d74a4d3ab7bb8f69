"""Bots written with four libraries, none of them ours, in the data centre: the same journey with each.

They are unmodified; told where the data centre is and which key to trust, they are told no more.
"""

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox import DataCentre, World
from sandbox.people import Person
from tests.interop.conftest import beside
from tests.interop.programs import BOTS, place, running

FILE_BYTES = 50_000_000
PATIENCE_S = 60.0

pytestmark = [pytest.mark.interop, pytest.mark.timeout(360)]


@pytest.fixture(params=["telethon_bot.py", "kurigram_bot.py", "mtcute_bot.mjs", "gramjs_bot.mjs"])
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The program of one bot, where it can run."""
    bot = BOTS / request.param
    if bot.name.startswith("kurigram"):
        pytest.importorskip("pyrogram", reason="Kurigram is not installed: pip install -e '.[interop]'")
    return beside(request.getfixturevalue("packages"), bot, tmp_path) if bot.suffix == ".mjs" else bot


@pytest.fixture
async def centre(request: pytest.FixtureRequest, script: Path, world: World) -> AsyncIterator[DataCentre]:
    """A data centre that knows the layer of this bot."""
    layers = request.getfixturevalue("layers") if script.suffix == ".mjs" else []
    async with DataCentre(world, layers=layers) as centre:
        yield centre


@pytest.fixture
def luggage(tmp_path: Path) -> Iterator[Path]:
    """A folder for large files that nobody wants to look at afterwards."""
    folder = tmp_path / "luggage"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


async def test_bot_when_written_with_a_foreign_client_makes_the_journey(
    world: World, centre: DataCentre, script: Path, luggage: Path
) -> None:
    """It signs in, hears, shows a keyboard, answers the button, sends 50 MB and fetches them again."""
    account, user = world.add_bot(), world.add_user("Ada")
    content = os.urandom(FILE_BYTES)
    file, digest = luggage / "file.bin", hashlib.sha256(content).hexdigest()
    file.write_bytes(content)
    async with (
        running(script, place(centre, account, luggage, file)) as said,
        Person.connect(centre, user) as ada,
    ):
        await ada.send("/start")
        card = await ada.expect("Choose", PATIENCE_S)
        pressed = await ada.press(card, "Press me")
        assert ("Well done", True) == (pressed.text, pressed.alert)
        assert card.id == (await ada.expect("Pressed", PATIENCE_S)).id
        await ada.send("/file")
        sent = await ada.expect_file(PATIENCE_S)
        assert (FILE_BYTES, digest) == await ada.save(sent)
        await ada.client.send_file(ada.bot, sent.document)
        assert digest == (await ada.expect(timeout_s=PATIENCE_S)).raw_text
    assert [] == said, "".join(said)
