"""Private messages on their way: into two boxes, changed in both, taken out again."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.world.accounts import Account
from sandbox.world.box import Logged
from sandbox.world.events import Event, LetterArrived, LetterEdited, LettersDeleted, LettersRead
from sandbox.world.letters import Draft, Letter

#: Hears of every event of an account: the data centres do.
Listener = Callable[[Account, Logged], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that went out, and what that was in its sender's own sequence."""

    letter: Letter
    logged: Logged


class PostOffice:
    """Carries letters between accounts, and tells listeners what happened to whom."""

    def __init__(self, tell: Listener) -> None:
        self._tell = tell

    def send(
        self, sender: Account, recipient: Account, draft: Draft, random_id: int, reply_to: Letter | None
    ) -> Sent:
        """Put a letter into both boxes."""
        letter = Letter(sender.id, recipient.id, int(time.time()), draft, random_id, reply_to)
        recipient.heard_from.add(sender.id)
        owners = {recipient.id: recipient, sender.id: sender}
        for owner in owners.values():
            letter.ids[owner.id] = owner.box.put(letter)
        logged = [self._record(owner, LetterArrived(letter), 1) for owner in owners.values()]
        sent = Sent(letter, logged[-1])
        sender.remember_sent(random_id, sent)
        return sent

    def edit(self, letter: Letter, draft: Draft, editor: Account, other: Account | None) -> Logged:
        """Change a letter in both boxes. Gives what it was to the editor."""
        letter.draft = draft
        letter.edited_at = int(time.time())
        if other is not None and other is not editor and other.id in letter.ids:
            self._record(other, LetterEdited(letter), 1)
        return self._record(editor, LetterEdited(letter), 1)

    def delete(self, letters: Iterable[Letter], owner: Account) -> int:
        """Take letters out of one box. Gives how many were there."""
        numbers = tuple(letter.ids.pop(owner.id) for letter in letters if owner.id in letter.ids)
        for number in numbers:
            del owner.box.letters[number]
        if numbers:
            self._record(owner, LettersDeleted(numbers), len(numbers))
        return len(numbers)

    def read(self, writer: Account, reader: Account, max_id: int) -> None:
        """The reader has seen all up to its message number `max_id`: the writer is told."""
        seen = [
            letter.ids[writer.id]
            for number, letter in reader.box.letters.items()
            if number <= max_id and letter.sender_id == writer.id and writer.id in letter.ids
        ]
        if seen:
            self._record(writer, LettersRead(reader.id, max(seen)), 0)

    def _record(self, owner: Account, event: Event, pts_count: int) -> Logged:
        logged = owner.box.record(event, pts_count)
        self._tell(owner, logged)
        return logged
