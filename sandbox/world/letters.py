"""Messages. A letter is one text in the boxes of all who have it, under a number of its own in each."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.world.channels import CHANNEL_MARK
from sandbox.world.files import Document, Photo


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message, and how it shall be shown."""

    file: Document | Photo
    spoiler: bool = False
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a forwarded message comes from: whose it is (marked id), when, and which post of a channel."""

    from_id: int
    at: int
    post_id: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender writes. Entities and markup are TL objects: the server stores and forwards them."""

    text: str
    entities: tuple[Any, ...] = ()
    media: Media | None = None
    markup: Any = None
    #: what the messages of one album have in common
    album_id: int | None = None
    forward: Forward | None = None
    via_bot_id: int | None = None

    def same_as(self, other: "Draft") -> bool:
        """Whether a reader would see no difference."""
        return (self.text, self.media, _bytes(self)) == (other.text, other.media, _bytes(other))


def _bytes(draft: Draft) -> tuple[bytes, ...]:
    markup = b"" if draft.markup is None else bytes(draft.markup)
    return markup, *map(bytes, draft.entities)


@dataclass(eq=False)
class Letter:
    """A message. `recipient_id` is an account or the marked id of a group or channel.

    `ids` are its numbers, by the box that holds it: an account's or, for posts, the channel's. Who deleted it
    has none.
    """

    kind: ClassVar[str] = "letter"

    uid: int
    sender_id: int
    recipient_id: int
    sent_at: int
    draft: Draft
    random_id: int = 0
    reply_to: "Letter | None" = None
    edited_at: int | None = None
    ids: dict[int, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.uid:020d}"

    @property
    def is_post(self) -> bool:
        """Whether it lies in the box of a channel or supergroup."""
        return self.recipient_id < CHANNEL_MARK

    def number(self, account_id: int) -> int | None:
        """Its number as this account knows it; None: it has it not, or not any more."""
        return self.ids.get(self.recipient_id if self.is_post else account_id)

    def other(self, account_id: int) -> int:
        """The chat that it is in, seen from this account: who is at the other end, or the marked id."""
        outgoing = account_id == self.sender_id or self.recipient_id < 0
        return self.recipient_id if outgoing else self.sender_id
