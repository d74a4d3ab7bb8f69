"""Groups, supergroups and channels: who is in them, by which links, under which numbers."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from sandbox.world.box import Box
from sandbox.world.invites import Invite, JoinRequest
from sandbox.world.members import ALL_RIGHTS, Member, Right, Role

#: Marked ids say what they name, as in the Bot API: people positive, groups negative, channels below this.
#: https://core.telegram.org/api/bots/ids
CHANNEL_MARK: Final = -1_000_000_000_000


@dataclass(eq=False)
class Chat:
    """What groups and channels have in common. `members` are all who were ever in, or banned."""

    kind: ClassVar[str]

    id: int
    title: str
    created_at: int
    members: dict[int, Member] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    #: those who wait for an admin's word, by account
    requests: dict[int, JoinRequest] = field(default_factory=dict)

    @property
    def peer_id(self) -> int:
        """The marked id."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        return str(self.id)

    def member(self, user_id: int) -> Member | None:
        """The standing of a person; None for one who was never in."""
        return self.members.get(user_id)

    def holds(self, user_id: int) -> bool:
        """Whether a person is inside now."""
        member = self.members.get(user_id)
        return member is not None and member.is_inside

    def bars(self, user_id: int) -> bool:
        """Whether a person is banned."""
        member = self.members.get(user_id)
        return member is not None and member.role is Role.BANNED

    def may(self, user_id: int, right: Right) -> bool:
        """Whether a person is an admin with this right."""
        member = self.members.get(user_id)
        return member is not None and member.may(right)

    def seat(
        self, user_id: int, role: Role, by_id: int, at: int, rights: frozenset[Right] = ALL_RIGHTS
    ) -> tuple[Member | None, Member]:
        """Change a person's role. Gives the standing before and after."""
        before = self.members.get(user_id)
        after = Member(user_id, role, at, by_id, rights if role is Role.ADMIN else frozenset())
        if before is not None and before.is_inside and after.is_inside:
            after = replace(after, since=before.since)
        self.members[user_id] = after
        self.requests.pop(user_id, None)
        return before, after

    @property
    def inside(self) -> Iterator[int]:
        """The ids of those inside."""
        return (member.user_id for member in self.members.values() if member.is_inside)

    @property
    def size(self) -> int:
        """How many are in it."""
        return sum(1 for _ in self.inside)


@dataclass(eq=False)
class Group(Chat):
    """A basic group: its messages lie in the boxes of its members."""

    kind: ClassVar[str] = "group"

    @property
    def peer_id(self) -> int:
        return -self.id


@dataclass(eq=False)
class Channel(Chat):
    """A broadcast channel, or a supergroup where everybody writes. A public one has a username.

    Its posts lie in a box of its own. `by_request`: an admin lets people in, also by the public name.
    `noforwards`: nobody may pass on what is in it.
    """

    kind: ClassVar[str] = "channel"

    username: str | None = None
    broadcast: bool = True
    by_request: bool = False
    noforwards: bool = False
    box: Box = field(init=False, metadata={"kept": False})

    def __post_init__(self) -> None:
        self.box = Box(self.peer_id)

    @property
    def peer_id(self) -> int:
        return CHANNEL_MARK - self.id

    def shows_members_to(self, user_id: int) -> bool:
        """Whether a person may see who is inside: all of a supergroup, the admins of a channel."""
        member = self.members.get(user_id)
        return member is not None and (not self.broadcast or member.role in (Role.CREATOR, Role.ADMIN))


class Chats:
    """All groups and channels."""

    def __init__(self) -> None:
        self._by_peer_id: dict[int, Group | Channel] = {}
        self._by_hash: dict[str, Group | Channel] = {}
        self._ids = itertools.count(1_500_000_001)

    def __iter__(self) -> Iterator[Group | Channel]:
        return iter(self._by_peer_id.values())

    def new_id(self) -> int:
        """An id that no group or channel has."""
        return next(number for number in self._ids if not self._is_taken(number))

    def _is_taken(self, number: int) -> bool:
        return -number in self._by_peer_id or CHANNEL_MARK - number in self._by_peer_id

    def add(self, chat: Group | Channel) -> None:
        """Enter a new one, with its invites."""
        self._by_peer_id[chat.peer_id] = chat
        self._by_hash.update(dict.fromkeys(chat.invites, chat))

    def get(self, peer_id: int) -> Group | Channel | None:
        """The group or channel with this marked id."""
        return self._by_peer_id.get(peer_id)

    def group(self, group_id: int) -> Group | None:
        """The basic group with this id."""
        found = self._by_peer_id.get(-group_id)
        return found if isinstance(found, Group) else None

    def channel(self, channel_id: int) -> Channel | None:
        """The channel or supergroup with this id."""
        found = self._by_peer_id.get(CHANNEL_MARK - channel_id)
        return found if isinstance(found, Channel) else None

    def add_invite(self, chat: Group | Channel, invite: Invite) -> None:
        """A new link into a chat."""
        chat.invites[invite.hash] = invite
        self._by_hash[invite.hash] = chat

    def by_invite(self, invite_hash: str) -> tuple[Group | Channel, Invite] | None:
        """Where a link leads, and the link."""
        chat = self._by_hash.get(invite_hash)
        return None if chat is None else (chat, chat.invites[invite_hash])
