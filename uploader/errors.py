"""Every error that Peyk raises on purpose.

    PeykError
    ├── ConfigError              the operator's settings cannot be used; lists every problem
    ├── NotALink                 the text is not a link that Peyk can fetch; carries a Reason
    ├── SourceError              the link could not be fetched; carries a Reason
    │   ├── NotSignedIn          ... for the site does not take whoever asks for signed in
    │   └── SourceTemporary      ... this time: a later attempt may work
    │       ├── SiteFails        ... for the site is down, overloaded or not to be reached
    │       └── NotYet           ... not before `wait_s`: the attempt counts for nothing
    │           └── GivesWay     ... for the source is slow, and others wait for the place
    ├── TransferError            the data centre did not take the file; carries a Reason
    │   ├── TransferTemporary    ... this time: a later attempt resumes
    │   │   ├── PartsLost        ... parts that were acknowledged are gone, and are sent again
    │   │   └── Parked           ... and wants none of the account's parts before `wait_s`
    │   └── AccountStopped       the account's login was ended: nothing goes until an operator sees to it
    ├── TelegramError            Telegram refused a call
    │   ├── ChatUnreachable      the person blocked the bot, or the chat is gone
    │   ├── FloodWait            Telegram asks to wait `wait_s` seconds
    │   ├── NoAnswer             whether the call was done is unknown
    │   ├── LoggedOut            the account's login was ended
    │   └── ChannelUnusable      the bot may not see who is in a channel
    ├── CarrierRests             the account that carried the file failed: another takes it
    ├── BackupError              no backup could be made, or put back
    ├── StorageUnavailable       the database does not answer now
    └── LeaseLost                another worker owns the job now: stop at once

A `Reason` is the cause in a form that a person can be told; the texts for it are in `texts/*.ftl`
under `reason-<value>`. The message of an error is for logs only and never reaches a chat.
"""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a link or a job failed, as users and admins are told."""

    NOT_HTTP = "not-http"  # another scheme than http(s)
    MALFORMED = "malformed"  # no host, user info, bad port, control characters, too long
    PRIVATE_ADDRESS = "private-address"  # leads inside a network that links may not reach
    NO_SUCH_HOST = "no-such-host"
    UNREACHABLE = "unreachable"  # refused, reset, TLS failure
    TIMED_OUT = "timed-out"
    NOT_FOUND = "not-found"  # 404, 410
    FORBIDDEN = "forbidden"  # 401, 403, 407, 451
    SITE_BUSY = "site-busy"  # 429, 503
    SITE_RESTS = "site-rests"  # it failed again and again, and is not asked for a while
    SITE_BROKEN = "site-broken"  # other 4xx and 5xx, broken bodies, too many redirects
    CHANGED = "changed"  # the file changed while it was fetched
    EMPTY = "empty"  # 0 bytes
    TOO_LARGE = "too-large"
    TOO_MANY_VOLUMES = "too-many-volumes"  # too large even for them
    NO_MEDIA = "no-media"  # a page without a film or a file
    NO_SOUND = "no-sound"  # a film without a sound that could be had alone
    OUT_OF_RANGE = "out-of-range"  # the span that is wished for lies behind the end
    PLAYLIST = "playlist"  # a list of films, not one
    LIVE = "live"  # goes on now, or for ever
    UPCOMING = "upcoming"  # not there yet
    NEEDS_LOGIN = "needs-login"
    GEO_BLOCKED = "geo-blocked"
    PAID = "paid"  # the site wants money for it
    NOT_LIVE = "not-live"  # a channel that shows nothing just now
    ROBOT = "robot"  # the site takes us for a robot, and answers nobody from here
    SET_UP = "set-up"  # something that the site needs is missing here, or is too old
    DRM = "drm"
    NOT_VISIBLE = "not-visible"  # a message on Telegram that the bot, or its person, may not see
    NO_FILE = "no-file"  # a message on Telegram without one
    MESSAGE_GONE = "message-gone"  # deleted before its file was sent on
    PROTECTED = "protected"  # its chat on Telegram lets nobody pass it on
    NO_ROOM = "no-room"  # the disk is full
    CROWDED = "crowded"  # the source is slow, and others go first
    WAITED_TOO_LONG = "waited-too-long"  # in the queue
    TELEGRAM_WAITS = "telegram-waits"  # it wants nothing more from us for a while
    UPLOAD_FAILED = "upload-failed"
    CHAT_UNREACHABLE = "chat-unreachable"
    INTERNAL = "internal"


class PeykError(Exception):
    """The root of the tree."""


class ConfigError(PeykError):
    """The settings cannot be used. `problems` has one sentence per problem: the key and the fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ReasonedError(PeykError):
    """A failure with a `reason` that a person can be told; `detail` is for the log alone."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class NotALink(ReasonedError):
    """The text is no link that Peyk can fetch."""


class SourceError(ReasonedError):
    """The link could not be fetched, and asking again would not help."""


class NotSignedIn(SourceError):
    """The site does not take whoever asks for signed in: with cookies, their session has ended."""


class SourceTemporary(SourceError):
    """The link could not be fetched this time."""


class SiteFails(SourceTemporary):
    """The site is down, overloaded or not to be reached: no other link of it would do better just now.

    `site` is the one that failed (see `Link.site`); "": the one that was asked. It wants to be left alone
    for `wait_s`.
    """

    def __init__(self, reason: Reason, detail: str = "", *, site: str = "", wait_s: float = 0.0) -> None:
        super().__init__(reason, detail)
        self.site = site
        self.wait_s = wait_s


class NotYet(SourceTemporary):
    """Nothing is wrong with the link: it is its turn again in `wait_s` seconds."""

    def __init__(self, reason: Reason, detail: str = "", *, wait_s: float) -> None:
        super().__init__(reason, detail)
        self.wait_s = wait_s


class GivesWay(NotYet):
    """The source is slow, and others wait: the job gives its place up for `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(Reason.CROWDED, wait_s=wait_s)


class TransferError(ReasonedError):
    """The data centre did not take the file, and asking again would not help."""


class TransferTemporary(TransferError):
    """The data centre did not take the file this time; a later attempt resumes."""


class PartsLost(TransferTemporary):
    """The data centre no longer has a part that it acknowledged: `part`; None: all must be sent again."""

    def __init__(self, reason: Reason, detail: str = "", part: int | None = None) -> None:
        super().__init__(reason, detail)
        self.part = part


class Parked(TransferTemporary):
    """The data centre wants no part from this account for another `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(Reason.TELEGRAM_WAITS, f"no parts for {wait_s:.0f} s")
        self.wait_s = wait_s


class AccountStopped(TransferError):
    """The account's login was ended or is used elsewhere: nothing goes until an operator sees to it."""


class TelegramError(PeykError):
    """Telegram refused a call. The message is Telegram's own error name."""


class ChatUnreachable(TelegramError):
    """The person blocked the bot, deleted the account, or the chat is gone."""


class FloodWait(TelegramError):
    """Telegram asks to wait `wait_s` seconds before this call is made again."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"FLOOD_WAIT_{wait_s:g}")
        self.wait_s = wait_s


class NoAnswer(TelegramError):
    """No answer came in time, or the connection broke: whether the call was done is unknown."""


class LoggedOut(TelegramError):
    """The account's login was ended, or is used elsewhere."""


class MessageGone(TelegramError):
    """A message that was to be changed, or answered, is not there any more: its person deleted it."""


class ChannelUnusable(TelegramError):
    """The account may not do in a channel what it must: not an admin there, or the channel is gone."""


#: Telegram may take the same call later.
HELD_UP: Final = (FloodWait, NoAnswer, LoggedOut)


class CarrierRests(PeykError):
    """The account that carried the file failed, and rests; another takes the file. The message: its name."""


class StorageUnavailable(PeykError):
    """The database does not answer; later it may. Whether the last write was kept is unknown."""


class BackupError(PeykError):
    """A backup was not made, or not put back: the message is a sentence for the operator."""


class LeaseLost(PeykError):
    """Another worker owns the job now, or it was cancelled: stop before anything is sent."""
