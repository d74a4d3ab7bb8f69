"""What a person sees of a film or a song that arrived: a player, and no black square of 0:00."""

import io
from pathlib import Path
from typing import Any

import av
import pytest
from telethon.tl import types

from sandbox import Fault
from tests.engine.conftest import Scene
from tests.sources.conftest import films as films
from tests.sources.films import HEIGHT, SECONDS, WIDTH, web


def attribute(message: Any, kind: type) -> Any:
    """The attribute of that kind, or None."""
    return next((one for one in message.document.attributes if isinstance(one, kind)), None)


async def thumbnail(message: Any) -> tuple[int, int]:
    """Width and height of the small picture, as the client loads it."""
    content = await message.download_media(bytes, thumb=-1)
    assert len(content) <= 20_000
    with av.open(io.BytesIO(content), "r") as opened:
        stream = opened.streams.video[0]
        return stream.width, stream.height


@pytest.mark.parametrize(
    ("path", "name", "mime_type", "streams"),
    [
        ("/film.mp4", "film.mp4", "video/mp4", True),
        ("/late.mp4", "late.mp4", "video/mp4", False),
        ("/page.html", "The Tone_ a Film.mp4", "video/mp4", True),
        ("/hls/list.m3u8", "list.mp4", "video/mp4", True),
        ("/film.mkv", "film.mkv", "video/x-matroska", False),
    ],
)
async def test_film_in_the_chat_when_it_arrives_then_shows_its_size_its_length_and_a_picture(
    path: str, name: str, mime_type: str, streams: bool, scene: Scene, films: Path
) -> None:
    """Streamed, from a page, joined here, with the index at its end: a film to be played."""
    async with web(films) as there, scene.engine(), scene.person() as user:
        await user.send(there.url(path))
        message = await user.expect_file()
        video = attribute(message, types.DocumentAttributeVideo)
        size = await thumbnail(message)
    assert (WIDTH, HEIGHT, streams) == (video.w, video.h, bool(video.supports_streaming))
    assert SECONDS == pytest.approx(video.duration, abs=0.2)
    assert (WIDTH, HEIGHT) == size
    assert mime_type == message.document.mime_type
    assert [name] == [
        one.file_name
        for one in message.document.attributes
        if isinstance(one, types.DocumentAttributeFilename)
    ]


async def test_sound_of_a_film_when_it_is_chosen_then_is_a_song(scene: Scene, films: Path) -> None:
    """Of a film in two parts, with the title of its page."""
    async with web(films) as there, scene.engine(), scene.person() as user:
        await user.send(there.url("/dash/list.mpd"))
        card = await user.expect("Which one shall I bring")
        await user.press(card, next(one.text for row in card.buttons for one in row if "mp3" in one.text))
        message = await user.expect_file()
        audio = attribute(message, types.DocumentAttributeAudio)
        song = await message.download_media(bytes)
    assert ("audio/mpeg", SECONDS, "list") == (message.document.mime_type, audio.duration, audio.title)
    with av.open(io.BytesIO(song), "r") as opened:
        assert ("mp3", "list") == (opened.format.name, opened.metadata["title"])


async def test_song_in_the_chat_when_it_arrives_then_names_who_sings(scene: Scene, films: Path) -> None:
    """Title and performer are its tags'."""
    async with web(films) as there, scene.engine(), scene.person() as user:
        await user.send(there.url("/tone.mp3"))
        audio = attribute(await user.expect_file(), types.DocumentAttributeAudio)
    assert (SECONDS, "A Tone", "Anna", False) == (audio.duration, audio.title, audio.performer, audio.voice)


@pytest.mark.parametrize("harm", ["cut", "zeros", "huge"])
async def test_film_in_the_chat_when_it_is_hostile_then_is_a_plain_document(
    harm: str, scene: Scene, films: Path, tmp_path: Path
) -> None:
    """Whatever is wrong with it: the bytes arrive."""
    film = (films / "film.mp4").read_bytes()
    spoilt = {
        "cut": film[: film.index(b"moov") + 100],
        "zeros": film[:100] + bytes(len(film)),
        "huge": film.replace(b"avc1" + bytes(24), b"avc1" + bytes(24)),
    }[harm]
    if harm == "huge":
        at = film.index(b"avc1") + 28
        spoilt = film[:at] + b"\xff\xff\xff\xff" + film[at + 4 :]
    (tmp_path / "bad.mp4").write_bytes(spoilt)
    async with web(tmp_path) as there, scene.engine(), scene.person() as user:
        await user.send(there.url("/bad.mp4"))
        message = await user.expect_file()
        saved = await message.download_media(bytes)
    assert spoilt == saved
    assert attribute(message, types.DocumentAttributeVideo) is None or harm == "huge"


async def test_film_when_its_picture_is_not_taken_then_arrives_without(scene: Scene, films: Path) -> None:
    """The small picture is an extra: no film fails for it."""
    scene.world.faults.append(Fault("upload.save", after=1, error=(400, "FILE_PART_INVALID")))
    async with web(films) as there, scene.engine(), scene.person() as user:
        await user.send(there.url("/film.mp4"))
        message = await user.expect_file()
    assert message.document.thumbs is None
    assert attribute(message, types.DocumentAttributeVideo) is not None


async def test_film_when_it_is_given_to_a_second_person_then_looks_the_same(
    scene: Scene, films: Path
) -> None:
    """It is sent by reference, and keeps what is known of it."""
    async with (
        web(films) as there,
        scene.engine(),
        scene.person() as user,
        scene.person(scene.admin) as other,
    ):
        await user.send(there.url("/film.mp4"))
        first = await user.expect_file()
        await user.expect("Done")
        await other.send(there.url("/film.mp4"))
        second = await other.expect_file()
    assert first.document.id == second.document.id
    assert attribute(first, types.DocumentAttributeVideo) == attribute(second, types.DocumentAttributeVideo)
