"""What is a link, where it ends in a text, and the form in which it is fetched."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.errors import NotALink, Reason
from uploader.limits import LINK_CHARACTERS, TEXT_FILE_BYTES
from uploader.links import find, find_all, parse, without_fragment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/a.zip", "https://example.com/a.zip"),
        ("get this: http://example.com/a?b=1&c=2 please", "http://example.com/a?b=1&c=2"),
        ("HTTPS://Example.COM/Q", "HTTPS://Example.COM/Q"),
        ("see https://example.com/a.", "https://example.com/a"),
        ("really https://example.com/a?!", "https://example.com/a"),
        ("(https://en.example.org/X_(y))", "https://en.example.org/X_(y)"),
        ("[name](https://example.com/x)", "https://example.com/x"),
        ("<https://example.com/x>", "https://example.com/x"),
        ('"https://example.com/x"', "https://example.com/x"),
        ("https://example.com/ends_", "https://example.com/ends_"),
        ("https://example.com/first https://example.com/second", "https://example.com/first"),
        ("https://example.com/one\nhttps://example.com/two", "https://example.com/one"),
        ("لینک:https://example.com/a، ممنون", "https://example.com/a"),
        ("لینکhttps://example.com/a", "https://example.com/a"),
        ("\u200fhttps://example.com/a\u200f", "https://example.com/a"),
        ("https://example.com/می\u200cخواهم\u200c", "https://example.com/می\u200cخواهم"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://user:pass@example.com/x", "http://user:pass@example.com/x"),
        ("ftp://example.com/x", "ftp://example.com/x"),
        ("magnet:?xt=urn:btih:abc", "magnet:?xt=urn:btih:abc"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("example.com/file.zip", "https://example.com/file.zip"),
        ("get example.com/file.zip!", "https://example.com/file.zip"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("example.com?id=5", "https://example.com?id=5"),
        ("1.2.3.4:8080/x", "https://1.2.3.4:8080/x"),
        ("پیک.ایران/فایل", "https://پیک.ایران/فایل"),
        ("xn--3ib0gqe.xn--mgba3a4f16a/x", "https://xn--3ib0gqe.xn--mgba3a4f16a/x"),
        ("www.example.dev", "https://www.example.dev"),
        ("example.com", "https://example.com"),
        ("example.ir.", "https://example.ir"),
    ],
)
def test_find_with_a_link_returns_it_alone(text: str, expected: str) -> None:
    """Punctuation, brackets and invisible marks around a link are no part of it."""
    assert expected == find(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "hello.How are you",
        "report.pdf",
        "user@example.com",
        "mail user@example.com/x",
        "12.05/2024",
        "and/or, e.g./i.e.",
        "3.14",
        "https://",
        "what? index.html?",
        "localhost:8080",
        "note: this",
        "....",
    ],
)
def test_find_without_a_link_returns_none(text: str) -> None:
    """File names, mail addresses, dates and plain words are no links."""
    assert find(text) is None


@pytest.mark.parametrize(
    ("raw", "url", "host"),
    [
        ("https://example.com", "https://example.com/", "example.com"),
        ("  https://example.com/a \n", "https://example.com/a", "example.com"),
        ("HTTPS://EXAMPLE.com/A?B=C", "https://example.com/A?B=C", "example.com"),
        ("http://example.com:80/a", "http://example.com/a", "example.com"),
        ("https://example.com:443/a", "https://example.com/a", "example.com"),
        ("https://example.com:80/a", "https://example.com:80/a", "example.com"),
        ("http://example.com:/a", "http://example.com/a", "example.com"),
        ("http://example.com:8080/a", "http://example.com:8080/a", "example.com"),
        ("https://example.com./a", "https://example.com/a", "example.com"),
        ("https://example.com/a#part", "https://example.com/a", "example.com"),
        ("https://example.com?x=1", "https://example.com/?x=1", "example.com"),
        ("https://example.com/?", "https://example.com/?", "example.com"),
        (
            "https://example.com/a?x=%2F+%2B&y=a/b?c&&",
            "https://example.com/a?x=%2F+%2B&y=a/b?c&&",
            "example.com",
        ),
        ("https://example.com/%7Ea%2fb", "https://example.com/%7Ea%2fb", "example.com"),
        ("https://example.com/100%.zip", "https://example.com/100%.zip", "example.com"),
        ("https://example.com/a b|c", "https://example.com/a%20b|c", "example.com"),
        ("https://example.com/é", "https://example.com/%C3%A9", "example.com"),
        ("https://example.com/caf\udce9", "https://example.com/caf%E9", "example.com"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://پیک.ایران/x", "https://xn--3ib0gqe.xn--mgba3a4f16a/x", "xn--3ib0gqe.xn--mgba3a4f16a"),
        ("https://my_host-.example.com/", "https://my_host-.example.com/", "my_host-.example.com"),
        ("http://site:8000/x", "http://site:8000/x", "site"),
        ("http://[2001:DB8:0::1]/x", "http://[2001:db8::1]/x", "2001:db8::1"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", "::1"),
        ("http://127.1/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://2130706433/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://0x7f000001/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://0177.0.0.0x1/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://0/", "http://0.0.0.0/", "0.0.0.0"),
        ("http://１２７.０.０.１/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://127。0。0。1/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://ⓁⓄⒸⒶⓁⒽⓄⓈⓉ/", "http://localhost/", "localhost"),
    ],
)
def test_parse_with_a_link_returns_its_normal_form(raw: str, url: str, host: str) -> None:
    """Scheme, host and port have one spelling; path and query stay as they were."""
    link = parse(raw)
    assert (url, host) == (link.url, link.host)


@pytest.mark.parametrize(
    "raw",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "magnet:?xt=1",
        "data:text/plain,x",
        "javascript:x",
        "ws://a/",
    ],
)
def test_parse_with_another_scheme_says_not_http(raw: str) -> None:
    """Only http and https are fetched."""
    with pytest.raises(NotALink) as caught:
        parse(raw)
    assert caught.value.reason is Reason.NOT_HTTP


MALFORMED = [
    "",
    "example.com/x",
    "//example.com/x",
    "http:",
    "http:///x",
    "http:example.com",
    "https:/example.com",
    "http://:80/",
    "http://user@example.com/",
    "http://user:pass@example.com/",
    "http://@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com\\.evil.com/",
    "http://exam ple.com/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://example.com:25/",
    "http://example.com:-1/",
    "http://example.com:8o80/",
    "http://example.com/\r\nX-Injected: 1",
    "http://example.com/\x00",
    "http://example.com\t/",
    "http://exa\nmple.com/",
    "http://example.com/\u2028",
    "http://example..com/",
    "http://.example.com/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[1.2.3.4]/",
    "http://[]/",
    "http://::1/",
    "http://%31%32%37.0.0.1/",
    "http://exa%00mple.com/",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://4294967296/",
    "http://08.0.0.1/",
    "http://0xg.1/",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 127}com/",
    f"http://{'ü' * 60}.com/",
    "http://\u202eexample.com/",
    "http://i❤.example/",
    "http://example.com/\ud800",
    f"http://example.com/{'a' * LINK_CHARACTERS}",
    f"http://example.com/{'ü' * (LINK_CHARACTERS // 2)}",
    f"http://{'a' * 253}.evil.example/",
]


@pytest.mark.parametrize("raw", MALFORMED)
def test_parse_with_a_broken_or_hostile_text_says_malformed(raw: str) -> None:
    """User info, control characters, impossible hosts and ports, and excess length are refused."""
    with pytest.raises(NotALink) as caught:
        parse(raw)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("raw", "url"),
    [
        ("https://example.com/#!/video/5", "https://example.com/#!/video/5"),
        ("https://example.com?x#a b#c", "https://example.com/?x#a%20b#c"),
        ("https://example.com/a#", "https://example.com/a"),
        (f"https://example.com/#{'a' * 2 * LINK_CHARACTERS}", None),
        (
            f"https://example.com/#{'a' * (2 * LINK_CHARACTERS - 1)}",
            f"https://example.com/#{'a' * (2 * LINK_CHARACTERS - 1)}",
        ),
        ("https://example.com/#\r\nX: y", None),
    ],
)
def test_parse_that_keeps_the_fragment_bounds_and_encodes_it(raw: str, url: str | None) -> None:
    """Some sites name their films behind the `#`; it is as hostile as the rest."""
    if url is None:
        with pytest.raises(NotALink):
            parse(raw, fragment=True)
        return
    link = parse(raw, fragment=True)
    assert url == link.url
    assert link == parse(link.url, fragment=True)
    assert parse(raw) == without_fragment(link)


def test_parse_with_a_longer_bound_accepts_what_fits_into_it() -> None:
    """Redirects may be longer than what people send."""
    raw = f"http://example.com/{'a' * LINK_CHARACTERS}"
    assert raw == parse(raw, characters=8000).url


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=80)
    | st.from_regex(r"https?://[\w.:\[\]-]{1,30}(/[^\r\n]{0,20})?(\?.{0,20})?", fullmatch=True)
)
def test_parse_of_its_own_answer_changes_nothing(raw: str) -> None:
    """The normal form is a fixed point: one spelling per link, whatever came in; nothing else is raised."""
    try:
        link = parse(raw)
    except NotALink:
        return
    assert link == parse(link.url)
    assert link.url.isascii()
    assert link.url.isprintable()
    assert " " not in link.url


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=300))
def test_find_in_any_text_returns_a_part_of_it(text: str) -> None:
    """What is found stands in the text, but for the scheme that was added."""
    found = find(text)
    assert found is None or found in text or found.removeprefix("https://") in text


@pytest.mark.parametrize(
    "piece", ["a.", "a-", "http:", "x@", "www.", "a.com", "data:", "پ.", "://", "1.2.3.4"]
)
def test_find_in_a_hostile_text_looks_at_a_bounded_part(piece: str) -> None:
    """A megabyte of almost-links is answered from its beginning, without backtracking."""
    found = find(piece * 1_000_000)
    assert found is None or len(found) <= TEXT_FILE_BYTES + len("https://")


def test_find_all_in_a_text_gives_every_link_in_its_order() -> None:
    """Lines, commas and brackets part them; what stands twice is given twice."""
    text = "see https://a.com/1, (b.com/2) and\r\nhttp://a.com/x_(y)\u200f www.c.ir ftp://d.com/3 b.com/2."
    expected = [
        *("https://a.com/1", "https://b.com/2", "http://a.com/x_(y)", "https://www.c.ir"),
        *("ftp://d.com/3", "https://b.com/2"),
    ]
    mentions = list(find_all(text))
    assert expected == [mention.raw for mention in mentions]
    assert all(text[: each.end].endswith(each.raw.removeprefix("https://")) for each in mentions)
