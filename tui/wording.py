"""What the engine's words mean, in few words for the admin at the screen."""

from collections.abc import Mapping
from types import MappingProxyType

from tui import units

#: By the values of `errors.Reason` (a test keeps them complete); short, for a column at 80 cells.
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not-http": "not an http(s) link",
        "malformed": "malformed link",
        "private-address": "in a private network",
        "no-such-host": "no such site",
        "unreachable": "site unreachable",
        "timed-out": "site took too long",
        "not-found": "file not found",
        "forbidden": "site refuses access",
        "site-busy": "site is too busy",
        "site-rests": "site rests for a while",
        "site-broken": "site is broken",
        "changed": "changed on the way",
        "empty": "empty file",
        "too-large": "too large for Telegram",
        "no-media": "no film on the page",
        "no-sound": "a film without sound",
        "out-of-range": "behind the film's end",
        "playlist": "a list, not one film",
        "live": "live stream",
        "upcoming": "not there yet",
        "needs-login": "site wants a login",
        "geo-blocked": "not in this country",
        "paid": "site wants money",
        "not-live": "nothing is live",
        "robot": "takes us for a robot",
        "set-up": "set-up lacks something",
        "crowded": "slow: others go first",
        "drm": "copy-protected",
        "protected": "not to be forwarded",
        "no-room": "no room on the disk",
        "upload-failed": "refused by Telegram",
        "chat-unreachable": "person blocked the bot",
        "internal": "our fault: see the log",
    }
)

_PHASES: Mapping[str, str] = MappingProxyType(
    {
        "opening": "asking the site",
        "preparing": "fetching",
        "uploading": "uploading",
        "finishing": "delivering",
    }
)


def reason(value: str | None) -> str:
    """Why a job failed."""
    if value is None:
        return "failed"
    return _REASONS.get(value, value.replace("-", " "))


def phase(value: str) -> str:
    """What a running job does."""
    return _PHASES.get(value, value)


def wrong_clock(ahead_s: float) -> str:
    """A machine's clock that is `ahead_s` before Telegram's, or behind it (negative)."""
    return f"the machine's clock is {units.duration(abs(ahead_s))} {'ahead' if ahead_s > 0 else 'behind'}"
