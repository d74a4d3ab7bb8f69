"""Redirects of every kind: followed when they lead to a link, hop by hop."""

import asyncio

import pytest

from tests.sources.sites import (
    Answer,
    Asked,
    Names,
    fetched,
    ranged,
    reply,
    site,
    sources,
)
from uploader.errors import Reason, SourceError, SourceTemporary
from uploader.links import parse
from uploader.sources.exchange import REDIRECTS

pytestmark = pytest.mark.usefixtures("chosen_here")

CONTENT = bytes(range(256)) * 40


def by_path(answers: dict[str, Answer]) -> Answer:
    """Each path its own answer; 404 for all others."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await answers.get(asked.path, reply(404))(asked, writer)

    return answer


def leads_to(location: str | bytes, status: int = 302, *lines: str) -> Answer:
    raw = location.encode() if isinstance(location, str) else location
    return reply(status, b"Location: " + raw, "Content-Length: 4", *lines, body=b"gone")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_get_of_any_redirect_follows_it(status: int) -> None:
    """All five kinds lead on; the file is named after where they end."""
    routes = by_path({"/a": leads_to("/b.bin", status), "/b.bin": ranged(CONTENT)})
    async with site(routes) as served:
        remote, body = await fetched(served.url("/a"))
    assert ("b.bin", CONTENT) == (remote.name, body)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("b.bin", "/dir/b.bin"),
        ("./b.bin", "/dir/b.bin"),
        ("../b.bin", "/b.bin"),
        ("/b.bin#part", "/b.bin"),
        ("?x=1&y=%2F", "/dir/a?x=1&y=%2F"),
        ("/with space.bin", "/with%20space.bin"),
        ("/فیلم.bin", "/%D9%81%DB%8C%D9%84%D9%85.bin"),
        (b"/caf\xe9.bin", "/caf%E9.bin"),
        pytest.param("/" + "a" * 4000, "/" + "a" * 4000, id="long"),
    ],
)
async def test_get_of_a_relative_or_raw_redirect_asks_for_what_is_meant(
    location: str | bytes, path: str
) -> None:
    """References are resolved against the hop before; raw characters are encoded, nothing is decoded.

    The read asks at the end of the redirects, and does not go their way again.
    """
    routes = by_path({"/dir/a": leads_to(location), path: ranged(CONTENT)})
    async with site(routes) as served:
        _, body = await fetched(served.url("/dir/a"))
    assert CONTENT == body
    assert ["/dir/a", path, path] == [asked.path for asked in served.asked]


async def test_get_of_a_redirect_to_another_site_takes_no_cookie_along() -> None:
    """A cookie goes back to the site that set it, and to no other."""
    async with site(ranged(CONTENT), host="127.0.0.2") as other:
        routes = by_path(
            {
                "/a": leads_to("/b", 302, "Set-Cookie: pass=1; Path=/"),
                "/b": leads_to(f"http://elsewhere.example:{other.port}/c"),
            }
        )
        names = Names({"first.example": [["127.0.0.1"]], "elsewhere.example": [["127.0.0.2"]]})
        async with site(routes) as served, sources(resolver=names) as opener:
            link = parse(f"http://first.example:{served.port}/a")
            for _ in range(2):
                async with opener.open(link):
                    pass
    assert [None, "pass=1"] * 2 == [asked.headers.get("cookie") for asked in served.asked]
    assert [None] * 2 == [asked.headers.get("cookie") for asked in other.asked]


async def test_get_of_a_redirect_loop_stops_after_ten() -> None:
    """A loop, and any longer chain, is the site's fault."""
    async with site(leads_to("/again")) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url("/again"))
    assert Reason.SITE_BROKEN is caught.value.reason
    assert not isinstance(caught.value, SourceTemporary)
    assert 1 + REDIRECTS == len(served.asked)


@pytest.mark.parametrize(
    "location",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "data:text/plain,x",
        "http://user:pass@127.0.0.1/",
        "http://[::1",
        "http://127.0.0.1:25/",
        "http://",
        "//",
        "http://a..b/",
        pytest.param("/" + "a" * 8100, id="long"),
    ],
)
async def test_get_of_a_redirect_to_no_link_goes_no_further(location: str) -> None:
    """A hop passes the same rules as what people send."""
    async with site(leads_to(location)) as served:
        with pytest.raises(SourceError) as caught:
            await fetched(served.url())
    assert Reason.SITE_BROKEN is caught.value.reason
