"""Messages on their way: into the boxes of all who get them, changed in all, taken out again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.world.accounts import Account, Accounts
from sandbox.world.box import Box, Logged, Sent
from sandbox.world.channels import Channel, Chats, Group
from sandbox.world.clock import Clock
from sandbox.world.events import Event, LetterArrived, LetterEdited, LettersDeleted, LettersRead
from sandbox.world.ledger import Ledger
from sandbox.world.letters import Draft, Letter
from sandbox.world.stats import Stats

#: Hears of every event of an account: the data centres do.
Listener = Callable[[Account, Logged], None]
#: Where one can write to.
Place = Account | Group | Channel


@dataclass(frozen=True, slots=True)
class _News:
    """Something that happened, and whose box it happened to."""

    owner_id: int
    logged: Logged


class PostOffice:
    """Carries letters, and tells listeners what happened to whom."""

    def __init__(
        self,
        accounts: Accounts,
        chats: Chats,
        *,
        ledger: Ledger,
        clock: Clock,
        stats: Stats,
        tell: Listener,
    ) -> None:
        self._accounts = accounts
        self._chats = chats
        self._ledger = ledger
        self._clock = clock
        self._stats = stats
        self._tell = tell
        self.last_uid = 0

    def send(
        self, sender: Account, to: Place, draft: Draft, random_id: int = 0, reply_to: Letter | None = None
    ) -> Sent:
        """Put a letter into the boxes of all who get it."""
        self.last_uid += 1
        self._stats.messages += 1
        date = self._clock.date()
        letter = Letter(self.last_uid, sender.id, to.peer_id, date, draft, random_id, reply_to)
        if isinstance(to, Account) and sender.id not in to.heard_from:
            to.heard_from.add(sender.id)
            self._ledger.keep(to)
        boxes = self._boxes(sender, to)
        for box in boxes:
            box.put(letter)
        self._ledger.keep(letter)
        news = [self._record(box, LetterArrived(letter), 1) for box in boxes]
        sent = Sent(letter, news[-1].logged)
        if random_id:
            sender.remember_sent(random_id, sent)
        self._announce(news)
        return sent

    def _boxes(self, sender: Account, to: Place) -> list[Box]:
        """The boxes that a letter goes to, the one that its sender follows last."""
        match to:
            case Channel():
                return [to.box]
            case Group():
                members = (self._accounts.get(user_id) for user_id in to.inside)
                others = [member.box for member in members if member is not None and member is not sender]
                return [*others, sender.box]
            case Account():
                return [sender.box] if to is sender else [to.box, sender.box]

    def _box(self, owner_id: int) -> Box | None:
        """The box of an account or a marked channel."""
        owner = self._accounts.get(owner_id) or self._chats.get(owner_id)
        return None if owner is None or isinstance(owner, Group) else owner.box

    def edit(self, letter: Letter, draft: Draft, editor: Account) -> Logged:
        """Change a letter for all who have it. Gives what it was to the editor."""
        letter.draft = draft
        letter.edited_at = self._clock.date()
        self._ledger.keep(letter)
        boxes = (self._box(owner_id) for owner_id in letter.ids)
        news = [self._record(box, LetterEdited(letter), 1) for box in boxes if box is not None]
        self._announce(news)
        own = letter.recipient_id if letter.is_post else editor.id
        return next(one.logged for one in news if one.owner_id == own)

    def delete(self, letters: Iterable[Letter], owner_id: int, *, for_all: bool) -> int:
        """Take letters out of one box, or of all that have them. Gives how many were in the owner's box."""
        numbers: dict[int, list[int]] = {owner_id: []}
        for letter in letters:
            for held_by in list(letter.ids) if for_all else [owner_id]:
                box = self._box(held_by)
                number = None if box is None else box.take(letter)
                if number is not None:
                    numbers.setdefault(held_by, []).append(number)
            if not letter.ids:
                # only that there was one is remembered, so that its random_id sends nothing again
                letter.draft = Draft("")
            self._ledger.keep(letter)
        self._announce(
            [
                self._record(box, LettersDeleted(tuple(gone), held_by), len(gone))
                for held_by, gone in numbers.items()
                if gone and (box := self._box(held_by)) is not None
            ]
        )
        return len(numbers[owner_id])

    def read(self, reader: Account, peer_id: int, max_id: int) -> Logged | None:
        """The reader has seen a chat up to its own number `max_id`: the writers are told, if they are people.

        None: it was read that far before.
        """
        seen = [
            (number, letter)
            for number, letter in reader.box.letters.items()
            if letter.other(reader.id) == peer_id and letter.sender_id != reader.id
        ]
        read = [(number, letter) for number, letter in seen if number <= max_id]
        last = max((number for number, _ in read), default=0)
        if last <= reader.read_up_to.get(peer_id, 0):
            return None
        reader.read_up_to[peer_id] = last
        self._ledger.keep(reader)
        own = self._record(reader.box, LettersRead(peer_id, last, True, len(seen) - len(read)), 1)
        writers = {letter.sender_id for _, letter in read}
        told = [self._told(writer_id, [letter for _, letter in read]) for writer_id in sorted(writers)]
        self._announce([*(one for one in told if one is not None), own])
        return own.logged

    def _told(self, writer_id: int, read: list[Letter]) -> _News | None:
        """What a writer learns of being read; bots learn nothing."""
        writer = self._accounts.get(writer_id)
        own = [letter for letter in read if letter.sender_id == writer_id]
        newest = max((number for letter in own if (number := letter.number(writer_id))), default=0)
        if writer is None or writer.is_bot or not newest:
            return None
        return self._record(writer.box, LettersRead(own[-1].other(writer_id), newest), 1)

    def _record(self, box: Box, event: Event, pts_count: int) -> _News:
        logged = box.record(event, pts_count)
        self._ledger.log(box, logged)
        return _News(box.owner_id, logged)

    def _announce(self, news: Iterable[_News]) -> None:
        """Tell whom it concerns, once all of it is written down."""
        for one in news:
            for hearer in self._hearers(one.owner_id):
                self._tell(hearer, one.logged)

    def _hearers(self, owner_id: int) -> Iterable[Account]:
        """Whom a change of a box is told: its account, or all who are in the channel."""
        if owner_id > 0:
            account = self._accounts.get(owner_id)
            return () if account is None else (account,)
        chat = self._chats.get(owner_id)
        members = (self._accounts.get(user_id) for user_id in (chat.inside if chat is not None else ()))
        return [member for member in members if member is not None]
