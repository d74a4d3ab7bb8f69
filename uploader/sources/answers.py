"""What an HTTP answer says about the file behind it. Pure; every header is hostile."""

import binascii
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from uploader.errors import NotSignedIn, Reason, SiteFails, SourceError

OCTET_STREAM: Final = "application/octet-stream"
#: Types of answers that are looked through for a film, and are no file themselves.
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
LISTS: Final = frozenset(
    {"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"}
    | {"application/dash+xml", "application/vnd.ms-sstr+xml", "application/rss+xml"}
)
#: The codings that `bodies` undoes: lengths and offsets then count other bytes than ours.
_CODINGS: Final = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
#: Nobody asked for these. What is no coding at all, such as `none` or `utf-8`, changes nothing.
_FOREIGN: Final = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip"})
_VAGUE: Final = frozenset({OCTET_STREAM, "binary/octet-stream", "application/force-download"})
_VALIDATOR_CHARACTERS: Final = 200
_LONGEST_WAIT_S: Final = 3600

_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.IGNORECASE)
_STRONG_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]*"')
_HTTP_DATE: Final = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT")
_MIME_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}")
#: Extensions that tell how the site works, and nothing of what it serves.
_SCRIPT: Final = re.compile(r"\.(?:php|aspx?|jspx?|cgi)$", re.IGNORECASE)
_ESCAPED: Final = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)

#: Statuses that have a reason of their own. Temporary ones may end by themselves.
_NOT_FOUND: Final = frozenset({404, 410})
_FORBIDDEN: Final = frozenset({401, 403, 407, 451})
#: The host wants to be left alone for a while.
BUSY: Final = frozenset({429, 503})


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the headers of a 200 or 206 promise."""

    start: int  # where the body begins in the file
    body_bytes: int | None  # of the body; None: until it ends
    size_bytes: int | None  # of the whole file
    validator: str | None  # strong ETag, or Last-Modified; None also when ranges are not served


def refusal(status: int, headers: Mapping[str, str], site: str) -> SourceError | None:
    """The error that `status` stands for; None for the two that bring a file. `detail` is for logs."""
    detail = f"{site}: status {status}"
    if status in {200, 206}:
        return None
    if status in _NOT_FOUND:
        return SourceError(Reason.NOT_FOUND, detail)
    if status == 401:
        return NotSignedIn(Reason.FORBIDDEN, detail)
    if status in _FORBIDDEN:
        return SourceError(Reason.FORBIDDEN, detail)
    if status in BUSY:
        wait_s = asked_wait_s(headers)
        asked = f", retry after {wait_s:.0f} s" if wait_s else ""
        return SiteFails(Reason.SITE_BUSY, detail + asked, site=site, wait_s=wait_s)
    if status >= 500:
        return SiteFails(Reason.SITE_BROKEN, detail, site=site)
    return SourceError(Reason.SITE_BROKEN, detail)


def read_facts(status: int, headers: Mapping[str, str], host: str) -> Facts:
    """The facts of a 200 or 206.

    Raises:
        SourceError: SITE_BROKEN: a 206 without a proper Content-Range, or codings that we do not undo.
    """
    codings = _codings(headers)
    if _FOREIGN & {*codings} or len([each for each in codings if each in _CODINGS]) > 1:
        raise SourceError(Reason.SITE_BROKEN, f"{host}: Content-Encoding")
    coded = bool(coding_of(headers))
    if status == 200:
        length = _DIGITS.fullmatch(headers.get("Content-Length", "").strip())
        size_bytes = int(length[0]) if length and not coded else None
        ranges = headers.get("Accept-Ranges", "").strip().lower() == "bytes" and not coded
        validator = read_validator(headers) if ranges else None
        return Facts(start=0, body_bytes=size_bytes, size_bytes=size_bytes, validator=validator)
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    first, last = (int(match[1]), int(match[2])) if match else (0, -1)
    whole = int(match[3]) if match and match[3] != "*" else None
    if last < first or (whole is not None and last >= whole):
        raise SourceError(Reason.SITE_BROKEN, f"{host}: Content-Range")
    if coded:
        return Facts(start=first, body_bytes=None, size_bytes=None, validator=None)
    validator = read_validator(headers)
    return Facts(start=first, body_bytes=last - first + 1, size_bytes=whole, validator=validator)


def coding_of(headers: Mapping[str, str]) -> str:
    """`gzip` or `deflate`; "": the body is as it is."""
    return next((_CODINGS[each] for each in _codings(headers) if each in _CODINGS), "")


def _codings(headers: Mapping[str, str]) -> list[str]:
    return [each.strip().lower() for each in headers.get("Content-Encoding", "").split(",")]


def read_validator(headers: Mapping[str, str]) -> str | None:
    """What identifies this state of the file in If-Range: a strong ETag, else Last-Modified.

    https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
    """
    etag = headers.get("ETag", "").strip()
    if len(etag) <= _VALIDATOR_CHARACTERS and _STRONG_ETAG.fullmatch(etag):
        return etag
    modified = headers.get("Last-Modified", "").strip()
    return modified if _HTTP_DATE.fullmatch(modified) else None


def agrees(headers: Mapping[str, str], validator: str) -> bool:
    """Whether a further answer is of the same state of the file; one that does not say is believed."""
    field = "ETag" if validator.startswith('"') else "Last-Modified"
    return headers.get(field, validator).strip() == validator


def is_empty(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a 416 says that the file has no bytes, so that no range of it can be served."""
    return status == 416 and headers.get("Content-Range", "").replace(" ", "").lower() == "bytes*/0"


def hides_size(status: int, headers: Mapping[str, str], host: str) -> bool:
    """Whether an answer to a range tells nothing of the whole file, so that only a plain request can.

    A 416 to the first byte is of a site without ranges; a 206 may lack the total, or be compressed.

    Raises:
        SourceError: see `read_facts`.
    """
    return status == 416 or (status == 206 and read_facts(status, headers, host).size_bytes is None)


def asked_wait_s(headers: Mapping[str, str]) -> float:
    """For how many seconds the host wants to be left alone, at most an hour; 0: it does not say.

    A time of day is compared with the host's own. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    asked = headers.get("Retry-After", "").strip()
    if _DIGITS.fullmatch(asked):
        return float(min(int(asked), _LONGEST_WAIT_S))
    try:
        until, now = (parsedate_to_datetime(each) for each in (asked, headers.get("Date", "")))
        return min(max(0.0, (until - now).total_seconds()), _LONGEST_WAIT_S)
    except (TypeError, ValueError, OverflowError):  # no date, or one without a zone
        return 0.0


def raw_name(headers: Mapping[str, str], urls: list[str], type_: str) -> str:
    """The name given to the file by the header, else by the URLs that led to it; "" when none is given.

    Of several URLs the last one with an extension counts: redirects often end at a bare hash. A page gets
    `.html`, after the site's own name if it has no other.
    """
    given = _disposition_name(headers.get("Content-Disposition", ""))
    if given:
        return given
    name = _url_name(urls)
    if type_ != "text/html" or name.lower().endswith((".html", ".htm")):
        return name
    return f"{name or urlsplit(urls[-1]).hostname}.html"


def mime_type(headers: Mapping[str, str]) -> str:
    """The type in the header; OCTET_STREAM when it says nothing or nonsense."""
    declared = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return declared if _MIME_TYPE.fullmatch(declared) and declared not in _VAGUE else OCTET_STREAM


def mime_type_of_name(name: str) -> str:
    """The type that the extension of `name` stands for."""
    guessed, coding = mimetypes.guess_type(f"./{name}")
    return guessed if guessed and not coding else OCTET_STREAM


def _disposition_name(header: str) -> str:
    """`filename*` before `filename` (RFC 6266), with what servers really send in the latter.

    Of the parsers at hand that of `email` alone takes unquoted spaces, stray semicolons and backslashes.
    """
    message = Message()
    message["Content-Disposition"] = _as_text(header)
    given = [
        value
        for key, value in message.get_params([], header="Content-Disposition")
        if key.lower() == "filename"
    ]
    extended = [collapse_rfc2231_value(value) for value in given if isinstance(value, tuple)]
    plain = [_decoded(value) for value in given if isinstance(value, str)]
    return next((name for name in extended + plain if name), "")


def _as_text(header: str) -> str:
    """Bytes that aiohttp could not read as UTF-8 are Latin-1, as in the days before RFC 5987."""
    raw = header.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decoded(name: str) -> str:
    """`name` without an encoding that does not belong into a plain `filename`, yet is common there."""
    if name.startswith("=?"):
        try:
            return str(make_header(decode_header(name)))
        except (LookupError, ValueError, MessageError, binascii.Error):
            return name
    return unquote(name) if _ESCAPED.search(name) else name


def _url_name(urls: list[str]) -> str:
    names = [_SCRIPT.sub("", unquote(urlsplit(url).path.rsplit("/", 1)[-1])) for url in urls]
    named = [name for name in names if "." in name.strip(".")]
    return (named or names)[-1]
