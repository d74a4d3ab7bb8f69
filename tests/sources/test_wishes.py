"""Films as they are wished: the sound alone, a span, with subtitles. Real yt-dlp, real ffmpeg, real sites."""

import asyncio
import io
import json
import os
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from av.subtitles.subtitle import AssSubtitle

from tests.sources.films import SECONDS, ffmpeg, web
from tests.sources.sites import HASTY, Asked, collected, head, in_turn, ranged, reply, silence
from tests.sources.test_media import brought, folders, media, seen, starts_fast
from tests.sources.test_media import work as work
from tests.sources.test_offers import MASTER, listed
from tests.sources.test_pairs import PAIR
from tests.sources.test_process import state_of
from tests.sources.traps import trap
from uploader.errors import Reason, SourceError
from uploader.limits import MIB
from uploader.links import parse
from uploader.model import MediaFacts, RemoteFile
from uploader.sources import Sources
from uploader.sources.media.extras import cut_subtitles
from uploader.wishes import BEST, Wish

OPEN = "127.0.0.9"


def told_of(here: str, cover: str) -> bytes:
    """A page that tells of the film at the site `here`."""
    about = {
        **{"@context": "https://schema.org", "@type": "VideoObject", "name": "The Tone", "author": "Anna"},
        **{"contentUrl": f"{here}/film.mp4", "thumbnailUrl": cover, "uploadDate": "2024-05-01"},
    }
    return f"<html><script type='application/ld+json'>{json.dumps(about)}</script></html>".encode()


async def page(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A page that tells of its film and of its cover."""
    here = f"http://{asked.headers['host']}"
    body = told_of(here, f"{here}/cover.jpg")
    await reply(200, "Content-Type: text/html", body=body)(asked, writer)


@dataclass(frozen=True)
class Heard:
    """What a player finds in a song."""

    container: str
    codec: str
    duration_s: float
    tags: dict[str, str]
    cover: tuple[int, int] | None


def heard(body: bytes) -> Heard:
    """Play all of it."""
    with av.open(io.BytesIO(body), "r") as song:
        covers = [each for each in song.streams.video if each.disposition & Disposition.attached_pic]
        assert len(covers) == len(song.streams.video)
        sound = song.streams.audio[0]
        tags = {**sound.metadata, **song.metadata}
        codec = sound.codec_context.codec.canonical_name
        seconds = sum(frame.samples / frame.sample_rate for frame in song.decode(sound))
        return Heard(
            container=song.format.name,
            codec=codec,
            duration_s=seconds,
            tags={name.lower(): value for name, value in tags.items()},
            cover=(covers[0].width, covers[0].height) if covers else None,
        )


@dataclass(frozen=True)
class Words:
    """The subtitles that a player finds in a film."""

    codec: str
    language: str | None
    lines: list[tuple[float, str]]  # when they are shown, in seconds, and what they say


def words(body: bytes) -> list[Words]:
    """Read them."""
    with av.open(io.BytesIO(body), "r") as film:
        return [
            Words(
                codec=each.codec_context.name,
                language=each.language,
                lines=[
                    (
                        round(float((packet.pts or 0) * packet.time_base), 2),
                        line.ass.decode().rpartition(",")[2],
                    )
                    for packet in film.demux(each)
                    if packet.size > 2
                    for line in packet.decode()
                    if isinstance(line, AssSubtitle)
                ],
            )
            for each in film.streams.subtitles
        ]


async def test_sound_of_a_film_has_its_codec_its_tags_and_its_cover(films: Path, work: Path) -> None:
    """Taken out of a film that is streamed: as it is, or encoded."""
    expected = {
        "m4a": ("The Tone.m4a", "audio/mp4", "aac", "mov,mp4,m4a,3gp,3g2,mj2"),
        "opus": ("The Tone.opus", "audio/ogg", "opus", "ogg"),
    }
    found = {}
    async with web(films, {"page_html": page}) as there, media(work) as sources:
        for kind in expected:
            remote, body = await brought(sources, there.url("/page.html"), Wish(format=kind))
            song = heard(body)
            found[kind] = (remote.name, remote.mime_type, song.codec, song.container)
            told = [song.tags[name] for name in ("title", "artist", "date")]
            assert (["The Tone", "Anna", "2024-05-01"], (320, 180)) == (told, song.cover)
            assert SECONDS == pytest.approx(song.duration_s, abs=0.1)
            assert starts_fast(body) or kind != "m4a"
    assert expected == found


async def test_sound_of_a_pair_is_its_own_file(films: Path, work: Path) -> None:
    """Of picture and sound that lie apart, the picture is not even asked for."""
    pair = reply(200, "Content-Type: application/dash+xml", body=PAIR.encode())
    async with web(films, {"pair_mpd": pair}) as there, media(work) as sources:
        remote, body = await brought(sources, there.url("/pair.mpd"), Wish(format="m4a"))
    song = heard(body)
    assert ("pair.m4a", "aac", None) == (remote.name, song.codec, song.cover)
    assert [] == [asked.path for asked in there.asked if asked.path == "/picture.mp4"]


@pytest.mark.parametrize(
    ("path", "wish", "name", "codecs"),
    [
        ("/film.mp4", Wish(start_s=1, stop_s=2), "film.mp4", ["aac", "h264"]),
        ("/late.mp4", Wish(start_s=1, stop_s=2), "late.mp4", ["aac", "h264"]),
        ("/film.mkv", Wish(start_s=1, stop_s=2), "film.mkv", ["aac", "h264"]),
        ("/whole.mp4", Wish(start_s=2), "whole.mp4", ["aac", "h264"]),
        ("/tone.mp3", Wish(stop_s=1), "tone.mp3", ["mp3float"]),
        ("/film.mp4", Wish(format="mp3", start_s=2, stop_s=9), "film.mp3", ["mp3float"]),
        ("/film.mp4", Wish(start_s=1.5, stop_s=2.5), "film.mp4", ["aac", "h264"]),
        ("/tone.m4a", Wish(format="mp3"), "tone.m4a", ["aac"]),
    ],
)
async def test_plain_file_when_a_span_of_it_or_its_sound_is_wished_is_that(
    path: str, wish: Wish, name: str, codecs: list[str], films: Path, work: Path
) -> None:
    """A second of each, but a song of which only the sound is wished: that it is already."""
    whole = reply(200, "Content-Type: video/mp4", body=(films / "film.mp4").read_bytes())
    async with web(films, {"whole_mp4": whole}) as there, media(work) as sources:
        remote, body = await brought(sources, there.url(path), wish)
    film = seen(body)
    assert (name, codecs, len(body)) == (remote.name, film.codecs, remote.size_bytes)
    seconds = SECONDS if path == "/tone.m4a" else 1
    assert seconds == pytest.approx(film.duration_s, abs=0.15)
    assert starts_fast(body) or not name.endswith("mp4")


@pytest.mark.parametrize(
    ("path", "name"),
    [("/hls/list.m3u8", "list.mp4"), ("/fmp4/list.m3u8", "list.mp4"), ("/film.ts", "film.mp4")],
)
async def test_span_that_begins_between_key_frames_has_all_its_pictures(
    path: str, name: str, films: Path, work: Path
) -> None:
    """Also of a transport stream, in which nobody finds key frames."""
    stream = b"".join((films / "hls" / f"list{number}.ts").read_bytes() for number in range(SECONDS))
    film = ranged(stream, 'ETag: "x"', "Content-Type: video/mp2t")
    async with web(films, {"film_ts": film}) as there, media(work) as sources:
        url = there.url(path)
        remote, body = await brought(sources, url, Wish(format=BEST, start_s=1.48, stop_s=2.48))
    assert (name, ["aac", "h264"], 25) == (remote.name, seen(body).codecs, seen(body).frames)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of noise in many bytes, in one piece and in fragments."""
    folder = tmp_path_factory.mktemp("long")
    noise = ("-f", "lavfi", "-i", "color=size=320x180:rate=25:duration=8,noise=alls=100:allf=t")
    ffmpeg(
        *noise, "-c:v", "mpeg4", "-q:v", "2", "-g", "25", "-movflags", "+faststart", "whole.mp4", cwd=folder
    )
    ffmpeg("-i", "whole.mp4", "-c", "copy", "-movflags", "+frag_keyframe+empty_moov", "parts.mp4", cwd=folder)
    return folder


async def test_span_of_a_film_in_fragments_is_found(long: Path, work: Path) -> None:
    """Its beginning does not tell how long it is."""
    async with web(long) as there, media(work) as sources:
        _, body = await brought(sources, there.url("/parts.mp4"), Wish(start_s=7))
    assert seen(body).duration_s == pytest.approx(1, abs=0.1)


async def test_span_of_a_long_film_is_read_and_nothing_between(long: Path, work: Path) -> None:
    """The site gives its beginning and its end, and keeps what lies between to itself."""
    content = (long / "whole.mp4").read_bytes()
    assert len(content) > 8 * MIB

    async def ends_alone(asked: Asked, writer: asyncio.StreamWriter) -> None:
        first = int(asked.headers["range"].removeprefix("bytes=").partition("-")[0])
        kept = MIB + 100_000 if first < len(content) * 3 // 4 else None
        await ranged(content, 'ETag: "x"', breaks_at=None if kept is None else max(0, kept - first))(
            asked, writer
        )
        if kept is not None and not asked.headers["range"].endswith(f"-{MIB - 1}"):
            await silence(asked, writer)

    async with web(long, {"whole_mp4": ends_alone}) as there, media(work) as sources:
        _, body = await brought(sources, there.url("/whole.mp4"), Wish(start_s=7))
    assert ["mpeg4"] == seen(body).codecs
    assert seen(body).duration_s == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("path", "wish"),
    [("/hls/list.m3u8", Wish(format=BEST)), ("/film.mp4", Wish(format="mp3")), ("/film.mp4", Wish())],
)
async def test_film_that_is_made_tells_how_much_of_it_is_there(
    path: str, wish: Wish, films: Path, work: Path
) -> None:
    """Fetched in segments, or read to ffmpeg; what is streamed tells nothing before it flows."""
    told: list[int] = []
    async with (
        web(films) as there,
        media(work) as sources,
        sources.open(parse(there.url(path)), wish, fetched=told.append),
    ):
        pass
    assert sorted(told) == told
    assert bool(told) == bool(wish.format)
    if path == "/film.mp4" and told:
        assert told[-1] == pytest.approx((films / "film.mp4").stat().st_size, rel=0.2)


async def test_span_of_a_pair_is_cut_out_of_both(films: Path, work: Path) -> None:
    """Picture and sound begin together."""
    pair = reply(200, "Content-Type: application/dash+xml", body=PAIR.encode())
    async with web(films, {"pair_mpd": pair}) as there, media(work) as sources:
        _, body = await brought(sources, there.url("/pair.mpd"), Wish(format=BEST, start_s=1, stop_s=2))
    film = seen(body)
    assert ["aac", "h264"] == film.codecs
    assert film.frames == pytest.approx(25, abs=2)
    assert film.duration_s == pytest.approx(1, abs=0.15)
    assert starts_fast(body)


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/film.mp4", Wish(start_s=SECONDS + 1)),
        ("/hls/list.m3u8", Wish(format=BEST, start_s=SECONDS + 1)),
        ("/film.mp4", Wish(start_s=2, stop_s=2)),
        ("/noise.mp4", Wish(start_s=1)),
        ("/picture.mp4", Wish(format="mp3")),
    ],
)
async def test_what_is_wished_and_cannot_be_made_says_why(
    path: str, wish: Wish, films: Path, work: Path
) -> None:
    """A span behind the end, nothing that could be cut, no sound."""
    noise = ranged(bytes(range(256)) * 20_000, 'ETag: "x"', "Content-Type: video/mp4")
    async with web(films, {"noise_mp4": noise}) as there, media(work) as sources:
        with pytest.raises(SourceError) as caught:
            await brought(sources, there.url(path), wish)
    reasons = {"/noise.mp4": Reason.SITE_BROKEN, "/picture.mp4": Reason.NO_SOUND}
    assert reasons.get(path, Reason.OUT_OF_RANGE) is caught.value.reason


async def test_file_that_is_gone_while_a_span_of_it_is_read_says_so(films: Path, work: Path) -> None:
    """What the site says is what people are told, and not that ffmpeg failed."""
    content = (films / "film.mp4").read_bytes()
    going = in_turn(ranged(content, 'ETag: "x"', "Content-Type: video/mp4"), reply(404))
    async with web(films, {"film_mp4": going}) as there, media(work) as sources:
        with pytest.raises(SourceError) as caught:
            await brought(sources, there.url("/film.mp4"), Wish(start_s=1))
    assert Reason.NOT_FOUND is caught.value.reason


VTT = """WEBVTT

00:00.100 --> 00:00.500
not in the span

00:00.900 --> 00:01.500
سلام

00:02.000 --> 00:02.500
two
lines
"""
TRACK = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n{}\n#EXT-X-ENDLIST\n"


async def test_subtitles_that_are_wished_are_a_track_of_the_film(films: Path, work: Path) -> None:
    """In their language; of a span, those that belong to it."""
    answers = {
        "master_m3u8": listed(MASTER),
        "fa_m3u8": listed(TRACK.format("/fa.vtt")),
        "fa_vtt": reply(200, "Content-Type: text/vtt", body=VTT.encode()),
    }
    wish = Wish(format="v180", subtitles="fa", start_s=1)
    async with (
        web(films, answers) as there,
        media(work) as sources,
        sources.open(parse(there.url("/master.m3u8")), wish) as remote,
    ):
        body, facts = await collected(remote), await facts_of(remote)
    assert [Words("mov_text", "fas", [(0.0, "سلام"), (1.0, "two\\Nlines")])] == words(body)
    assert (["aac", "h264", "mov_text"], "fas") == (seen(body).codecs, facts.subtitles)
    assert seen(body).duration_s == pytest.approx(SECONDS - 1, abs=0.15)
    assert starts_fast(body)


SUBRIP = "1\n00:00:01,000 --> 00:00:02,500\none\n\n2\n00:59:59,500 --> 01:00:01,000\ntwo\n\n"


@pytest.mark.parametrize(
    ("start_s", "stop_s", "expected"),
    [
        (0.0, None, SUBRIP),
        (1.5, 3.0, "1\n00:00:00,000 --> 00:00:01,000\none\n\n"),
        (2.0, 2.25, "1\n00:00:00,000 --> 00:00:00,250\none\n\n"),
        (3600.0, None, "1\n00:00:00,000 --> 00:00:01,000\ntwo\n\n"),
        (2.5, 3599.5, ""),
    ],
)
def test_subtitles_of_a_span_begin_with_it(start_s: float, stop_s: float | None, expected: str) -> None:
    """What is shown in it, as long as it lasts."""
    assert expected == cut_subtitles(SUBRIP, start_s, stop_s)


@pytest.mark.parametrize("harm", ["inside", "noise", "endless"])
async def test_film_whose_subtitles_are_bad_comes_without(harm: str, films: Path, work: Path) -> None:
    """Nobody follows them inside, and no more of them is read than subtitles have."""
    async with trap() as caught:
        inside = f"http://127.0.0.2:{caught.port}/fa.vtt"
        track = TRACK.format(inside if harm == "inside" else "/fa.vtt")
        harms = {
            "noise": reply(200, "Content-Type: text/vtt", body=bytes(range(256)) * 100),
            "endless": reply(200, "Content-Type: text/vtt", body=b"WEBVTT\n\n" + b"a" * 9 * MIB),
        }
        answers = {
            "master_m3u8": listed(MASTER),
            "fa_m3u8": listed(track),
            "fa_vtt": harms.get(harm, reply(404)),
        }
        async with (
            web(films, answers, OPEN) as there,
            Sources([ip_network(f"{OPEN}/32")], "Peyk/test", patience=HASTY, work_dir=work) as sources,
            sources.open(parse(there.url("/master.m3u8")), Wish(format="v180", subtitles="fa")) as remote,
        ):
            body, facts = await collected(remote), await facts_of(remote)
    assert "/fa.m3u8" in {asked.path for asked in there.asked}
    assert ([], "", ["aac", "h264"], 0) == (
        words(body),
        facts.subtitles,
        seen(body).codecs,
        caught.connections,
    )


async def test_song_whose_cover_lies_inside_comes_without(films: Path, work: Path) -> None:
    """Nobody looks at it there; and where children have no network of their own, it is made as well."""
    async with trap() as caught:
        cover = f"http://127.0.0.2:{caught.port}/cover.jpg"

        async def inside(asked: Asked, writer: asyncio.StreamWriter) -> None:
            body = told_of(f"http://{asked.headers['host']}", cover)
            await reply(200, "Content-Type: text/html", body=body)(asked, writer)

        async with (
            web(films, {"page_html": inside}, OPEN) as there,
            Sources(
                [ip_network(f"{OPEN}/32")], "Peyk/test", patience=HASTY, work_dir=work, isolated=False
            ) as sources,
        ):
            _, body = await brought(sources, there.url("/page.html"), Wish(format="m4a"))
    assert ("aac", None, 0) == (heard(body).codec, heard(body).cover, caught.connections)


async def test_film_of_segments_above_the_cap_is_brought_if_volumes_are_wished(
    films: Path, work: Path
) -> None:
    """Nobody said how much it weighs; whoever takes it in volumes gets it."""
    async with web(films) as there, media(work, cap_bytes=50_000) as sources:
        _, body = await brought(sources, there.url("/hls/list.m3u8"), most_bytes=10 * MIB)
    assert 25 * SECONDS == seen(body).frames


@pytest.mark.parametrize("wish", [Wish(format="mp3"), Wish(start_s=1)])
async def test_cancel_while_a_film_is_made_leaves_nothing(wish: Wish, films: Path, work: Path) -> None:
    """ffmpeg waits for a site that says no more; it is gone with its folder."""
    content = (films / "film.mp4").read_bytes()
    stalled = asyncio.Event()

    async def stall(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.headers["range"] == f"bytes=0-{len(content) - 1}" and _ffmpegs():
            writer.write(head(206, f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}", 'ETag: "x"'))
            stalled.set()
            await silence(asked, writer)
        await ranged(content, 'ETag: "x"')(asked, writer)

    async with web(films, {"film_mp4": stall}) as there, media(work) as sources:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(brought(sources, there.url("/film.mp4"), wish))
            async with asyncio.timeout(20):
                await stalled.wait()
            children = _ffmpegs()
            task.cancel()
        assert ([], 1) == (folders(work), len(children))
        assert [] == [pid for pid in children if state_of(pid) not in "ZX"]


def _ffmpegs() -> list[int]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listed if b"ffmpeg" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def facts_of(remote: RemoteFile) -> MediaFacts:
    """What is known of a film."""
    assert remote.facts is not None
    facts = await remote.facts()
    assert facts is not None
    return facts
