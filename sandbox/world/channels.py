"""Channels and who is in them."""

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a channel."""

    CREATOR = "creator"
    ADMIN = "admin"
    MEMBER = "member"
    LEFT = "left"
    BANNED = "banned"


#: Roles that count as being in the channel.
INSIDE = frozenset({Role.CREATOR, Role.ADMIN, Role.MEMBER})
#: Roles that see who else is in it, and are told of joins and leaves.
SEEING = frozenset({Role.CREATOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Member:
    """One person's standing in a channel, and since when (seconds since the epoch)."""

    user_id: int
    role: Role
    since: int


@dataclass(eq=False)
class Channel:
    """A broadcast channel. A public one has a username."""

    id: int
    title: str
    username: str | None
    created_at: int = field(default_factory=lambda: int(time.time()))
    #: everybody who was ever in it
    members: dict[int, Member] = field(default_factory=dict)

    def member(self, user_id: int) -> Member | None:
        """The standing of a person; None for one who was never in."""
        return self.members.get(user_id)

    def holds(self, user_id: int) -> bool:
        """Whether a person is in the channel now."""
        member = self.members.get(user_id)
        return member is not None and member.role in INSIDE

    def shows_members_to(self, user_id: int) -> bool:
        """Whether a person may see who is in the channel."""
        member = self.members.get(user_id)
        return member is not None and member.role in SEEING

    def seat(self, user_id: int, role: Role) -> tuple[Member | None, Member]:
        """Change a person's role. Gives the standing before and after."""
        before = self.members.get(user_id)
        after = Member(user_id, role, int(time.time()))
        if before is not None and before.role in INSIDE and role in INSIDE:
            after = replace(after, since=before.since)
        self.members[user_id] = after
        return before, after

    @property
    def size(self) -> int:
        """How many are in it."""
        return sum(member.role in INSIDE for member in self.members.values())
