"""What yt-dlp's failures come to. Like `child`, it imports only yt-dlp and the standard library."""

import errno
import re
from typing import Final

from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import (
    DownloadCancelled,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
    YoutubeDLError,
)

#: What extractors say for people, and what it comes to. The first that fits counts.
_SAYINGS: Final = (
    ("drm", r"\bdrm\b"),
    ("upcoming", r"begin in|premieres? in|upcoming|not (?:yet )?started|not yet available|scheduled"),
    ("live", r"is live|live ?stream|live event|currently live"),
    (
        "login",
        r"log.?in|sign.?in|cookies|account|members?.only|subscri|private|password|purchase|premium|\bage\b",
    ),
    ("geo", r"geo.?restrict|your (?:country|region|location)|in this (?:country|region)"),
    ("busy", r"too many requests|rate.?limit|try again later"),
    (
        "gone",
        r"removed|deleted|unavailable|not available|no longer|does ?n.t exist|not found|terminated|expired",
    ),
    ("no-media", r"no video|no media|no formats|there.s no|not contain|no results"),
)
_STATUSES: Final = (
    ("gone", (404, 410)),
    ("forbidden", (401, 402, 403, 407, 451)),
    ("busy", (429, 503)),
)


class Failed(Exception):
    """The order could not be carried out; the message is the kind of failure."""


def cause_of(error: BaseException) -> BaseException:
    """What yt-dlp wrapped into its general error."""
    inner = error.exc_info[1] if isinstance(error, DownloadError) and error.exc_info else None
    return inner if isinstance(inner, Exception) else error


def kind_of(error: Exception) -> str:
    """The kind of failure that `error` is; see `messages.Failed`."""
    cause = cause_of(error)
    if isinstance(cause, Failed):
        return str(cause)
    if isinstance(cause, DownloadCancelled):
        return "too-large"
    if isinstance(cause, UnsupportedError):
        return "no-media"
    if isinstance(cause, GeoRestrictedError):
        return "geo"
    if isinstance(cause, UserNotLive):
        return "upcoming"
    reason = getattr(cause, "cause", None) if isinstance(cause, ExtractorError) else cause
    if isinstance(reason, HTTPError):
        known = next((kind for kind, statuses in _STATUSES if reason.status in statuses), None)
        return known or ("down" if reason.status >= 500 else "broken")
    if isinstance(reason, OSError) and reason.errno == errno.EFBIG:
        return "too-large"
    if isinstance(reason, TransportError | OSError):
        return "unreachable"
    if isinstance(cause, YoutubeDLError):
        said = str(cause).lower()
        return next((kind for kind, saying in _SAYINGS if re.search(saying, said)), "broken")
    return "broken"
