"""Which format of a film is brought, and what the child may say about it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.model import RemoteFile
from uploader.sources.media.described import named
from uploader.sources.media.formats import choose
from uploader.sources.media.messages import Film, Format, read
from uploader.sources.media.stream import wishes_of

CAP = 2000


def made(id: str, **fields: Any) -> Format:
    """A plain format with picture and sound, 360 lines, unless said otherwise."""
    given: dict[str, Any] = {
        **{"id": id, "url": f"https://site.example/{id}", "protocol": "https", "ext": "mp4"},
        **{"video": "avc1", "audio": "mp4a", "width": 640, "height": 360, "fps": 25, "language": None},
        **{"size_bytes": None, "about_bytes": None, "chunk_bytes": None, "has_drm": False},
        **{"headers": {}, "cookie": None},
    }
    return Format.model_validate({**given, **fields})


def film(*formats: Format) -> Film:
    """A film in these formats, from the worst to the best."""
    return Film(
        event="found",
        title="A Film",
        uploader=None,
        duration_s=None,
        live_status=None,
        thumbnail=None,
        extractor="made",
        formats=list(formats),
    )


def picture(id: str, **fields: Any) -> Format:
    """A picture alone."""
    return made(id, audio="", **fields)


def sound(id: str, **fields: Any) -> Format:
    """A sound alone."""
    return made(id, **{"video": "", "width": None, "height": None, "fps": None, "ext": "m4a", **fields})


HLS = {"protocol": "m3u8_native"}


@pytest.mark.parametrize(
    ("formats", "expected", "container"),
    [
        ([made("a"), made("b")], "b", None),
        ([made("a"), made("b", size_bytes=CAP + 1)], "a", None),
        ([made("a"), made("b", about_bytes=CAP + 1)], "a", None),
        ([made("a", size_bytes=CAP), made("b", size_bytes=CAP + 1)], "a", None),
        ([sound("s"), made("a", height=360), picture("p", height=720)], "p+s", "mp4"),
        ([sound("s"), picture("p", height=360), made("a", height=360)], "a", None),
        ([sound("s"), made("a", height=720), picture("p", height=720)], "a", None),
        ([sound("s"), made("a", height=720, **HLS), picture("p", height=720)], "p+s", "mp4"),
        ([sound("s1"), sound("s2"), picture("p")], "p+s2", "mp4"),
        (
            [sound("s1", size_bytes=10), sound("s2", size_bytes=900), picture("p", size_bytes=1500)],
            "p+s1",
            "mp4",
        ),
        ([sound("s", size_bytes=900), made("a"), picture("p", height=720, size_bytes=1500)], "a", None),
        ([picture("p")], "p", None),
        ([picture("p", **HLS)], "p", "mp4"),
        ([made("a", **HLS)], "a", "mp4"),
        ([made("a", video=None, audio=None, **HLS)], "a", "mp4"),
        ([sound("s"), picture("p", video="vp8", height=720)], "p+s", "mkv"),
        ([sound("s", audio="opus"), picture("p", video="av01.0")], "p+s", "mp4"),
        ([sound("s1"), sound("s2")], "s2", None),
        ([sound("s", **HLS)], "s", "m4a"),
        ([sound("s", audio="mp3", **HLS)], "s", "mp3"),
        ([sound("s", audio="opus", **HLS)], "s", "ogg"),
        ([made("a"), made("b", has_drm=True)], "a", None),
        ([made("a"), made("b", protocol="rtmp")], "a", None),
        ([made("a"), made("b", protocol="mhtml", video="", audio="")], "a", None),
        ([made("a"), made("b", url="")], "a", None),
    ],
)
def test_choice_is_the_best_that_fits_and_the_cheapest_of_equals(
    formats: list[Format], expected: str, container: str | None
) -> None:
    """Better pictures first; of equal ones, the one that can be streamed."""
    choice = choose(film(*formats), CAP)
    assert (expected, container) == ("+".join(each.id for each in choice.formats), choice.container)
    assert [each.id for each in choice.formats] == [formats[number].id for number in choice.numbers]


@pytest.mark.parametrize(
    ("formats", "reason"),
    [
        ([], Reason.NO_MEDIA),
        ([made("a", protocol="rtmp")], Reason.NO_MEDIA),
        ([made("a", video="", audio="")], Reason.NO_MEDIA),
        ([made("a", has_drm=True)], Reason.DRM),
        ([made("a", size_bytes=CAP + 1)], Reason.TOO_LARGE),
        ([sound("s", size_bytes=CAP), picture("p", size_bytes=CAP)], Reason.TOO_LARGE),
    ],
)
def test_choice_of_nothing_says_why(formats: list[Format], reason: Reason) -> None:
    """Protected, too large, or not there."""
    with pytest.raises(SourceError) as caught:
        choose(film(*formats), CAP)
    assert reason is caught.value.reason


def test_expected_size_of_a_pair_is_the_sum_of_what_is_known() -> None:
    """Room is reserved for both."""
    choice = choose(film(sound("s", size_bytes=100), picture("p", about_bytes=1000)), CAP)
    assert 1100 == choice.expected_bytes


@pytest.mark.parametrize(
    ("mime_type", "ext", "expected"),
    [
        ("video/mp4", "mp4", "A Film.mp4"),
        ("video/mp4", "m4v", "A Film.m4v"),
        ("video/x-matroska", "mp4", "A Film.mkv"),
        ("video/webm", "mp4", "A Film.webm"),
        ("audio/mpeg", "mp4", "A Film.mp3"),
        ("video/mp4", "", "A Film.mp4"),
        ("video/mp4", "unknown_video", "A Film.mp4"),
        ("application/octet-stream", "mp4", "A Film.mp4"),
    ],
)
def test_film_is_called_what_its_bytes_are(mime_type: str, ext: str, expected: str) -> None:
    """Whatever its page says; an extension that files of that kind may have is left to it."""
    remote = RemoteFile(name="x", size_bytes=1, mime_type=mime_type, validator=None, read=nothing)
    assert expected == named(remote, film(), made("a", ext=ext)).name


async def nothing(start: int, stop: int | None) -> AsyncIterator[bytes]:
    """Nobody reads it."""
    yield b""


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        {},
        {"event": "owned"},
        {"event": "fetched", "more": 1},
        {"event": "progress", "done_bytes": -1},
        {"event": "progress", "done_bytes": "1"},
        {"event": "failed", "kind": "x" * 501, "detail": ""},
        {**film().model_dump(), "title": 5},
        {**film().model_dump(), "title": "x" * 501},
        {**film().model_dump(), "duration_s": -1},
        {**film().model_dump(), "formats": [{}]},
        {**film().model_dump(), "formats": [{**made("a").model_dump(), "headers": {"a": 5}}]},
        {**film().model_dump(), "formats": [made("a").model_dump()] * 1001},
    ],
    ids=range(14),
)
def test_message_that_is_none_is_our_fault(said: Any) -> None:
    """The child reads hostile pages: what it says is believed in its form alone."""
    with pytest.raises(SourceTemporary) as caught:
        read(said)
    assert Reason.INTERNAL is caught.value.reason


def test_wishes_of_a_format_keep_secrets_for_its_own_site() -> None:
    """Cookies go to one host; headers that are ours, or none at all, go nowhere."""
    wishes = wishes_of(
        made(
            "a",
            url="https://Site.example/x",
            cookie="a=b",
            headers={
                **{"Referer": "https://page.example/", "User-Agent": "B", "Authorization": "c"},
                **{"Range": "bytes=0-", "Host": "x", "Accept-Encoding": "br", "Connection": "x"},
                **{"X-Bad": "a\r\nInjected: b", "X Bad": "c", "X-None": ""},
            },
        )
    )
    assert {"Referer": "https://page.example/", "User-Agent": "B"} == wishes.headers
    assert {"Cookie": "a=b", "Authorization": "c"} == wishes.secrets
    assert ("site.example", True) == (wishes.host, wishes.tls)
