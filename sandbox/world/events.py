"""What can happen to an account. Each becomes one TL update in `sandbox.rpc.view`."""

from dataclasses import dataclass

from sandbox.world.channels import Channel, Member
from sandbox.world.letters import Letter


@dataclass(frozen=True, slots=True)
class LetterArrived:
    """A message was sent to or by the account."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class LetterEdited:
    """A message of the account's box was changed."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class LettersDeleted:
    """Messages are gone from the account's box."""

    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LettersRead:
    """The other one has read what the account wrote, up to this number."""

    peer_id: int
    max_id: int


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """Somebody's standing changed in a channel where the account is an admin."""

    channel: Channel
    actor_id: int
    before: Member | None
    after: Member


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """The account's own standing in a channel, or the channel, changed."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A person pressed a button of the bot's message."""

    query_id: int
    user_id: int
    message_id: int
    data: bytes


Event = (
    LetterArrived
    | LetterEdited
    | LettersDeleted
    | LettersRead
    | MemberChanged
    | ChannelChanged
    | ButtonPressed
)
