"""Who is what in a group or a channel, and what that allows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody is in a group or a channel."""

    CREATOR = "creator"
    ADMIN = "admin"
    MEMBER = "member"
    LEFT = "left"
    BANNED = "banned"


class Right(StrEnum):
    """What an admin may do; the names are those of chatAdminRights.

    https://core.telegram.org/constructor/chatAdminRights
    """

    CHANGE_INFO = "change_info"
    POST = "post_messages"
    EDIT = "edit_messages"
    DELETE = "delete_messages"
    BAN = "ban_users"
    INVITE = "invite_users"
    PIN = "pin_messages"
    ADD_ADMINS = "add_admins"


ALL_RIGHTS: Final = frozenset(Right)
#: Roles that count as being inside.
INSIDE: Final = frozenset({Role.CREATOR, Role.ADMIN, Role.MEMBER})
#: Roles that see who else is inside, and are told of joins and leaves.
SEEING: Final = frozenset({Role.CREATOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Member:
    """One person's standing, and since when (seconds since the epoch). `by_id`: who made it so."""

    user_id: int
    role: Role
    since: int
    by_id: int
    rights: frozenset[Right] = frozenset()

    @property
    def is_inside(self) -> bool:
        return self.role in INSIDE

    def may(self, right: Right) -> bool:
        """Whether this member has a right of admins."""
        return self.role is Role.CREATOR or (self.role is Role.ADMIN and right in self.rights)
