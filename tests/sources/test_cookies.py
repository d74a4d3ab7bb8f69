"""Files of cookies: hostile until they were read."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.sources.cookies import FILE_BYTES, CookiesRefused, read, site_of

NOW = 1_000_000.0
HEAD = "# Netscape HTTP Cookie File\n"


def line(domain: str = ".films.example", expires: str = "0", value: str = "secret", name: str = "sid") -> str:
    """One cookie."""
    return "\t".join([domain, "FALSE", "/", "TRUE", expires, name, value]) + "\n"


def test_file_of_cookies_when_it_is_of_one_site_is_read() -> None:
    """Comments, marks of browsers, hosts below; what has expired is left out."""
    text = HEAD + "\n# made by hand\n" + line() + "#HttpOnly_" + line("www.films.example") + line(expires="9")
    file = read(text.replace("\n", "\r\n").encode(), now=NOW)
    assert ("films.example", 2) == (file.site, file.count)
    assert "www.films.example\tFALSE\t/\tTRUE\t0\tsid\tsecret\n" in file.text
    assert ".films.example\tTRUE\t" in file.text
    assert "secret" not in repr(file)


@pytest.mark.parametrize(
    ("content", "site", "why"),
    [
        (b"x" * (FILE_BYTES + 1), "", "size"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "", "binary"),
        (line(value="a\0b").encode(), "", "binary"),
        (b"", "", "empty"),
        (HEAD.encode(), "", "empty"),
        (b'[{"domain": ".films.example", "name": "sid"}]', "", "format"),
        (b"<html>log in</html>", "", "format"),
        (line(value="a\x1bb").encode(), "", "format"),
        (line(expires="soon").encode(), "", "format"),
        ((line() * 4000).encode(), "", "format"),
        (line(expires="1").encode(), "", "expired"),
        ((line() + line(".other.example")).encode(), "", "foreign"),
        (line().encode(), "other.example", "foreign"),
        (line(".notfilms.example").encode(), "films.example", "foreign"),
        (line("127.0.0.1").encode(), "", "foreign"),
        (line("localhost").encode(), "", "foreign"),
        (line(".co.uk").encode(), "", "foreign"),
        (line(".com").encode(), "", "foreign"),
        (line("a b.example").encode(), "", "foreign"),
    ],
)
def test_file_of_cookies_when_it_is_hostile_is_refused_with_the_reason(
    content: bytes, site: str, why: str
) -> None:
    """Huge, binary, of other sites, for everybody under a suffix."""
    with pytest.raises(CookiesRefused) as caught:
        read(content, site, now=NOW)
    assert why == caught.value.why
    assert "secret" not in str(caught.value)


@settings(max_examples=200)
@given(st.binary(max_size=200) | st.text(alphabet="\t\n.#aT/0e", max_size=200).map(str.encode))
def test_file_of_cookies_whatever_it_holds_is_read_or_refused(content: bytes) -> None:
    """And nothing else happens."""
    with suppress(CookiesRefused):
        assert 0 < read(content, now=NOW).count


@pytest.mark.parametrize(
    ("said", "site"),
    [("https://www.Films.example/watch?v=1", "films.example"), ("films.example", "films.example")],
)
def test_site_when_an_admin_names_it_is_understood(said: str, site: str) -> None:
    """Copied from the address bar, or typed."""
    assert site == site_of(said)


@pytest.mark.parametrize("said", ["", "films", "10.0.0.1", "../etc", "co.uk", "a b.example"])
def test_site_when_it_is_none_is_refused(said: str) -> None:
    """A name of a file becomes no path."""
    with pytest.raises(CookiesRefused):
        site_of(said)
