"""Lists of films as a real yt-dlp finds them: what is offered of them, and within which bounds."""

from pathlib import Path

import pytest

from tests.sources.films import web
from tests.sources.sites import reply
from tests.sources.test_media import brought, media, seen
from tests.sources.test_media import work as work
from uploader.wishes import BEST, ChoiceNeeded, Entry, Offer, Wish

RSS = "Content-Type: application/rss+xml"
HTML = "Content-Type: text/html"


def feed(items: str) -> bytes:
    """A feed with these entries."""
    head = '<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title>'
    return f"{head}{items}</channel></rss>".encode()


def item(title: str, link: str) -> str:
    """One entry of a feed."""
    return f'<item><title>{title}</title><enclosure url="{link}" type="video/mp4"/></item>'


async def offered(work: Path, films: Path, page: bytes, kind: str) -> tuple[Offer, str, list[str]]:
    """What is offered of a page, whatever format is wished; its site, and what that was asked for."""
    async with web(films, {"list": reply(200, kind, body=page)}) as there, media(work) as sources:
        with pytest.raises(ChoiceNeeded) as asked:
            await brought(sources, there.url("/list"), Wish(format=BEST))
        return asked.value.offer, there.url(""), [each.path for each in there.asked]


async def test_page_when_several_films_are_on_it_offers_each_by_its_own_address(
    work: Path, films: Path
) -> None:
    """Two films, one of them shown twice; a page with one film is that film, however often it shows it."""
    video = '<video src="/{}" controls></video>'
    once = "".join(map(video.format, ("film.mp4", "late.mp4", "film.mp4")))
    page = f"<html><head><title>Two films</title></head><body>{once}</body></html>".encode()
    offer, there, _ = await offered(work, films, page, HTML)
    assert ("list", "Two films", 2) == (offer.kind, offer.title, offer.count)
    assert [f"{there}/film.mp4", f"{there}/late.mp4"] == [entry.link for entry in offer.entries]
    same = (video.format("film.mp4") * 3).encode()
    async with web(films, {"list": reply(200, HTML, body=same)}) as site, media(work) as sources:
        _, body = await brought(sources, site.url("/list"), Wish(format=BEST))
    assert "h264" in seen(body).codecs


async def test_feed_when_it_is_hostile_is_offered_within_bounds_and_none_of_it_is_asked_for(
    work: Path, films: Path
) -> None:
    """More entries than are looked at, endless titles and links, and other schemes: told as they are, cut."""
    odd = [("x" * 100_000, "file:///etc/passwd"), ("\u202efdp.exe", "http://10.0.0.7/" + "y" * 100_000)]
    many = [(f"Part {at}", f"http://films.example/{at}.mp4") for at in range(700)]
    page = feed("".join(item(*each) for each in [*odd, *many]))
    offer, _, asked = await offered(work, films, page, RSS)
    assert (None, 500) == (offer.count, len(offer.entries))
    assert [
        Entry(link="file:///etc/passwd", title="x" * 120),
        Entry(link="", title="\u202efdp.exe"),
        Entry(link="http://films.example/0.mp4", title="Part 0"),
    ] == list(offer.entries[:3])
    assert {"/list"} == set(asked)
