"""Which way a link takes, measured on all links that yt-dlp's extractors are tested with."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes

from uploader.errors import NotALink, Reason
from uploader.links import parse, without_fragment
from uploader.model import Link
from uploader.sources.guard import Guard
from uploader.sources.media.extractors import Extractors, needed
from uploader.sources.routing import Route, Source, explain, is_file, route

RUN = Path(__file__).parents[2] / "run.py"

FILES = [
    "https://example.com/file.zip",
    "https://example.com/a/b/c/movie.mp4",
    "http://example.com/movie.MKV",
    "https://example.com/archive.tar.gz",
    "https://example.com/disk.iso",
    "https://example.com/app-release.apk",
    "https://example.com/setup.exe",
    "https://example.com/book.epub",
    "https://example.com/report.pdf",
    "https://example.com/report.pdf#page=3",
    "https://example.com/song.mp3?token=abc",
    "https://example.com/song.flac?a=1&b=2",
    "https://example.com/two%20words.avi",
    "https://example.com/two words.avi",
    "https://example.com/%D9%81%DB%8C%D9%84%D9%85.mp4",
    "https://example.com/فیلم.mp4",
    "https://پیک.ایران/فایل.zip",
    "http://example.com:8080/file.rar",
    "http://203.0.113.9/file.7z",
    "http://[2001:db8::1]/file.7z",
    "http://[2001:db8::1]:8080/pub/file.7z",
    "https://example.com/v1.2.3/tool-1.2.3.tar.xz",
    "https://example.com/tool_1.2.3_amd64.deb",
    "https://example.com/a.b.c.d.bin",
    "https://example.com/data.csv",
    "https://example.com/data.json",
    "https://example.com/picture.jpg",
    "https://example.com/picture.webp?w=100",
    "https://example.com/Film.2024.1080p.BluRay.x264-GROUP.mkv",
    "https://example.com/Series.S01E02.mp4",
    "https://example.com/part.z01",
    "https://example.com/part.r00",
    "https://example.com/subtitle.srt",
    "https://example.com/font.woff2",
    "https://example.com/clip.webm",
    "https://example.com/clip.m4v",
    "https://example.com/firmware.img.xz",
    "https://example.com/package.whl",
    "https://example.com/kernel.ko",
    "https://example.com/model.safetensors",
    "https://cdn.example.com/x/y.mp4?Expires=1&Signature=a~b__&Key-Pair-Id=K",
    "https://bucket.s3.example.com/key/of/a/thing.zip?X-Amz-Signature=0&X-Amz-Expires=60",
    "https://example.com/get.php?file=movie.mkv",
    "https://example.com/index.php?download=1&id=5",
    "https://example.com/uc?export=download&id=abc",
    "https://example.com/storage/v1/b/x/o/y?alt=media",
    "https://example.com/download/12345",
    "https://example.com/files/12345/download",
    "https://example.com/dl/9f8e7d",
    "https://example.com/x?response-content-disposition=attachment%3B%20filename%3D%22a.zip%22",
    "https://downloads.example.org/pub/linux/release/latest.torrent",
    "https://web.example.org/web/20200101000000id_/http://example.com/a.zip",
]

PAGES = [
    "https://example.com/",
    "https://example.com/watch/123",
    "https://example.com/film.html",
    "https://example.com/index.php?id=5",
    "https://example.com/view.aspx?page=v1.2",
    "https://example.com/live/index.m3u8",
    "https://example.com/dash/manifest.mpd",
    "https://example.com/feed.xml",
    "https://example.com/redirect?to=example.com",
    "https://example.com/release/v1.2",
    "https://example.com/.hidden",
]


@pytest.fixture(scope="module")
def extractors() -> Extractors:
    """yt-dlp's extractors, read once."""
    return Extractors()


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a socket or asks the DNS fails the test."""

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise AssertionError("a look at the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def way_of(link: Link, extractors: Extractors) -> Route:
    """The way of a link."""
    return route(link, extractors.choose(link.url))


def chooser() -> Callable[[str], str]:
    """yt-dlp's own choice: the first extractor of a `YoutubeDL`, in its order, that calls a link suitable."""

    class Recorder(YoutubeDL):
        def add_info_extractor(self, ie: Any) -> None:
            seen.append(ie)

    seen: list[Any] = []
    Recorder({"quiet": True}).close()

    def choose(url: str) -> str:
        return next(str(extractor.IE_NAME) for extractor in seen if extractor.suitable(url))

    return choose


def own_test_links() -> list[str]:
    """The http(s) links that the installed yt-dlp tests its extractors with."""
    cases = [
        case for each in gen_extractor_classes() for case in each.get_testcases(include_onlymatching=True)
    ]
    return sorted({case["url"] for case in cases if case["url"].startswith(("http://", "https://"))})


def test_links_of_every_extractor_go_to_the_one_that_yt_dlp_chooses(extractors: Extractors) -> None:
    """All of yt-dlp's own test links are accepted, and their normal form leads to the same extractor."""
    own, choose = own_test_links(), chooser()
    assert len(own) > 5000
    wrong, generic = [], 0
    for url in own:
        told = explain(url, Guard(), extractors.choose)
        expected = choose(url)
        if expected == "generic":
            generic += 1
            accepted = told.source is Source.DIRECT or told.extractor == "generic"
        else:
            accepted = (told.source, told.extractor) == (Source.MEDIA, expected)
        normal = told.normal or ""
        kept = normal == url or choose(normal) == expected
        if not accepted or told.verdict != "allowed" or not kept:
            wrong.append((url, expected, told))
    assert [] == wrong
    assert generic < 100


@pytest.mark.parametrize("raw", FILES)
def test_link_to_a_plain_file_goes_to_direct(raw: str, extractors: Extractors) -> None:
    """Whatever its name and whatever signs it: a file is asked for, and yt-dlp is not."""
    assert len(FILES) >= 50
    way = way_of(parse(raw, fragment=True), extractors)
    assert (Source.DIRECT, None) == (way.source, way.extractor)
    assert parse(raw) == way.link
    assert not way.is_named


@pytest.mark.parametrize("raw", PAGES)
def test_link_to_a_page_or_a_list_goes_to_the_generic_extractor(raw: str, extractors: Extractors) -> None:
    """Where no file is promised, a page is searched for one."""
    way = way_of(parse(raw), extractors)
    assert (Source.MEDIA, "generic") == (way.source, way.extractor)
    assert not is_file(parse(raw))
    assert not way.is_named


def test_fragment_is_kept_for_extractors_alone(extractors: Extractors) -> None:
    """Where it names the film it decides; of a file it is no part."""
    way = way_of(parse("https://www.vgtv.no/#!/video/84196/x", fragment=True), extractors)
    assert ("VGTV", "https://www.vgtv.no/#!/video/84196/x") == (way.extractor, way.link.url)
    assert way.is_named
    assert "generic" == way_of(without_fragment(way.link), extractors).extractor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "HTTPS://Example.com:443/a.zip#x",
            ("https://example.com/a.zip", Source.DIRECT, None, "allowed", None),
        ),
        (
            "youtube.com/watch?v=BaW_jenozKc",
            ("https://youtube.com/watch?v=BaW_jenozKc", Source.MEDIA, "youtube", "allowed", None),
        ),
        (
            "http://2130706433/x.zip",
            ("http://127.0.0.1/x.zip", Source.DIRECT, None, "refused", Reason.PRIVATE_ADDRESS),
        ),
        (
            "https://t.me/Films_One/12?single",
            ("https://t.me/Films_One/12?single", Source.MEDIA, "telegram:embed", "allowed", None),
        ),
        ("t.me/c/1500/4/12#x", ("https://t.me/c/1500/4/12", Source.TELEGRAM, None, "allowed", None)),
        ("t.me/films_one/4/12", ("https://t.me/films_one/4/12", Source.TELEGRAM, None, "allowed", None)),
        (
            "tg://privatepost?channel=1500&post=12",
            ("https://t.me/c/1500/12", Source.TELEGRAM, None, "allowed", None),
        ),
        ("tg://resolve?domain=films_one", (None, None, None, "refused", Reason.NOT_HTTP)),
        ("ytsearch5:cats", (None, None, None, "refused", Reason.NOT_HTTP)),
        ("file:///etc/passwd", (None, None, None, "refused", Reason.NOT_HTTP)),
        ("http://user:pass@example.com/x.zip", (None, None, None, "refused", Reason.MALFORMED)),
        ("http://example.com/\r\nX: y", (None, None, None, "refused", Reason.MALFORMED)),
        ("http://example.com/" + "a" * 10_000_000, (None, None, None, "refused", Reason.MALFORMED)),
        ("no link at all", (None, None, None, "refused", Reason.MALFORMED)),
        ("", (None, None, None, "refused", Reason.MALFORMED)),
    ],
    ids=range(15),
)
def test_explain_says_what_would_be_done_with_a_text(
    text: str, expected: tuple[Any, ...], extractors: Extractors
) -> None:
    """Normal form, way and verdict, without a look at the network."""
    assert (text, *expected) == astuple(explain(text, Guard(), extractors.choose))


def test_program_explains_links_of_arguments_and_of_standard_input() -> None:
    """One JSON object per link, in the order given; blank lines are none."""
    lines = "https://vimeo.com/76979871\n\n  http://10.0.0.1/x.iso\n"
    asked = [sys.executable, str(RUN), "explain", "--json", "https://example.com/a.zip", "-"]
    ran = subprocess.run(asked, input=lines, capture_output=True, text=True, check=True, timeout=60)
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [
        {
            "link": "https://example.com/a.zip",
            "normal": "https://example.com/a.zip",
            "source": "direct",
            "extractor": None,
            "verdict": "allowed",
            "reason": None,
        },
        {
            "link": "https://vimeo.com/76979871",
            "normal": "https://vimeo.com/76979871",
            "source": "media",
            "extractor": "vimeo",
            "verdict": "allowed",
            "reason": None,
        },
        {
            "link": "http://10.0.0.1/x.iso",
            "normal": "http://10.0.0.1/x.iso",
            "source": "direct",
            "extractor": None,
            "verdict": "refused",
            "reason": "private-address",
        },
    ] == told


def test_program_explains_to_people_too() -> None:
    """Without `--json`, a line that can be read."""
    asked = [sys.executable, str(RUN), "explain", "https://example.com/a.zip", "ftp://example.com/x"]
    ran = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.splitlines() == [
        "https://example.com/a.zip: allowed, direct",
        "ftp://example.com/x: refused (not-http)",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"https?://(?:www\.)?example\.com/(?P<id>\d+)", {"example.com/"}),
        (r"(?x)https?:// # a comment.com" + "\n" + r" (?:www\.)? Site\.example / \d+", {"site.example/"}),
        (r"https?://(?:one\.com|two\.org)/\d+", {"one.com", "two.org"}),
        (r"https?://(?:one\.com|two\.org)/watching/\d+", {"/watching/"}),
        (r"https?://(?:(?P<a>one\.com|two\.org)|nine\.net)?/\d+", set()),
        (r"one\.example|two\.example", {"one.example", "two.example"}),
        (r"one\.example|tw", set()),
        (r"https?://exampl(?:e)?/", {"://exampl"}),
        (r"(?!never\.here)abcdef(?=nor\.here)", {"abcdef"}),
        (r"abcdefg?", {"abcdef"}),
        (r"abcdef+ghi", {"abcdef"}),
        (r"abcdef{0,3}", {"abcde"}),
        (r"abc[de]fghij", {"fghij"}),
        (r"[]abcdefgh]long\w+", set()),
        (r"(abcdef)*", set()),
        (r"(abcdef)+", {"abcdef"}),
        (r"(a)abcdef(?(1)b|c)", set()),
        (r"(?P<a>x)abcdef(?P=a)", set()),
        (r"short", {"short"}),
        (r"a.b", set()),
        ("abcdef\\", set()),
    ],
)
def test_texts_needed_by_a_pattern_stand_in_all_that_it_matches(pattern: str, expected: set[str]) -> None:
    """What may be missing from a match is not needed; of what is not understood, nothing is."""
    assert expected == needed(pattern)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.text(max_size=60).map(lambda text: f"https://youtube.com/{text}"))
def test_route_of_any_link_is_found(text: str) -> None:
    """No text breaks the router."""
    try:
        link = parse(text, fragment=True)
    except NotALink:
        return
    assert isinstance(is_file(link), bool)
