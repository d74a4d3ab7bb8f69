"""What ffmpeg is asked to make of a film, for each wish."""

from dataclasses import replace
from typing import Any

import pytest

from tests.sources.test_formats import film, made, nothing, picture, sound
from uploader.errors import Reason, SourceError
from uploader.model import RemoteFile
from uploader.sources.media.formats import choose
from uploader.sources.media.messages import Film, Format
from uploader.sources.media.recipes import (
    Recipe,
    check_span,
    name_of_file,
    recipe_of_file,
    recipe_of_film,
    span_s,
)
from uploader.wishes import Wish


def told(*formats: Format) -> Film:
    """A film of a minute, with subtitles."""
    words = [{"language": "fa", "code": "fas"}]
    known = {"duration_s": 60, "uploader": "Anna\n", "date": "20240501", "subtitles": words}
    return Film.model_validate({**film(*formats).model_dump(), **known})


@pytest.mark.parametrize(
    ("wish", "formats", "expected"),
    [
        (Wish(format="best"), [made("a")], None),
        (Wish(format="best", subtitles="en"), [made("a")], None),
        (Wish(format="best", subtitles="fa"), [made("a")], Recipe(container="mp4", language="fas")),
        (
            Wish(format="best", subtitles="fa"),
            [made("a", ext="webm")],
            Recipe(container="webm", language="fas"),
        ),
        (Wish(format="best", subtitles="fa"), [made("a", ext="mp3", video=None)], None),
        (Wish(format="best", subtitles="fa"), [sound("s")], None),
        (Wish(format="best", start_s=5), [made("a", ext="mkv")], Recipe(container="mkv", start_s=5)),
        (Wish(format="best", stop_s=5), [sound("s"), picture("p")], Recipe(container="mp4", stop_s=5)),
        (Wish(format="m4a"), [sound("s")], Recipe(container="m4a", sound="m4a", copies=True)),
        (Wish(format="mp3"), [sound("s")], Recipe(container="mp3", sound="mp3", copies=False)),
        (Wish(format="mp3"), [made("a", audio=None)], Recipe(container="mp3", sound="mp3")),
        (Wish(format="mp3", subtitles="fa"), [made("a")], Recipe(container="mp3", sound="mp3", copies=False)),
    ],
)
def test_recipe_for_a_film_does_what_is_wished_and_nothing_else(
    wish: Wish, formats: list[Format], expected: Recipe | None
) -> None:
    """What can be streamed as it is, is; a sound has tags."""
    found = told(*formats)
    if expected is not None:
        tags = (("title", "A Film"), ("artist", "Anna"), ("date", "2024-05-01")) if expected.sound else ()
        expected = replace(expected, duration_s=60, tags=tags)
    assert expected == recipe_of_film(found, choose(found, 10**9, wish=wish.format), wish)


@pytest.mark.parametrize(
    ("mime_type", "wish", "container", "sound"),
    [
        ("video/mp4", Wish(), None, ""),
        ("video/mp4", Wish(format="v720"), None, ""),
        ("video/mp4", Wish(format="mp3"), "mp3", "mp3"),
        ("video/mp2t", Wish(start_s=1), "mp4", ""),
        ("audio/mpeg", Wish(format="m4a"), None, ""),
        ("audio/mpeg", Wish(format="m4a", stop_s=5), "mp3", ""),
        ("application/zip", Wish(format="mp3", start_s=1), None, ""),
    ],
)
def test_recipe_for_a_plain_file_is_for_films_and_songs_alone(
    mime_type: str, wish: Wish, container: str | None, sound: str
) -> None:
    """Nothing can be cut out of an archive."""
    remote = RemoteFile(name="a.b.bin", size_bytes=1, mime_type=mime_type, validator=None, read=nothing)
    recipe = recipe_of_file(remote, wish)
    assert (container, sound) == ((recipe.container, recipe.sound) if recipe else (None, ""))
    if recipe is not None:
        assert f"a.b.{container}" == name_of_file(remote, recipe)


@pytest.mark.parametrize(
    ("fields", "length_s"),
    [
        ({}, None),
        ({"duration_s": 60}, 60),
        ({"start_s": 59.5, "duration_s": 60}, 0.5),
        ({"start_s": 10, "stop_s": 20}, 10),
        ({"start_s": 10, "stop_s": 90, "duration_s": 60}, 50),
        ({"start_s": 60, "duration_s": 60}, -1),
        ({"start_s": 20, "stop_s": 20}, -1),
        ({"start_s": 20, "stop_s": 10, "duration_s": 60}, -1),
    ],
)
def test_span_lies_in_its_film_or_is_refused(fields: dict[str, Any], length_s: float | None) -> None:
    """-1: refused."""
    recipe = Recipe(container="mp4", **fields)
    if length_s != -1:
        check_span(recipe)
        assert length_s == span_s(recipe)
        return
    with pytest.raises(SourceError) as caught:
        check_span(recipe)
    assert Reason.OUT_OF_RANGE is caught.value.reason
