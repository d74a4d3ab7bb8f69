"""What is offered of a film, and what is brought of the formats for each wish."""

from pathlib import Path

import pytest

from tests.sources.films import ffmpeg, web
from tests.sources.sites import Answer, reply
from tests.sources.test_formats import CAP, HLS, film, made, picture, sound
from tests.sources.test_media import brought, media, seen
from tests.sources.test_media import work as work
from tests.sources.test_pairs import PAIR
from uploader.errors import Reason, SourceError
from uploader.sources.media.formats import choose
from uploader.sources.media.messages import Film, Format
from uploader.sources.media.offers import offer_of
from uploader.wishes import ASK, ORIGINAL, ChoiceNeeded, Option, Wish

AAC = sound("aac", audio="mp4a.40.2", size_bytes=100)
OPUS = sound("opus", audio="opus", ext="webm", size_bytes=120, kbps=130)
TALL = picture("tall", height=1080, fps=60, video="avc1.64", size_bytes=1500)
VP9 = picture("vp9", height=1080, fps=60, video="vp9", ext="webm", size_bytes=1400, kbps=9000)
HUGE = picture("huge", height=2160, video="vp9", ext="webm", about_bytes=5000, kbps=20_000)
SMALL = made("small", height=360, size_bytes=300)


def lines(found: Film) -> list[tuple[str, int | None, int | None, bool, bool]]:
    """The options, one after the other."""
    return [
        (each.key, each.height, each.size_bytes, each.is_about, each.is_over_cap)
        for each in offer_of(found, CAP).options
    ]


def lasting(duration_s: float, *formats: Format) -> Film:
    """A film of that length."""
    return film(*formats).model_copy(update={"duration_s": duration_s})


def test_offer_of_a_film_in_many_formats_tells_sizes_and_what_is_above_the_cap() -> None:
    """Each height once, by the best of it that plays in a chat; sounds; the original, for it differs."""
    found = lasting(0.01, OPUS, AAC, SMALL, VP9, TALL, HUGE)
    assert [
        ("v2160", 2160, 5100, True, True),
        ("v1080", 1080, 1600, False, False),
        ("v360", 360, 300, False, False),
        ("m4a", None, 100, True, False),
        ("mp3", None, 237, True, False),
        ("opus", None, 120, True, False),
        ("original", 2160, 5120, True, True),
    ] == lines(found)
    assert 60 == offer_of(found, CAP).options[1].fps


@pytest.mark.parametrize(
    "formats",
    [
        (made("a"),),
        (made("a"), made("b", has_drm=True)),
        (picture("a"), picture("b")),
        (made("a", height=None, audio=""), made("b", height=None, audio="")),
    ],
)
def test_offer_of_a_film_without_a_choice_has_no_options(formats: tuple[Format, ...]) -> None:
    """One format, or one height and no sound."""
    assert () == offer_of(film(*formats), CAP).options


def test_offer_of_formats_without_heights_is_the_best_or_its_sound() -> None:
    """Nobody knows what is what: the source's order counts."""
    found = film(made("a", height=None), made("b", height=None))
    assert [Option(key="best"), Option(key="m4a"), Option(key="mp3"), Option(key="opus")] == list(
        offer_of(found, CAP).options
    )


def test_offer_of_sounds_alone_has_the_original_among_them() -> None:
    """A song site's files are offered as they are, too."""
    song = lasting(100, sound("s1", audio="mp3", size_bytes=50), sound("s2", audio="opus", size_bytes=40))
    assert ["m4a", "mp3", "opus", "original"] == [each[0] for each in lines(song)]


@pytest.mark.parametrize(
    ("wish", "formats", "expected", "container"),
    [
        ("v1080", [AAC, SMALL, VP9, TALL, HUGE], "tall+aac", "mp4"),
        ("v720", [AAC, SMALL, VP9, TALL, HUGE], "small", None),
        ("v144", [AAC, SMALL, TALL], "small", None),
        ("v2160", [AAC, SMALL, HUGE], "huge+aac", "mp4"),
        ("v720", [made("a", height=None), made("b", height=None)], "b", None),
        ("v720", [sound("s")], "s", None),
        ("vast", [SMALL, made("b")], "b", None),
        ("original", [OPUS, AAC, SMALL, VP9, TALL], "vp9+opus", "webm"),
        ("original", [AAC, SMALL, VP9], "vp9+aac", "mkv"),
        ("original", [AAC, OPUS, picture("p", height=1080, ext="mp4", kbps=9)], "p+opus", "mkv"),
        ("original", [sound("fa", language="fa", kbps=9), sound("en"), TALL], "tall+en", "mp4"),
        ("original", [made("a", quality=1, height=None), made("b")], "a", None),
        ("original", [made("a", **HLS)], "a", "mp4"),
        ("m4a", [OPUS, AAC, SMALL], "aac", "m4a"),
        ("opus", [OPUS, AAC, SMALL], "opus", "opus"),
        ("mp3", [OPUS, AAC, SMALL], "aac", "mp3"),
        ("mp3", [sound("s", audio="mp3"), AAC], "s", "mp3"),
        ("m4a", [made("a", height=144), made("b", height=480), made("c", height=1080)], "b", "m4a"),
        ("m4a", [made("a", height=144), made("b", height=240)], "b", "m4a"),
    ],
)  # fmt: skip
def test_format_that_is_wished_for_is_brought_or_the_nearest(
    wish: str, formats: list[Format], expected: str, container: str | None
) -> None:
    """At most the height, whatever it weighs; a sound as it is if that can be."""
    choice = choose(film(*formats), CAP, wish=wish, most_bytes=10_000)
    assert (expected, container) == ("+".join(each.id for each in choice.formats), choice.container)


@pytest.mark.parametrize(
    ("wish", "most_bytes", "expected"),
    [("best", 0, None), ("best", 2500, "b"), ("v720", 2500, None), ("v720", 3500, "c"), ("v360", 0, None)],
)
def test_film_with_every_format_above_the_cap_is_brought_if_volumes_are_wished(
    wish: str, most_bytes: int, expected: str | None
) -> None:
    """The one that is least above it, or the one that was chosen."""
    found = film(
        made("a", size_bytes=2600), made("b", size_bytes=2100), made("c", height=720, size_bytes=3000)
    )
    if expected is not None:
        assert [expected] == [
            each.id for each in choose(found, CAP, wish=wish, most_bytes=most_bytes).formats
        ]
        return
    with pytest.raises(SourceError) as caught:
        choose(found, CAP, wish=wish, most_bytes=most_bytes)
    assert Reason.TOO_LARGE is caught.value.reason


def test_sound_of_a_silent_film_is_refused() -> None:
    """Nothing can be taken out of it."""
    with pytest.raises(SourceError) as caught:
        choose(film(picture("p")), CAP, wish="mp3")
    assert Reason.NO_SOUND is caught.value.reason


MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="فارسی",LANGUAGE="fa",URI="/fa.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="/en.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2",SUBTITLES="s"
/hls/list.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=160x90,CODECS="avc1.42c00d,mp4a.40.2",SUBTITLES="s"
/hls/list.m3u8
"""


def listed(text: str) -> Answer:
    """A list of segments, or of lists."""
    return reply(200, "Content-Type: application/vnd.apple.mpegurl", body=text.encode())


async def test_film_with_a_choice_asks_and_brings_what_was_chosen(films: Path, work: Path) -> None:
    """Heights, sounds and subtitles of a list of lists; nothing of the film flows before the choice."""
    async with web(films, {"master_m3u8": listed(MASTER)}) as there, media(work) as sources:
        with pytest.raises(ChoiceNeeded) as caught:
            await brought(sources, there.url("/master.m3u8"), Wish(format=ASK))
        asked = [each.path for each in there.asked]
        remote, _ = await brought(sources, there.url("/master.m3u8"), Wish(format="v144"))
    offer = caught.value.offer
    assert ("film", "master", ("fa", "en")) == (offer.kind, offer.title, offer.subtitles)
    assert ["v180", "v90", "m4a", "mp3", "opus"] == [each.key for each in offer.options]
    assert [] == [path for path in asked if path.endswith(".ts")]
    assert "master.mp4" == remote.name


@pytest.mark.parametrize("path", ["/film.mp4", "/page.html", "/hls/list.m3u8"])
async def test_link_without_a_choice_does_not_ask(path: str, films: Path, work: Path) -> None:
    """A plain file, a page with one film, a list in one format."""
    async with web(films) as there, media(work) as sources:
        _, body = await brought(sources, there.url(path), Wish(format=ASK))
    assert len(body) > 10_000


async def test_original_of_a_pair_is_joined_in_the_container_that_it_comes_in(
    films: Path, work: Path
) -> None:
    """A picture and a sound of WebM stay WebM."""
    for name, encoder in (("v", ("-an", "-c:v", "libvpx", "-deadline", "realtime")), ("a", ("-vn",))):
        ffmpeg("-i", "film.mp4", *encoder, f"{name}.webm", cwd=films)
    pair = PAIR.replace("picture.mp4", "v.webm").replace("tone.m4a", "a.webm").replace("/mp4", "/webm")
    pair = pair.replace("avc1.42c00d", "vp8").replace("mp4a.40.2", "opus")
    answer = reply(200, "Content-Type: application/dash+xml", body=pair.encode())
    async with web(films, {"pair_mpd": answer}) as there, media(work) as sources:
        remote, body = await brought(sources, there.url("/pair.mpd"), Wish(format=ORIGINAL))
    assert ("pair.webm", "video/webm") == (remote.name, remote.mime_type)
    assert ["opus", "vp8"] == seen(body).codecs
