"""Private messages. A letter is one text in two boxes, under a number of its own in each."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.world.files import Document


@dataclass(frozen=True, slots=True)
class Media:
    """A document in a message, and how it shall be shown."""

    document: Document
    spoiler: bool = False
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender writes. Entities and markup are TL objects: the server stores and forwards them."""

    text: str
    entities: tuple[Any, ...] = ()
    media: Media | None = None
    markup: Any = None

    def same_as(self, other: "Draft") -> bool:
        """Whether a reader would see no difference."""
        return (self.text, self.media, _bytes(self)) == (other.text, other.media, _bytes(other))


def _bytes(draft: Draft) -> tuple[bytes, ...]:
    markup = b"" if draft.markup is None else bytes(draft.markup)
    return markup, *map(bytes, draft.entities)


@dataclass(eq=False)
class Letter:
    """A private message. `ids` are its numbers, by account; who deleted it has none."""

    sender_id: int
    recipient_id: int
    sent_at: int
    draft: Draft
    random_id: int = 0
    reply_to: "Letter | None" = None
    edited_at: int | None = None
    ids: dict[int, int] = field(default_factory=dict)

    def other(self, account_id: int) -> int:
        """The account at the other end, seen from this one."""
        return self.recipient_id if account_id == self.sender_id else self.sender_id
