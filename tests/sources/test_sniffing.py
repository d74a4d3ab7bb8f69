"""What files are by their bytes: neither header nor name is trusted when these say otherwise."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.films import web
from tests.sources.sites import reply, site
from tests.sources.test_media import media
from tests.sources.test_media import work as work
from uploader.errors import Reason, SourceError
from uploader.links import parse
from uploader.sources.sniffing import true_name, true_type

PAGE = b"<!DOCTYPE html>\n<html><title>Not found</title></html>"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30)
PDF = b"%PDF-1.7\n%" + bytes(30)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(300)
SONG = MP4.replace(b"isom", b"M4A ", 1)
TS = (b"\x47\x40" + bytes(186)) * 5
EXE = b"MZ\x90\0" + bytes(60)
LIST = b"#EXTM3U\n#EXT-X-VERSION:3\n"
NOISE = bytes(range(200, 256)) * 9


def zipped() -> bytes:
    """A small archive."""
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("a.txt", "hello")
        return made.getvalue()


ZIP = zipped()


@pytest.mark.parametrize(
    ("head", "declared", "name", "type_", "named"),
    [
        (PAGE, "video/mp4", "video.mp4", "text/html", "video.mp4"),
        (b"\xef\xbb\xbf \n<!-- x -->" + PAGE, "application/zip", "a.zip", "text/html", "a.zip"),
        (PAGE, "text/plain", "page.txt", "text/plain", "page.txt"),
        (PAGE, "text/plain", "video.mp4", "text/html", "video.mp4"),
        (PAGE, "text/html", "x", "text/html", "x"),
        (LIST, "application/octet-stream", "x", "application/vnd.apple.mpegurl", "x"),
        (LIST, "audio/mpegurl", "x.m3u", "audio/mpegurl", "x.m3u"),
        (PNG, "text/html", "x", "image/png", "x"),
        (PNG, "text/html", "x.html", "image/png", "x.png"),
        (PNG, "video/mp4", "video.mp4", "image/png", "video.png"),
        (MP4, "application/octet-stream", "x", "video/mp4", "x"),
        (MP4, "text/plain", "film.mkv", "video/mp4", "film.mp4"),
        (MP4, "video/mp4", "film.bin", "video/mp4", "film.bin"),
        (MP4, "application/octet-stream", "film.mov", "video/quicktime", "film.mov"),
        (SONG, "application/octet-stream", "x", "audio/mp4", "x"),
        (SONG, "audio/mpeg", "song.mp3", "audio/mp4", "song.m4a"),
        (TS, "application/octet-stream", "x.ts", "video/mp2t", "x.ts"),
        (ZIP, "application/octet-stream", "app.apk", "application/vnd.android.package-archive", "app.apk"),
        (ZIP, "application/zip", "film.mp4", "application/zip", "film.zip"),
        (ZIP, "application/octet-stream", "book.epub", "application/epub+zip", "book.epub"),
        (gzip.compress(b"x" * 99), "application/gzip", "a.tar.gz", "application/gzip", "a.tar.gz"),
        (PDF, "image/jpeg", "a.jpg", "application/pdf", "a.pdf"),
        (EXE, "video/mp4", "film.mp4", "video/mp4", "film.mp4"),
        (NOISE, "video/mp4", "film.mp4", "video/mp4", "film.mp4"),
        (NOISE, "application/octet-stream", "film.mkv", "video/x-matroska", "film.mkv"),
        (NOISE, "application/octet-stream", "x", "application/octet-stream", "x"),
        (b"", "text/html", "x", "text/html", "x"),
    ],
    ids=range(27),
)
def test_type_and_name_of_a_file_are_those_of_its_bytes(
    head: bytes, declared: str, name: str, type_: str, named: str
) -> None:
    """A lie is corrected; what shares a container, or cannot be told, keeps what was said of it."""
    assert (type_, named) == (true_type(head, declared, name), true_name(head, name))


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=600) | st.sampled_from([MP4, ZIP, PNG, PAGE]),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_type_of_any_bytes_is_told(head: bytes, declared: str, name: str) -> None:
    """No bytes and no header break the sniffer."""
    assert isinstance(true_type(head, declared, name), str)
    assert bool(name) == bool(true_name(head, name))


@pytest.mark.parametrize("type_", ["video/mp4", "application/octet-stream", "application/zip"])
async def test_page_that_says_that_it_is_a_file_is_searched_and_not_delivered(type_: str, work: Path) -> None:
    """Sites answer with a page where a file was, and call it what was asked for."""
    async with site(reply(200, f"Content-Type: {type_}", body=PAGE)) as there, media(work) as sources:
        with pytest.raises(SourceError) as caught:
            async with sources.open(parse(there.url("/video.mp4"))):
                raise AssertionError("a page is no file")
    assert Reason.NO_MEDIA is caught.value.reason


async def test_film_under_a_wrong_type_and_name_arrives_as_a_film(films: Path, work: Path) -> None:
    """Its name is corrected, its facts are told, and the site is asked for it twice at most."""
    content = (films / "film.mp4").read_bytes()
    whole = reply(200, "Content-Type: application/zip", body=content)
    async with web(films, {"film_zip": whole}) as there, media(work) as sources:
        async with sources.open(parse(there.url("/film.zip"))) as remote:
            body = b"".join([chunk async for chunk in remote.read(0, None)])
            facts = None if remote.facts is None else await remote.facts()
        assert 1 == len(there.asked)
    assert (content, "film.mp4", "video/mp4") == (body, remote.name, remote.mime_type)
    assert facts is not None
    assert facts.width
