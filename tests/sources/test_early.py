"""Formats that a site gives out a while after it has named them: they are waited for, each time anew."""

import asyncio
from pathlib import Path
from time import monotonic

from tests.sources import sayer
from tests.sources.sites import HASTY, LOOPBACK, Answer, Asked, collected, ranged, reply, site
from uploader.links import parse
from uploader.sources import Sources

WAIT_S = 1.5


def given_out_late(answer: Answer, asked_early: list[str]) -> Answer:
    """A site that refuses what is asked for before `WAIT_S` have passed since the look."""
    looked_at = [0.0]

    async def late(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith("?look"):
            looked_at.append(monotonic())
            await reply(200, body=b"a page")(asked, writer)
            return
        is_early = monotonic() - looked_at[-1] < WAIT_S
        if is_early:
            asked_early.append(asked.path)
        await (reply(403) if is_early else answer)(asked, writer)

    return late


async def test_format_when_it_is_given_out_later_is_not_asked_for_before(films: Path, tmp_path: Path) -> None:
    """The end of an advertisement is waited for (yt-dlp/yt-dlp#14646, museofficial/muse#1342)."""
    content = (films / "film.mp4").read_bytes()
    early: list[str] = []
    versions = sayer.install(tmp_path / "yt-dlp")
    async with (
        site(given_out_late(ranged(content, 'ETag: "x"', "Content-Type: video/mp4"), early)) as there,
        Sources(LOOPBACK, "Peyk/test", patience=HASTY, work_dir=tmp_path / "w", versions=versions) as sources,
        sources.open(parse(sayer.film(there.url("/film.mp4"), WAIT_S))) as remote,
    ):
        assert content == await collected(remote)
    assert [] == early
