"""A film whose picture and sound lie apart, each as one file: both are fetched at once, and joined."""

import asyncio
from pathlib import Path

from tests.sources.films import SECONDS, web
from tests.sources.sites import Answer, Asked, ranged, reply
from tests.sources.test_media import brought, media, seen, starts_fast
from tests.sources.test_media import work as work

PAIR = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT3S"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="v" codecs="avc1.42c00d" width="320" height="180"
 bandwidth="1000"><BaseURL>picture.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" codecs="mp4a.40.2" bandwidth="64">
<BaseURL>tone.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""


async def test_picture_and_sound_when_they_lie_apart_are_fetched_at_once(films: Path, work: Path) -> None:
    """Each part's bytes wait for the other's request: one after the other, neither would come."""
    both = asyncio.Barrier(2)

    def waiting(name: str) -> Answer:
        give = ranged((films / name).read_bytes(), f'ETag: "{name}"')

        async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.headers.get("range") != "bytes=0-0":
                await asyncio.wait_for(both.wait(), 20)
            await give(asked, writer)

        return answer

    answers = {
        "pair_mpd": reply(200, "Content-Type: application/dash+xml", body=PAIR.encode()),
        "picture_mp4": waiting("picture.mp4"),
        "tone_m4a": waiting("tone.m4a"),
    }
    async with web(films, answers) as there, media(work) as sources:
        _, body = await brought(sources, there.url("/pair.mpd"))
    film = seen(body)
    assert (["aac", "h264"], 25 * SECONDS) == (film.codecs, film.frames)
    assert starts_fast(body)
