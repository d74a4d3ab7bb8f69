"""A site that wants a login: the operator's cookies open it, go nowhere else, and are lent to nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.sources import sayer
from tests.sources.films import PAGE, web
from tests.sources.sites import HASTY, LOOPBACK, Answer, Asked, Names, Site, collected, ranged, reply, site
from uploader import limits
from uploader.cookies import CookieJars, secret_at
from uploader.errors import Reason, SourceError
from uploader.links import parse
from uploader.sources import Sources, Times
from uploader.sources.cookies import CookiesRefused
from uploader.storage.cookies import Cookies
from uploader.storage.database import Database
from uploader.wishes import ChoiceNeeded

QUICK = Times(look_s=60, fetch_s=60, silence_s=30, join_s=60)
VALUE = "very-secret-" * 60  # longer than what yt-dlp says of anything else
FILE = f".films.example\tTRUE\t/\tFALSE\t0\tsid\t{VALUE}\n".encode()


@pytest.fixture
async def cookies(tmp_path: Path) -> AsyncIterator[Cookies]:
    """The table, in a database of its own."""
    async with await Database.open(f"sqlite:///{tmp_path}/peyk.db") as database:
        yield Cookies(database)


@pytest.fixture
def jars(cookies: Cookies, tmp_path: Path) -> CookieJars:
    """The pool, empty."""
    return CookieJars(cookies, secret_at(tmp_path / "secret.key"), tmp_path / "cookies")


def members_only(answer: Answer, value: str = VALUE, status: int = 403) -> Answer:
    """A page for those who are logged in."""

    async def guarded(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await (answer if f"sid={value}" in asked.headers.get("cookie", "") else reply(status))(asked, writer)

    return guarded


@asynccontextmanager
async def members(films: Path, page: Answer) -> AsyncIterator[tuple[Site, Site]]:
    """A site with such a page, and another one, which has the film."""
    film = ranged((films / "film.mp4").read_bytes(), 'ETag: "x"', "Content-Type: video/mp4")
    async with site(film) as other, web(films, {"page_html": page}) as there:
        yield there, other


def lent(jars: CookieJars, tmp_path: Path) -> Sources:
    """Sources with a pool, in a DNS with two sites."""
    names = Names({f"{name}.example": [["127.0.0.1"]] for name in ("films", "files.films", "other")})
    return Sources(
        LOOPBACK,
        "Peyk/test",
        patience=HASTY,
        times=QUICK,
        work_dir=tmp_path / "work",
        cookies=jars,
        resolver=names,
    )


def html(film: str) -> Answer:
    """A page with that film."""
    return reply(200, "Content-Type: text/html", body=PAGE.replace("/film.mp4", film).encode())


@pytest.mark.parametrize("path", ["film.mp4", "hls/list.m3u8"])
async def test_film_behind_a_login_comes_with_cookies_and_is_private(
    path: str, jars: CookieJars, cookies: Cookies, films: Path, tmp_path: Path
) -> None:
    """Streamed or joined: asked without them first, then with them, and shared with nobody."""
    await jars.add(FILE)
    async with members(films, members_only(html(f"/{path}"))) as (there, _), lent(jars, tmp_path) as opener:
        url = f"http://films.example:{there.port}/page.html"
        async with opener.open(parse(url)) as remote:
            assert (0, True) == (remote.fresh_s, remote.is_private)
            assert b"ftyp" in (await collected(remote))[:16]
            files = [*(tmp_path / "work").rglob("*")]
            assert not any(VALUE.encode() in file.read_bytes() for file in files if file.is_file())
    looks = [asked.headers.get("cookie") for asked in there.asked if asked.path == "/page.html"]
    assert looks[0] is None
    assert f"sid={VALUE}" == looks[-1]
    (used,) = await cookies.all()
    assert (0, False) == (used.rejections, used.quarantined)
    assert used.used_at is not None


async def test_plain_file_behind_a_login_comes_with_cookies_and_is_private(
    jars: CookieJars, cookies: Cookies, films: Path, tmp_path: Path
) -> None:
    """Asked without them first, then with them, for its ranges too."""
    await jars.add(FILE)
    content = bytes(range(256)) * 4000
    guarded = members_only(ranged(content, 'ETag: "z"'))
    async with (
        site(guarded) as there,
        lent(jars, tmp_path) as opener,
        opener.open(parse(f"http://files.films.example:{there.port}/a.zip")) as remote,
    ):
        assert (0, True) == (remote.fresh_s, remote.is_private)
        assert (content, content[9:99]) == (await collected(remote), await collected(remote, 9, 99))
    said = [asked.headers.get("cookie") for asked in there.asked]
    assert [None, *[f"sid={VALUE}"] * (len(said) - 1)] == said
    assert (await cookies.all())[0].used_at is not None


async def test_cookies_for_a_plain_file_go_where_they_say_and_nowhere_else(
    jars: CookieJars, tmp_path: Path
) -> None:
    """Not to a site that a redirect leads to, not without TLS if they are for TLS, not outside their path."""
    rows = [
        *(".films.example TRUE /private FALSE 0 deep 1", ".films.example TRUE / TRUE 0 tls 2"),
        *("films.example FALSE / FALSE 0 host 3", ".films.example TRUE / FALSE 0 all 4"),
    ]
    await jars.add("\n".join(row.replace(" ", "\t") for row in rows).encode())
    async with site(ranged(b"it" * 99, 'ETag: "z"')) as trap:

        async def moved(asked: Asked, writer: asyncio.StreamWriter) -> None:
            known = "all=4" in asked.headers.get("cookie", "")
            where = f"Location: http://other.example:{trap.port}/a.zip"
            await (reply(302, where) if known else reply(403))(asked, writer)

        async with site(moved) as there, lent(jars, tmp_path) as opener:
            for host, path in (("films.example", "a.zip"), ("files.films.example", "private/a.zip")):
                async with opener.open(parse(f"http://{host}:{there.port}/{path}")) as remote:
                    assert b"it" * 99 == await collected(remote)
    said = [set(filter(None, asked.headers.get("cookie", "").split("; "))) for asked in there.asked]
    assert [set(), {"host=3", "all=4"}, set(), {"deep=1", "all=4"}] == said
    assert trap.asked
    assert {None} == {asked.headers.get("cookie") for asked in trap.asked}


async def test_choice_behind_a_login_is_for_its_person_alone(
    jars: CookieJars, films: Path, tmp_path: Path
) -> None:
    """What can be had there is nobody else's to know: it is asked of the site for each who sends the link."""
    await jars.add(FILE)
    sources = "".join(f'<source src="/film.mp4?{res}" type="video/mp4" res="{res}">' for res in (480, 240))
    page = reply(200, "Content-Type: text/html", body=f"<html><video>{sources}</video></html>".encode())
    async with members(films, members_only(page)) as (there, _), lent(jars, tmp_path) as opener:
        with pytest.raises(ChoiceNeeded) as caught:
            async with opener.open(parse(f"http://films.example:{there.port}/page.html")):
                pass
    assert (True, ["v480", "v240"]) == (
        caught.value.is_private,
        [option.key for option in caught.value.offer.options[:2]],
    )


async def test_cookies_of_a_site_are_said_to_no_other(jars: CookieJars, films: Path, tmp_path: Path) -> None:
    """The page is behind the login, its film is somebody else's."""
    await jars.add(FILE)
    async with members(films, reply(403)) as (there, other):
        film = f"http://other.example:{other.port}/film.mp4"
        async with (
            web(films, {"page_html": members_only(html(film))}) as page,
            lent(jars, tmp_path) as opener,
            opener.open(parse(f"http://films.example:{page.port}/page.html")) as remote,
        ):
            await collected(remote)
            assert remote.is_private
    assert other.asked
    assert {None} == {asked.headers.get("cookie") for asked in other.asked}
    assert [] == there.asked


async def test_open_film_is_asked_for_without_cookies_and_stays_shared(
    jars: CookieJars, films: Path, tmp_path: Path
) -> None:
    """An account is not spent on what everybody may see; another site's is not even looked at."""
    await jars.add(FILE)
    async with web(films) as there, lent(jars, tmp_path) as opener:
        async with opener.open(parse(f"http://films.example:{there.port}/page.html")) as remote:
            assert not remote.is_private
        with pytest.raises(SourceError):
            async with opener.open(parse(f"http://other.example:{there.port}/missing.html")):
                pass
    assert {None} == {asked.headers.get("cookie") for asked in there.asked}


async def test_cookies_that_a_site_rejects_are_tried_after_others_and_then_no_more(
    jars: CookieJars, cookies: Cookies, films: Path, tmp_path: Path
) -> None:
    """Three links in a row: then they are in quarantine, told once; the same link counts once."""
    bad, _ = await jars.add(FILE.replace(b"very", b"old-"))
    guarded = members_only(html("/film.mp4"), status=401)
    async with members(films, guarded) as (there, _), lent(jars, tmp_path) as opener:
        with pytest.raises(SourceError) as caught:
            async with opener.open(parse(f"http://films.example:{there.port}/page.html?1")):
                pass
        assert Reason.FORBIDDEN is caught.value.reason
        assert [1] == [each.rejections for each in await cookies.all()]
        (jar,) = await jars.choose(parse("http://films.example/"), "")
        for path in ("same", "same", "other"):
            assert [] == await cookies.untold()
            await jars.rejected(jar, parse(f"http://films.example/{path}"))
        assert [(bad, limits.COOKIE_REJECTIONS)] == [
            (each.id, each.rejections) for each in await cookies.untold()
        ]
        good, _ = await jars.add(FILE)
        async with opener.open(parse(f"http://films.example:{there.port}/page.html")) as remote:
            assert remote.is_private
    assert [(good, False), (bad, True)] == [(each.id, each.quarantined) for each in await cookies.all()]
    await cookies.told(bad)
    assert [] == await cookies.untold()
    assert await cookies.restore(bad)
    assert 2 == len(await jars.choose(parse("https://www.films.example/"), ""))


@pytest.mark.parametrize("path", ["page.html"])
async def test_cookies_when_ten_people_send_links_that_no_account_may_see_stay_good(
    path: str, jars: CookieJars, cookies: Cookies, films: Path, tmp_path: Path
) -> None:
    """A private film says nothing of the session: only a site that takes it for signed out does."""
    await jars.add(FILE)
    async with members(films, reply(403)) as (there, _), lent(jars, tmp_path) as opener:
        for number in range(10):
            with pytest.raises(SourceError) as caught:
                async with opener.open(parse(f"http://films.example:{there.port}/{path}?private={number}")):
                    pass
            assert Reason.FORBIDDEN is caught.value.reason
    assert any(f"sid={VALUE}" in asked.headers.get("cookie", "") for asked in there.asked)
    assert [(0, False)] == [(each.rejections, each.quarantined) for each in await cookies.all()]


@pytest.mark.parametrize(
    ("said", "ended"),
    [
        ("The provided YouTube account cookies are no longer valid", True),
        ("This film is private", False),
        ("The webpage request was redirected to the login page", True),
    ],
)
async def test_cookies_when_a_site_says_that_their_session_has_ended_count_as_rejected(
    said: str, ended: bool, jars: CookieJars, cookies: Cookies, tmp_path: Path
) -> None:
    """As yt-dlp passes it on; without cookies the same words are a matter of the link."""
    await jars.add(FILE.replace(b"films.example", b"says.example"))
    versions = sayer.install(tmp_path / "yt-dlp")
    names = Names({})
    async with Sources(
        (),
        "Peyk/test",
        patience=HASTY,
        times=QUICK,
        work_dir=tmp_path / "work",
        cookies=jars,
        versions=versions,
        resolver=names,
    ) as opener:
        with pytest.raises(SourceError):
            async with opener.open(parse(sayer.link(f"Private video. {said}"))):
                pass
    assert [int(ended)] == [each.rejections for each in await cookies.all()]


async def test_cookies_are_chosen_for_their_site_alone_and_by_health(
    jars: CookieJars, cookies: Cookies
) -> None:
    """Hosts below the site, and other names that yt-dlp knows it by."""
    first, second = [(await jars.add(FILE))[0] for _ in range(2)]
    assert [first, second] == [jar.id for jar in await jars.choose(parse("https://m.films.example/1"), "")]
    await cookies.worked(first)
    assert [second, first] == [jar.id for jar in await jars.choose(parse("https://films.example/1"), "")]
    await cookies.rejected(second, "a link")
    assert [first, second] == [jar.id for jar in await jars.choose(parse("https://fil.ms/1"), "films")]
    for url, family in (
        ("https://notfilms.example/", ""),
        ("https://films.example.evil.example/", "generic"),
    ):
        assert [] == await jars.choose(parse(url), family)


async def test_cookies_on_disk_are_sealed_and_the_key_is_ours_alone(
    jars: CookieJars, cookies: Cookies, tmp_path: Path
) -> None:
    """Neither the database nor a log of it holds them; another key opens nothing."""
    await jars.add(FILE)
    kept = (tmp_path / "peyk.db").read_bytes() + (tmp_path / "peyk.db-wal").read_bytes()
    assert b"films.example" in kept
    assert b"very-secret" not in kept
    assert 0o600 == (tmp_path / "secret.key").stat().st_mode & 0o777
    assert "very-secret" not in repr(await jars.choose(parse("https://films.example/"), ""))
    other = CookieJars(cookies, b"x" * 32, tmp_path)
    assert [] == await other.choose(parse("https://films.example/"), "")


async def test_files_in_the_folder_are_taken_in_and_deleted(
    jars: CookieJars, cookies: Cookies, tmp_path: Path
) -> None:
    """Named after their site; what cannot be used stays, under another name."""
    folder = tmp_path / "cookies"
    await jars.take_in()
    folder.mkdir()
    (folder / "films.example.txt").write_bytes(FILE)
    (folder / "other.example.txt").write_bytes(FILE)
    (folder / "third.example.txt").symlink_to("/etc/passwd")
    await jars.take_in()
    assert ["films.example"] == [each.site for each in await cookies.all()]
    assert {"other.example.txt.refused", "third.example.txt"} == {path.name for path in folder.iterdir()}
    with pytest.raises(CookiesRefused):
        await jars.add(FILE, "not a site")
