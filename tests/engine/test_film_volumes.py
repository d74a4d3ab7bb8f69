"""Films above the cap: in volumes that play where they can be cut, else in raw ones and with a word."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from aiohttp import web

from sandbox.people import Person
from tests.engine.conftest import Scene
from tests.engine.test_volumes import contents, documents, joined
from tests.sources.films import ffmpeg

SECONDS = 20
_PICTURE = ("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={SECONDS}")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[str]:
    """A site with the files of a folder; gives its address."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of several MiB with a key frame a second, and one with its first alone."""
    folder = tmp_path_factory.mktemp("films")
    ffmpeg(*_PICTURE, *_H264, "-g", "25", "film.mp4", cwd=folder)
    ffmpeg(*_PICTURE, *_H264, "-g", "9999", "one.mp4", cwd=folder)
    segments = ("-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod")
    ffmpeg("-i", "film.mp4", "-c", "copy", *segments, "list.m3u8", cwd=folder)
    return folder


async def pictures_of(user: Person, folder: Path) -> list[int]:
    """How many pictures a player shows of each file in the chat, from a key frame on."""
    counts = []
    for number, message in enumerate(await documents(user)):
        path = folder / f"{number:03}"
        await user.save(message, path)
        with av.open(io.BytesIO(contents_of(path)), "r") as film:
            counts.append(sum(1 for _ in film.decode(video=0)))
    return counts


def contents_of(path: Path) -> bytes:
    """The bytes of a file."""
    return path.read_bytes()


async def test_film_when_above_the_cap_comes_in_volumes_that_play(
    scene: Scene, films: Path, tmp_path: Path
) -> None:
    """Under the cap each, all pictures once, named in order; the last message has nothing to join."""
    (tmp_path / "saved").mkdir()
    async with serving(films) as site, scene.engine(volume_mib=1), scene.person() as user:
        await user.send(f"{site}/film.mp4")
        told = (await user.expect("plays by itself", timeout_s=60)).raw_text
        await user.expect("Done")
        names = [message.file.name for message in await documents(user)]
        sizes = [message.file.size for message in await documents(user)]
        counts = await pictures_of(user, tmp_path / "saved")
    assert [f"film.part{number + 1}.mp4" for number in range(len(names))] == names
    assert len(names) > 1
    assert max(sizes) <= 1024 * 1024
    assert SECONDS * 25 == sum(counts)
    assert min(counts) > 0
    assert "cat" not in told


async def test_film_in_segments_when_above_the_cap_comes_in_volumes_that_play(
    scene: Scene, films: Path, tmp_path: Path
) -> None:
    """Put together here, though nobody said how large it is, and cut where it lies."""
    (tmp_path / "saved").mkdir()
    async with serving(films) as site, scene.engine(volume_mib=1), scene.person() as user:
        await user.send(f"{site}/list.m3u8")
        await user.expect("plays by itself", timeout_s=60)
        await user.expect("Done")
        counts = await pictures_of(user, tmp_path / "saved")
    assert (SECONDS * 25, True) == (sum(counts), len(counts) > 1)


async def test_film_when_it_cannot_be_cut_comes_in_raw_volumes_with_a_word(
    scene: Scene, films: Path, tmp_path: Path
) -> None:
    """No key frame but the first: the volumes join into the film, and the person learns why."""
    (tmp_path / "saved").mkdir()
    async with serving(films) as site, scene.engine(volume_mib=1), scene.person() as user:
        await user.send(f"{site}/one.mp4")
        told = (await user.expect("SHA-256", timeout_s=60)).raw_text
        whole = await joined(user, await documents(user), tmp_path / "saved")
    assert contents_of(films / "one.mp4") == whole == contents(tmp_path / "saved")
    assert "could not cut" in told
    assert "cat one.mp4.0* > one.mp4" in told.splitlines()
