"""Files above the cap: in volumes that join into what the source has, once each, or not at all."""

import hashlib
import itertools
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sandbox import Fault
from sandbox.people import Person
from sandbox.site import Keystream
from sandbox.stage import running_engine
from tests.engine.conftest import Scene
from uploader import limits

MIB = 1024 * 1024
#: Volumes that are larger than what goes by saveFilePart, so that their uploads can be resumed.
VOLUME_MIB = 11
SIZE_BYTES = 2 * VOLUME_MIB * MIB + 3 * MIB + 17


def job_row(scene: Scene) -> tuple[str, str | None, int | None]:
    """State, reason and size of the only job."""
    with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
        ((state, reason, size),) = database.execute("SELECT state, reason, size_bytes FROM jobs").fetchall()
    return state, reason, size


async def documents(user: Person) -> list[Any]:
    """All files in the chat, the oldest first."""
    history = await user.client.get_messages(user.bot, limit=50)
    return [message for message in reversed(history) if message.document]


def contents(folder: Path) -> bytes:
    """What `cat folder/*` shows."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def joined(user: Person, messages: list[Any], folder: Path) -> bytes:
    """What `cat name.0*` makes of the volumes."""
    for message in messages:
        await user.save(message, folder / message.file.name)
    return contents(folder)


def source(name: str, size_bytes: int = SIZE_BYTES) -> bytes:
    """The bytes that the site serves."""
    return Keystream(name, 0).read(0, size_bytes)


@pytest.mark.parametrize("with_length", [True, False], ids=["ranges", "unknown length"])
async def test_file_when_above_the_cap_comes_in_volumes_that_join_into_it(
    scene: Scene, tmp_path: Path, with_length: bool
) -> None:
    """Three messages in order, then one with their digests, the whole one's, and how to join them."""
    (tmp_path / "saved").mkdir()
    async with scene.engine(volume_mib=VOLUME_MIB), scene.person() as user:
        await user.send(scene.site.url("film.bin", SIZE_BYTES, with_length=with_length))
        told = (await user.expect("joined file")).raw_text
        await user.expect("Done")
        sent = await documents(user)
        whole = await joined(user, sent, tmp_path / "saved")
    assert source("film.bin") == whole
    assert ["film.bin.001", "film.bin.002", "film.bin.003"] == [message.file.name for message in sent]
    sizes = [VOLUME_MIB * MIB, VOLUME_MIB * MIB, 3 * MIB + 17]
    assert sizes == [message.file.size for message in sent]
    ending = " of \u20683\u2069" if with_length else ""
    assert [f"\u2068film.bin\u2069 · part \u2068{n}\u2069{ending}" for n in (1, 2, 3)] == [
        message.raw_text for message in sent
    ]
    bounds = [0, VOLUME_MIB * MIB, 2 * VOLUME_MIB * MIB, SIZE_BYTES]
    for begin, end in [*itertools.pairwise(bounds), (0, SIZE_BYTES)]:
        assert hashlib.sha256(whole[begin:end]).hexdigest() in told
    assert "cat film.bin.0* > film.bin" in told.splitlines()
    assert 'copy /b "film.bin.0*" "film.bin"' in told.splitlines()
    assert ("done", None, SIZE_BYTES) == job_row(scene)


async def test_file_when_its_length_is_unknown_and_it_fits_comes_as_what_it_is(scene: Scene) -> None:
    """No volumes, no manifest; the size is told in the end."""
    async with scene.engine(volume_mib=VOLUME_MIB), scene.person() as user:
        await user.send(scene.site.url("film.bin", VOLUME_MIB * MIB, with_length=False))
        message = await user.expect_file()
        assert "film.bin" == message.file.name
        assert "11 MiB" in (await user.expect("Done")).raw_text.replace("\u2068", "").replace("\u2069", "")
        assert [message.id] == [each.id for each in await documents(user)]
    assert ("done", None, VOLUME_MIB * MIB) == job_row(scene)


@pytest.mark.parametrize("with_length", [True, False], ids=["known", "unknown"])
async def test_file_when_its_person_wants_no_volumes_is_refused(scene: Scene, with_length: bool) -> None:
    """The choice of /settings is kept, and shown on the card."""
    async with scene.engine(volume_mib=VOLUME_MIB), scene.person() as user:
        await user.send("/settings")
        card = await user.expect("I send them in parts")
        assert "not at all" in ((await user.press(card, "Large files: not at all")).text or "")
        await user.expect("I do not bring them")
        await user.send(scene.site.url("film.bin", SIZE_BYTES, with_length=with_length))
        assert "/settings" in (await user.expect("larger than")).raw_text
        assert [] == await documents(user)
    assert ("failed", "too-large") == job_row(scene)[:2]


async def test_file_when_too_large_even_for_volumes_is_refused(scene: Scene) -> None:
    """Nothing is fetched of what would fill the chat."""
    async with scene.engine(volume_mib=1), scene.person() as user:
        await user.send(scene.site.url("film.bin", (limits.VOLUMES + 1) * MIB))
        await user.expect("too large even for parts")
    assert 0 == scene.world.stats.parts


@pytest.mark.parametrize("with_length", [True, False], ids=["ranges", "unknown length"])
async def test_volumes_when_the_engine_is_killed_between_them_arrive_once_each(
    scene: Scene, tmp_path: Path, with_length: bool
) -> None:
    """`kill -9` when the second message is out and its answer lost: the next start goes on behind it."""
    (tmp_path / "saved").mkdir()
    settings = {**scene.settings, "PEYK_VOLUME_MIB": str(VOLUME_MIB)}
    async with scene.person() as user:
        async with running_engine(settings, scene.folder) as engine:
            scene.world.faults.append(Fault("messages.sendMedia", after=1, count=1, swallow=True))
            await user.send(scene.site.url("film.bin", SIZE_BYTES, with_length=with_length))
            await user.expect_file()
            await user.expect_file()
            engine.process.send_signal(signal.SIGKILL)
            await engine.process.wait()
        first = await documents(user)
        async with running_engine(settings, scene.folder):
            told = (await user.expect("SHA-256", timeout_s=60)).raw_text
            await user.expect("Done")
        sent = await documents(user)
        whole = await joined(user, sent, tmp_path / "saved")
    assert source("film.bin") == whole
    assert [message.id for message in first] == [message.id for message in sent[:2]]
    assert 3 == len(sent)
    # the whole file's digest is told only by an attempt that read all of it
    assert with_length is not (hashlib.sha256(whole).hexdigest() in told)


async def test_volumes_when_the_source_changes_between_attempts_are_taken_back(scene: Scene) -> None:
    """Volumes of two files never stand together in a chat."""
    async with scene.engine(volume_mib=VOLUME_MIB), scene.person() as user:
        scene.world.faults.append(Fault("messages.sendMedia", after=1, count=1, error=(400, "MEDIA_EMPTY")))
        await user.send(scene.site.url("film.bin", SIZE_BYTES))
        await user.expect("did not work")
        assert 1 == len(await documents(user))
        with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
            database.execute("UPDATE volumes SET validator = 'another'")
        history = await user.client.get_messages(user.bot, limit=5)
        (failed,) = [message for message in history if "did not work" in message.raw_text]
        await user.press(failed, "Try again")
        await user.expect("I try again in")
        assert [] == await documents(user)
        with sqlite3.connect(scene.folder / "data" / "peyk.db") as database:
            database.execute("UPDATE jobs SET run_at = 0")
        await user.expect("SHA-256", timeout_s=60)
        names = [message.file.name for message in await documents(user)]
    assert ["film.bin.001", "film.bin.002", "film.bin.003"] == names


async def test_volumes_when_the_link_is_corrected_are_none_of_the_other_file(
    scene: Scene, tmp_path: Path
) -> None:
    """What came of the wrong link is left as it is, and nothing of it is looked for in the right one's."""
    (tmp_path / "saved").mkdir()
    async with scene.engine(volume_mib=VOLUME_MIB), scene.person() as user:
        scene.world.faults.append(Fault("messages.sendMedia", after=1, count=1, error=(400, "MEDIA_EMPTY")))
        message = await user.send(scene.site.url("wrong.bin", SIZE_BYTES))
        await user.expect("did not work")
        (old,) = await documents(user)
        await message.edit(scene.site.url("right.bin", SIZE_BYTES), link_preview=False)
        await user.expect("SHA-256", timeout_s=60)
        first, *sent = await documents(user)
        assert old.id == first.id
        assert source("right.bin") == await joined(user, sent, tmp_path / "saved")
