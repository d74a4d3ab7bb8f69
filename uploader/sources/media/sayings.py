"""What yt-dlp's failures come to. Like `child`, it imports only yt-dlp and the standard library.

Only what yt-dlp itself did not expect, and no site says, is "broken": this version no longer understands the
site. A site that refuses a link in words that are not known here is "refused".
"""

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

#: What extractors say for people, in lower case, and what it comes to. The first that fits counts: so what
#: is said of a place comes before what is said of a removal ("blocked it in your country on copyright
#: grounds"), and a terminated account before a login.
_SAYINGS: Final = tuple(
    (kind, re.compile(saying))
    for kind, saying in (
        ("drm", r"\bdrm\b"),
        ("login", r"authentication may be needed"),
        ("no-media", r"do(?:es)? not have (?:any videos|a .+ tab)"),
        (
            "robot",
            r"not a bot\b|captcha|^please sign in\b|\brobot\b|unusual traffic|cloudflare|guest token"
            r"|\bip (?:address )?is (?:likely )?(?:being )?(?:blocked|unable|banned)|\bip may be blocked"
            r"|tls fingerprint|exceeded the rate-limit for accessing|js challenge|challenge data"
            r"|fresh cookies|authentication is required$",
        ),
        (
            "set-up",
            r"\bpo.?token\b|\bsabr\b|only images are available|not available on this app|impersonat"
            r"|(?:javascript|js) runtime|\bn challenge|requested format is not available|player clients"
            r"|api client|oauth tokens?\b|page needs to be reloaded",
        ),
        ("limited", r"rate-limited by youtube"),
        (
            "geo",
            r"geo.?restrict|\b(?:in|from|to|of) your (?:country|region|location)|in this (?:country|region)"
            r"|\bwithheld\b|blocked it in",
        ),
        ("paid", r"requires? payment|\bpay.?per.?view\b|\b(?:rent|purchase|buy)\b|\brental\b"),
        (
            "upcoming",
            r"begin (?:in|shortly)|premieres? in|\bupcoming\b|not (?:yet )?started|started yet"
            r"|not yet available|\bscheduled\b|\bprocessing\b|check back later|downloadable yet|^offline\b",
        ),
        (
            "gone",
            r"\bterminated\b|\bsuspend|account (?:has been )?closed|closed their|\bremoved\b|\bdeleted\b"
            r"|no longer (?:exists?|available)|does ?n.t exist|does not exist|did not exist|\bexpired\b"
            r"|(?:live event|live ?stream) has ended|ended and replay|recording is not available"
            r"|copyright|\bviolat|\bnot found\b",
        ),
        ("live", r"\bis (?:currently )?live\b|currently live|live ?stream is|\bongoing live"),
        (
            "login",
            r"\blog.?(?:in|ged)\b|\bsign.?in\b|\baccounts?\b|\bmembers?\b|members?.only|\bsubscri"
            r"|\bprivate\b|\bpassword\b|\bpremium\b|\bage\b|age.restricted|authenticat|authoriz"
            r"|permission|inappropriate|offensive|suicide|self.harm|comfortable for some"
            r"|registered users|restricted video|years old|\bopted in|\bprotected\b|anyone\b|friends?\b"
            r"|privacy|nsfw|\bunauthorized|empty media response|content warning",
        ),
        ("busy", r"too many requests|rate.?limit|try again (?:later|with)|over capacity"),
        (
            "gone",
            r"unavailable|unreachable|not available|no longer|unviewable|\bdisabled\b"
            r"|redirected to youtube.com home",
        ),
        (
            "no-media",
            r"\bno (?:video|media|formats|results)\b|there.s no|not contain|could be found|not a video"
            r"|do(?:es)? not have (?:any videos|a .+ tab)",
        ),
    )
)
#: What yt-dlp advises those who run it by hand; it speaks of cookies and accounts whatever was wrong.
_ADVICE: Final = re.compile(
    r"\.? *(?:use --|see  ?https?:|also see |; please report |for more information, ).*", re.S
)
_QUOTES: Final = str.maketrans("‘’“”", "''\"\"")
_STATUSES: Final = (
    ("gone", (404, 410)),
    ("forbidden", (401, 402, 403, 407, 451)),
    ("busy", (429, 503)),
)


#: What is said, as a warning or at last, when cookies are there and their session is not taken.
_SESSION_ENDED: Final = re.compile(
    r"cookies are no longer valid|redirected to the login page|session (?:has |is )?(?:expired|invalid)"
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
        return "not-live"
    reason = getattr(cause, "cause", None) if isinstance(cause, ExtractorError) else cause
    if isinstance(reason, HTTPError):
        known = next((kind for kind, statuses in _STATUSES if reason.status in statuses), None)
        return known or ("down" if reason.status >= 500 else "broken")
    if isinstance(reason, OSError) and reason.errno == errno.EFBIG:
        return "too-large"
    if isinstance(reason, TransportError | OSError):
        return "unreachable"
    if isinstance(cause, YoutubeDLError):
        said = saying_of(cause)
        unknown = "refused" if getattr(cause, "expected", False) else "broken"
        return next((kind for kind, saying in _SAYINGS if saying.search(said)), unknown)
    return "broken"


def session_ended(error: Exception, warnings: list[str]) -> bool:
    """Whether a look with cookies failed with `error`, after `warnings`, because the site knows them not."""
    cause = cause_of(error)
    reason = getattr(cause, "cause", None) or cause
    if isinstance(reason, HTTPError) and reason.status == 401:
        return True
    return any(_SESSION_ENDED.search(said.lower()) for said in (str(cause), *warnings))


def saying_of(error: YoutubeDLError) -> str:
    """What the site said, in lower case, without the extractor's name, the film's id and yt-dlp's advice."""
    said = error.orig_msg if isinstance(error, ExtractorError) else str(error)
    return _ADVICE.sub("", said.lower().translate(_QUOTES)).strip()
