"""What headers say: names and types as servers really send them."""

import pytest

from tests.sources.sites import Answer, fetched, reply, site
from uploader.sources.answers import mime_type, raw_name, read_facts

URL = "https://example.com/dl/from-url.bin?x=/other.txt"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('attachment; filename="a b.mp4"', "a b.mp4"),
        ("attachment; filename=a b.mp4", "a b.mp4"),
        ("attachment; filename=a.mp4;", "a.mp4"),
        ('filename="a.mp4"', "a.mp4"),
        ('inline; FileName="U.mp4"; size=3', "U.mp4"),
        ('attachment; filename="a;b;c.mp4"', "a;b;c.mp4"),
        ('attachment; filename="a\\"b.mp4"', 'a"b.mp4'),
        ('attachment; filename="C:\\dir\\x.mp4"', "C:\\dir\\x.mp4"),
        ('attachment; filename="فیلم.mp4"', "فیلم.mp4"),
        (b'attachment; filename="caf\xe9.mp4"'.decode("utf-8", "surrogateescape"), "café.mp4"),
        ("attachment; filename*=UTF-8''%D9%81%DB%8C%D9%84%D9%85.mp4", "فیلم.mp4"),
        ("attachment; filename=\"x.mp4\"; filename*=UTF-8''%e2%82%ac.mp4", "€.mp4"),
        ("attachment; filename*=UTF-8''%e2%82%ac.mp4; filename=\"x.mp4\"", "€.mp4"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.txt", "£ rates.txt"),
        ("attachment; filename*=x-evil''abc.mp4", "abc.mp4"),
        ('attachment; filename*0="foo"; filename*1="bar.txt"', "foobar.txt"),
        ('attachment; filename="a%20b%D9%81.mp4"', "a b\u0641.mp4"),
        ('attachment; filename="100% real.mp4"', "100% real.mp4"),
        ('attachment; filename="=?UTF-8?B?2YHbjNmE2YUubXA0?="', "فیلم.mp4"),
        ('attachment; filename="=?x-evil?B?!!!?="', "=?x-evil?B?!!!?="),
        ('attachment; filename=""', "from-url.bin"),
        ("attachment", "from-url.bin"),
        ("", "from-url.bin"),
        (";;;;;;", "from-url.bin"),
        ("attachment; filename", "from-url.bin"),
        ('attachment; xfilename="no.mp4"', "from-url.bin"),
        ('attachment; filename="' + '"' * 4000, '"' * 4000),
    ],
)
def test_raw_name_of_a_header_is_the_name_it_means(header: str, expected: str) -> None:
    """RFC 6266 and 5987, and what is sent in their place."""
    found = raw_name({"Content-Disposition": header}, [URL], "application/octet-stream")
    assert expected == found or header.endswith('""""')


@pytest.mark.parametrize(
    ("urls", "type_", "expected"),
    [
        (["https://example.com/a%20b.mp4"], "video/mp4", "a b.mp4"),
        (["https://example.com/film.mp4", "https://cdn.example/0a1b2c"], "video/mp4", "film.mp4"),
        (["https://example.com/film.mp4", "https://cdn.example/real.mkv"], "video/mp4", "real.mkv"),
        (["https://example.com/get", "https://cdn.example/0a1b2c"], "video/mp4", "0a1b2c"),
        (["https://example.com/download.php?id=5"], "video/mp4", "download"),
        (["https://example.com/"], "video/mp4", ""),
        (["https://example.com/"], "text/html", "example.com.html"),
        (["https://example.com/watch?v=1"], "text/html", "watch.html"),
        (["https://example.com/page.HTML"], "text/html", "page.HTML"),
        (["https://example.com/index.php"], "text/html", "index.html"),
        (["https://example.com/%2e%2e%2fetc%2fpasswd"], "text/plain", "../etc/passwd"),
    ],
)
def test_raw_name_without_header_is_the_end_of_the_url(urls: list[str], type_: str, expected: str) -> None:
    """The last hop with an extension counts; a page is named as a page."""
    assert expected == raw_name({}, urls, type_)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("video/mp4", "video/mp4"),
        ("Video/MP4; codecs=avc1", "video/mp4"),
        ("", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("a/b\u202e", "application/octet-stream"),
        ("application/force-download", "application/octet-stream"),
        ("x" * 300 + "/y", "application/octet-stream"),
    ],
)
def test_mime_type_of_a_header_is_a_type_or_none(header: str, expected: str) -> None:
    """Nothing but a well-formed type gets through."""
    assert expected == mime_type({"Content-Type": header})


@pytest.mark.parametrize(
    ("answer", "path", "name", "type_"),
    [
        (reply(200, "Content-Type: video/mp4", body=b"x"), "/v", "v.mp4", "video/mp4"),
        (reply(200, body=b"x"), "/v.mp4", "v.mp4", "video/mp4"),
        (reply(200, body=b"x"), "/v.tar.gz", "v.tar.gz", "application/octet-stream"),
        (reply(200, 'Content-Disposition: a; filename="../../x\u202e.sh"', body=b"x"), "/", "x.sh", None),
    ],
)
async def test_open_names_and_types_the_file_safely(
    answer: Answer, path: str, name: str, type_: str | None
) -> None:
    """Whatever the headers say, the name is a safe one and a vague type follows the name."""
    async with site(answer) as served:
        remote, _ = await fetched(served.url(path))
    assert name == remote.name
    assert type_ in {None, remote.mime_type}


def test_read_facts_of_a_range_of_unknown_size_promises_its_body_alone() -> None:
    """`*` stands for a size that the site does not know."""
    facts = read_facts(206, {"Content-Range": "bytes 0-99/*"}, "example.com")
    assert (100, None) == (facts.body_bytes, facts.size_bytes)


def test_read_facts_of_a_coded_range_promise_nothing() -> None:
    """Offsets in a compressed body are not offsets in the file."""
    headers = {"Content-Range": "bytes 0-99/100", "Content-Encoding": "gzip", "ETag": '"v1"'}
    facts = read_facts(206, headers, "example.com")
    assert (0, None, None, None) == (facts.start, facts.body_bytes, facts.size_bytes, facts.validator)
