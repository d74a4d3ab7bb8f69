"""Invite links, and the requests to join that some of them make.

https://core.telegram.org/api/invites
"""

import secrets
from dataclasses import dataclass, field

#: What stands before the hash in a link.
LINK = "https://t.me/+"
#: Telegram's bound for usage_limit.
MAX_USES = 99_999


@dataclass(eq=False)
class Invite:
    """A link into a group or a channel. Times are seconds since the epoch.

    `usage` counts who joined by it, `asked` who waits for an admin's word.
    """

    creator_id: int
    created_at: int
    title: str | None = None
    expires_at: int | None = None
    usage_limit: int | None = None
    request_needed: bool = False
    permanent: bool = False
    revoked: bool = False
    usage: int = 0
    hash: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def link(self) -> str:
        return LINK + self.hash

    def is_open(self, now: float) -> bool:
        """Whether one can still join by it."""
        used_up = self.usage_limit is not None and self.usage >= self.usage_limit
        over = self.expires_at is not None and self.expires_at <= now
        return not (self.revoked or used_up or over)


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody who asked to be let in. `invite_hash` None: by the public name."""

    user_id: int
    at: int
    invite_hash: str | None = None
