"""From a ledger back to a world."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.world import events
from sandbox.world.accounts import Account
from sandbox.world.box import Box, Logged, Sent
from sandbox.world.channels import Channel, Group
from sandbox.world.files import Document, Photo, Picture
from sandbox.world.invites import Invite, JoinRequest
from sandbox.world.letters import Draft, Forward, Letter, Media
from sandbox.world.members import Member, Right, Role
from sandbox.world.passwords import Verifier
from sandbox.world.uploads import Blob
from sandbox.world.written import Reader, Writer

if TYPE_CHECKING:
    from sandbox.world.world import World

_CLASSES: Final = (
    *(Account, Verifier, Box, Logged, Channel, Group, Member, Right, Role, Invite, JoinRequest),
    *(Document, Photo, Picture, Blob, Letter, Draft, Media, Forward),
    *(events.LetterArrived, events.LetterEdited, events.LettersDeleted, events.LettersRead),
    *(events.MemberChanged, events.JoinRequested),
)


def restore(world: "World") -> None:
    """Take up what the ledger holds; a new one gets the secrets of this world."""
    if world.ledger.keeps:
        _Restoration(world).run()
        world.keep_secrets()
        world.ledger.commit()


class _Restoration:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._ledger = world.ledger
        self._letters: dict[str, Letter] = {}
        world.ledger.writer = Writer(world.spool)
        world.ledger.reader = Reader(_CLASSES, world.spool, self._find)

    def _find(self, kind: str, key: str) -> Any:
        """What a reference means; what it leads to was read before it."""
        world = self._world
        match kind:
            case "account":
                return world.accounts.get(int(key))
            case "group":
                return world.chats.group(int(key))
            case "channel":
                return world.chats.channel(int(key))
            case "document":
                return world.files.document(int(key))
            case "photo":
                return world.files.photo(int(key))
        return self._letters.get(key)

    def run(self) -> None:
        """Kind by kind, so that whatever is referred to is there."""
        self._secrets()
        for account in self._things("account"):
            self._world.accounts.add(account)
        for chat in (*self._things("group"), *self._things("channel")):
            self._world.chats.add(chat)
        for file in (*self._things("document"), *self._things("photo")):
            self._world.files.add(file)
        boxes = {box.owner_id: box for box in self._things("box")}
        self._boxes(boxes)
        # one by one: an answer refers to the message before it
        for _, letter in self._ledger.things("letter"):
            self._file(letter, boxes)
        self._logs(boxes)
        self._forget_deleted()
        self._spool()

    def _things(self, kind: str) -> list[Any]:
        return [thing for _, thing in self._ledger.things(kind)]

    def _secrets(self) -> None:
        for secrets in self._things("world"):
            self._world.accounts.secret = secrets["hashes"]
            self._world.files.secret = secrets["references"]
            self._world.files.era = secrets["era"]

    def _boxes(self, boxes: dict[int, Box]) -> None:
        for owner in (*self._world.accounts, *self._world.chats):
            if not isinstance(owner, Group):
                owner.box = boxes.setdefault(owner.peer_id, owner.box)

    def _file(self, letter: Letter, boxes: dict[int, Box]) -> None:
        self._letters[letter.key] = letter
        self._world.post_office.last_uid = letter.uid
        for owner_id, number in letter.ids.items():
            boxes[owner_id].letters[number] = letter

    def _logs(self, boxes: dict[int, Box]) -> None:
        for key, logged in self._ledger.things("event"):
            owner_id = int(key.partition("/")[0])
            match logged.event:
                case events.LetterArrived(None) | events.LetterEdited(None):
                    # the message was deleted since; its place in the sequence stays
                    logged = replace(logged, event=events.LettersDeleted((), owner_id))
                case events.LetterArrived(letter):
                    self._remember_sent(letter, logged, owner_id)
            boxes[owner_id].log.append(logged)

    def _remember_sent(self, letter: Letter, logged: Logged, owner_id: int) -> None:
        sender = self._world.accounts.get(letter.sender_id)
        if sender is not None and letter.random_id and (letter.is_post or sender.id == owner_id):
            sender.remember_sent(letter.random_id, Sent(letter, logged))

    def _forget_deleted(self) -> None:
        """Of messages that nobody has any more, those whose random_id counts no more go for good."""
        counting = {sent.letter for account in self._world.accounts for sent in account.sent.values()}
        for letter in self._letters.values():
            if not letter.ids and letter not in counting:
                self._ledger.drop(letter)

    def _spool(self) -> None:
        """Take up unfinished uploads, and clear away what belongs to nothing."""
        known: set[Path] = set()
        for key, (size, total) in self._ledger.things("part"):
            known.add(self._world.uploads.resume(key, size, total))
        known |= {path for file in self._world.files for path in _paths(file)}
        for path in self._world.spool.iterdir():
            if path not in known:
                path.unlink()


def _paths(file: Document | Photo) -> list[Path]:
    match file:
        case Document(blob=blob, thumb=thumb):
            return [blob.path] if thumb is None else [blob.path, thumb.blob.path]
        case Photo(picture=picture):
            return [picture.blob.path]
