"""What can happen to an account or a channel. Each becomes one TL update in `sandbox.rpc.news`."""

from dataclasses import dataclass

from sandbox.world.channels import Channel, Group
from sandbox.world.invites import Invite, JoinRequest
from sandbox.world.letters import Letter
from sandbox.world.members import Member


@dataclass(frozen=True, slots=True)
class LetterArrived:
    """A message was sent to or by the account, or posted in the channel."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class LetterEdited:
    """A message of the box was changed."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class LettersDeleted:
    """Messages are gone from the box. `owner_id` is whose it is: an account or a marked channel."""

    message_ids: tuple[int, ...]
    owner_id: int = 0


@dataclass(frozen=True, slots=True)
class LettersRead:
    """Somebody has read what the account wrote, up to this number; `inbox`: the account itself has read."""

    peer_id: int
    max_id: int
    inbox: bool = False
    unread: int = 0


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody's standing changed where the account is an admin, or its own did."""

    chat: Group | Channel
    actor_id: int
    before: Member | None
    after: Member
    invite: Invite | None = None


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """Somebody asks to be let in where the account may invite."""

    chat: Group | Channel
    request: JoinRequest


@dataclass(frozen=True, slots=True)
class ChatChanged:
    """The account's own standing in a group or channel, or the chat, changed."""

    chat: Group | Channel


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A person pressed a button of the bot's message, in the chat with this marked id."""

    query_id: int
    user_id: int
    peer_id: int
    message_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class InlineAsked:
    """A person types the bot's name and a query, in whatever chat."""

    query_id: int
    user_id: int
    query: str
    offset: str


@dataclass(frozen=True, slots=True)
class InlineChosen:
    """A person sent one of the results."""

    user_id: int
    query: str
    result_id: str


Event = (
    LetterArrived
    | LetterEdited
    | LettersDeleted
    | LettersRead
    | MemberChanged
    | JoinRequested
    | ChatChanged
    | ButtonPressed
    | InlineAsked
    | InlineChosen
)
