"""Heads of HTTP/1.1 messages, as the proxy reads and passes them on. Pure; both sides are hostile.

https://www.rfc-editor.org/rfc/rfc9112 and https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from uploader.errors import NotALink, Reason
from uploader.links import parse
from uploader.model import Link

#: Both ends of a head are bounded by what a stream holds while it looks for the end of one.
HEAD_BYTES: Final = 64 * 1024
_FIELDS: Final = 128
_BODY_BYTES: Final = 16 * 1024 * 1024
#: Signed addresses are longer than what people send.
_LINK_CHARACTERS: Final = 8000

_REQUEST: Final = re.compile(r"([A-Z]{3,16}) ([\x21-\x7e]{1,8200}) HTTP/1\.[01]")
_AUTHORITY: Final = re.compile(r"[^/?#\\]+")
_STATUS: Final = re.compile(r"HTTP/1\.[01] ([1-5][0-9]{2})(?: [\x20-\x7e\x80-\xff]*)?")
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_METHODS: Final = frozenset({"CONNECT", "GET", "HEAD", "POST"})
#: What belongs to one connection and not to the message, and what the proxy says for itself.
_OF_THE_HOP: Final = frozenset(
    {"connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade"}
    | {"expect", "host", "transfer-encoding"}
)


class BadHead(Exception):
    """The head is not passed on; `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a child asks of the proxy."""

    method: str
    target: str
    user: str
    password: str
    body_bytes: int
    fields: tuple[tuple[str, str], ...]

    @property
    def is_tunnel(self) -> bool:
        """Whether a connection is asked for, in which the proxy has no further part."""
        return self.method == "CONNECT"


def read_request(raw: bytes) -> Request:
    """The request in `raw`, which ends with its empty line.

    Raises:
        BadHead: it cannot be understood, or is none that the proxy serves.
    """
    first, fields = _lines(raw)
    match = _REQUEST.fullmatch(first)
    if match is None:
        raise BadHead(400)
    if match[1] not in _METHODS:
        raise BadHead(405)
    user, password = _credentials(fields)
    return Request(
        method=match[1],
        target=match[2],
        user=user,
        password=password,
        body_bytes=_body_bytes(fields),
        fields=tuple(fields),
    )


def read_link(request: Request) -> Link:
    """Where the request leads; of a tunnel only host and port count.

    Raises:
        NotALink: the target is no link in the sense of `links.parse`, or not plain http.
    """
    if request.is_tunnel:
        if not _AUTHORITY.fullmatch(request.target):
            raise NotALink(Reason.MALFORMED, "more than host and port")
        return parse(f"https://{request.target}/", characters=_LINK_CHARACTERS)
    link = parse(request.target, characters=_LINK_CHARACTERS)
    if not link.url.startswith("http://"):
        raise NotALink(Reason.NOT_HTTP, "https outside a tunnel")
    return link


def passed_on(request: Request, link: Link) -> bytes:
    """The head for the site: only the path in its first line, and nothing that was meant for the proxy."""
    parts = urlsplit(link.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [f"{name}: {value}" for name, value in request.fields if name.lower() not in _OF_THE_HOP]
    first = f"{request.method} {path} HTTP/1.1"
    return _joined([first, f"Host: {parts.netloc}", *kept, "Connection: close"])


def closing_response(raw: bytes) -> tuple[int, bytes]:
    """Status and head of a site's answer, changed so that the connection ends with it.

    Raises:
        BadHead: it cannot be understood.
    """
    first, fields = _lines(raw)
    match = _STATUS.fullmatch(first)
    if match is None:
        raise BadHead(502)
    kept = [f"{name}: {value}" for name, value in fields if name.lower() not in _OF_THE_HOP]
    # how the body is framed stays as it is: the body is passed on byte by byte
    kept += [f"{name}: {value}" for name, value in fields if name.lower() == "transfer-encoding"]
    return int(match[1]), _joined([first, *kept, "Connection: close"])


def refusal(status: int) -> bytes:
    """The proxy's own answer."""
    asked = ['Proxy-Authenticate: Basic realm="peyk"'] if status == 407 else []
    return _joined([f"HTTP/1.1 {status} Refused", *asked, "Content-Length: 0", "Connection: close"])


def _lines(raw: bytes) -> tuple[str, list[tuple[str, str]]]:
    first, *lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    if len(lines) > _FIELDS:
        raise BadHead(431)
    matches = [_FIELD.fullmatch(line) for line in lines]
    fields = [(match[1], match[2].rstrip(" \t")) for match in matches if match is not None]
    if len(fields) < len(lines):
        raise BadHead(400)
    return first, fields


def _credentials(fields: list[tuple[str, str]]) -> tuple[str, str]:
    given = [value for name, value in fields if name.lower() == "proxy-authorization"]
    kind, _, coded = (given[0] if len(given) == 1 else "").partition(" ")
    try:
        user, _, password = base64.b64decode(coded.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if kind.lower() == "basic" else ("", "")


def _body_bytes(fields: list[tuple[str, str]]) -> int:
    names = [name.lower() for name, _ in fields]
    if "transfer-encoding" in names:
        raise BadHead(411)
    lengths = {value for name, value in fields if name.lower() == "content-length"}
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,9}", length):
        raise BadHead(400)
    if int(length) > _BODY_BYTES:
        raise BadHead(413)
    return int(length)


def _joined(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
