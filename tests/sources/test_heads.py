"""What the proxy reads from heads that a child or a site sent, and what it passes on."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.errors import NotALink
from uploader.sources.heads import BadHead, closing_response, passed_on, read_link, read_request

BASIC = "Basic " + base64.b64encode(b"anna:secret").decode()


def raw(*lines: str) -> bytes:
    """A head of these lines."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def test_request_when_passed_on_says_nothing_of_the_proxy() -> None:
    """The site gets a path, its own name, and none of the fields that were meant for the next hop."""
    request = read_request(
        raw(
            "GET http://Site.example:8080/a%20b?c=d#e HTTP/1.1",
            "Host: another.example",
            f"Proxy-Authorization: {BASIC}",
            "Proxy-Connection: keep-alive",
            "Connection: keep-alive",
            "Cookie: a=b",
            "X-Note:  caf\xe9 \t",
        )
    )
    assert ("anna", "secret", False, 0) == (
        request.user,
        request.password,
        request.is_tunnel,
        request.body_bytes,
    )
    assert passed_on(request, read_link(request)) == raw(
        "GET /a%20b?c=d HTTP/1.1",
        "Host: site.example:8080",
        "Cookie: a=b",
        "X-Note: caf\xe9",
        "Connection: close",
    )


@pytest.mark.parametrize(
    ("target", "host", "url"),
    [
        ("site.example:443", "site.example", "https://site.example/"),
        ("[::1]:8443", "::1", "https://[::1]:8443/"),
        ("2130706433:80", "127.0.0.1", "https://127.0.0.1:80/"),
    ],
)
def test_tunnel_when_asked_for_is_read_as_a_link(target: str, host: str, url: str) -> None:
    """Host and port of a tunnel have the one spelling that the guard judges."""
    request = read_request(raw(f"CONNECT {target} HTTP/1.1", f"Proxy-Authorization: {BASIC}"))
    assert request.is_tunnel
    assert (host, url) == (read_link(request).host, read_link(request).url)


@pytest.mark.parametrize(
    "first",
    [
        "GET https://site.example/ HTTP/1.1",
        "GET ftp://site.example/ HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "GET /path HTTP/1.1",
        "GET http://user:pass@site.example/ HTTP/1.1",
        "GET http://site.example:25/ HTTP/1.1",
        "CONNECT site.example:22 HTTP/1.1",
        "CONNECT user@site.example:443 HTTP/1.1",
        "CONNECT site.example:443/path@inner HTTP/1.1",
    ],
)
def test_target_that_is_no_link_is_refused(first: str) -> None:
    """The rules for links that people send hold for everything that a child asks for."""
    request = read_request(raw(first, f"Proxy-Authorization: {BASIC}"))
    with pytest.raises(NotALink):
        read_link(request)


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (400, ["GET http://site.example/ HTTP/2"]),
        (400, ["GET http://site.example/ HTTP/1.1 more"]),
        (400, ["get http://site.example/ HTTP/1.1"]),
        (400, [""]),
        (400, ["GET http://site.example/" + "a" * 9000 + " HTTP/1.1"]),
        (400, ["GET http://site.example/\x00 HTTP/1.1"]),
        (405, ["PUT http://site.example/ HTTP/1.1"]),
        (405, ["TRACE http://site.example/ HTTP/1.1"]),
        (400, ["GET http://site.example/ HTTP/1.1", "no colon"]),
        (400, ["GET http://site.example/ HTTP/1.1", "Name : value"]),
        (400, ["GET http://site.example/ HTTP/1.1", "Name: value", " folded"]),
        (400, ["GET http://site.example/ HTTP/1.1", "Name: a\nInjected: b"]),
        (400, ["GET http://site.example/ HTTP/1.1", "Name: a\rInjected: b"]),
        (400, ["GET http://site.example/ HTTP/1.1", "Name: \x00"]),
        (400, ["POST http://site.example/ HTTP/1.1", "Content-Length: -1"]),
        (400, ["POST http://site.example/ HTTP/1.1", "Content-Length: 1", "Content-Length: 2"]),
        (411, ["POST http://site.example/ HTTP/1.1", "Transfer-Encoding: chunked"]),
        (413, ["POST http://site.example/ HTTP/1.1", "Content-Length: 999999999"]),
        (431, ["GET http://site.example/ HTTP/1.1", *["Name: value"] * 129]),
    ],
)
def test_request_that_can_be_read_in_two_ways_is_refused(status: int, lines: list[str]) -> None:
    """Nothing is passed on that a site might understand in another way than we do."""
    with pytest.raises(BadHead) as caught:
        read_request(raw(*lines))
    assert status == caught.value.status


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Proxy-Authorization: Bearer abc"],
        ["Proxy-Authorization: Basic ???"],
        ["Proxy-Authorization: Basic /w=="],
        [f"Proxy-Authorization: {BASIC}", f"Proxy-Authorization: {BASIC}"],
    ],
)
def test_credentials_that_are_none_are_empty(fields: list[str]) -> None:
    """No pass has an empty name."""
    request = read_request(raw("GET http://site.example/ HTTP/1.1", *fields))
    assert ("", "") == (request.user, request.password)


def test_response_when_passed_on_ends_the_connection() -> None:
    """Framing stays, because the body is passed on untouched; keeping the connection does not."""
    answer = raw(
        "HTTP/1.0 206 Partly there",
        "Transfer-Encoding: chunked",
        "Connection: keep-alive",
        "Keep-Alive: timeout=5",
        "ETag: x",
    )
    assert closing_response(answer) == (
        206,
        raw("HTTP/1.0 206 Partly there", "ETag: x", "Transfer-Encoding: chunked", "Connection: close"),
    )


@pytest.mark.parametrize("first", ["", "<html>", "HTTP/1.1", "HTTP/1.1 99", "HTTP/1.1 2000 x", "ICY 200 OK"])
def test_response_without_a_status_is_refused(first: str) -> None:
    """What is no HTTP is not passed on as if it were."""
    with pytest.raises(BadHead) as caught:
        closing_response(raw(first))
    assert 502 == caught.value.status


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_heads_of_any_bytes_are_read_or_refused(noise: bytes) -> None:
    """No bytes raise anything but a refusal."""
    for read in (read_request, closing_response):
        for given_bytes in (noise, b"GET " + noise, b"HTTP/1.1 200 OK\r\n" + noise):
            with suppress(BadHead):
                read(given_bytes)
