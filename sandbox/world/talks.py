"""What one account has of each of its chats: the newest message, and how far it was read."""

from dataclasses import dataclass

from sandbox.world.accounts import Account
from sandbox.world.channels import Channel
from sandbox.world.letters import Letter
from sandbox.world.post_office import Place
from sandbox.world.world import World


@dataclass(frozen=True, slots=True)
class Talk:
    """One chat, as one account has it. Numbers are the account's, or those of a channel's posts; 0: none."""

    place: Place
    newest: Letter | None
    number: int
    #: when it was last written in, or when the account came in (seconds since the epoch)
    at: int
    read_by_owner: int = 0
    read_by_other: int = 0
    unread: int = 0


def talks(world: World, owner: Account) -> list[Talk]:
    """All chats in which the account is or was written to, and its channels; the newest first."""
    others = {letter.other(owner.id) for letter in owner.box.letters.values()}
    found = [world.accounts.get(other) or world.chats.get(other) for other in others]
    joined = [chat for chat in world.chats if isinstance(chat, Channel) and chat.holds(owner.id)]
    places = [*(place for place in found if place is not None), *joined]
    return sorted(
        (talk(owner, place) for place in places), key=lambda one: (one.at, one.place.peer_id), reverse=True
    )


def talk(owner: Account, place: Place) -> Talk:
    """One of them, also where nothing was ever written. Who reads posts is not noted: they count as read."""
    if isinstance(place, Channel):
        number, newest = max(place.box.letters.items(), default=(0, None))
        member = place.member(owner.id)
        at = newest.sent_at if newest is not None else member.since if member is not None else 0
        return Talk(place, newest, number, at, read_by_owner=number)
    letters = {
        number: letter
        for number, letter in owner.box.letters.items()
        if letter.other(owner.id) == place.peer_id
    }
    number, newest = max(letters.items(), default=(0, None))
    read = owner.read_up_to.get(place.peer_id, 0)
    return Talk(
        place,
        newest,
        number,
        newest.sent_at if newest is not None else 0,
        read_by_owner=read,
        read_by_other=_read_by(place, owner, letters) if isinstance(place, Account) else 0,
        unread=sum(number > read and letter.sender_id != owner.id for number, letter in letters.items()),
    )


def _read_by(other: Account, owner: Account, letters: dict[int, Letter]) -> int:
    """The owner's number of the last message that the other one has read."""
    up_to = other.read_up_to.get(owner.id, 0)
    read = (number for number, letter in letters.items() if 0 < letter.ids.get(other.id, 0) <= up_to)
    return max(read, default=0)
