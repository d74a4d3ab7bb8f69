"""A message box: messages by number, and the sequence of what happened to them.

Each account has one, for its private chats and basic groups; each channel has one of its own.
https://core.telegram.org/api/updates#message-related-event-sequences
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from sandbox.world.events import Event
    from sandbox.world.letters import Letter

#: Events that getDifference can still bring; who was away for more is told that it was too long.
REMEMBERED_EVENTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Logged:
    """An event and the state of the box after it. `pts_count` is 0 for what lies outside the pts sequence."""

    event: "Event"
    pts: int
    pts_count: int
    qts: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that went out, and what that was in the sequence that its sender follows."""

    letter: "Letter"
    logged: Logged


@dataclass(eq=False)
class Box:
    """Numbers start at 1: to a client, 0 is no state at all. `owner_id` is an account or a marked channel."""

    kind: ClassVar[str] = "box"

    owner_id: int
    pts: int = 1
    qts: int = 1
    last_message_id: int = 0
    #: how many events were ever logged
    logged: int = 0
    letters: dict[int, "Letter"] = field(default_factory=dict, init=False, metadata={"kept": False})
    log: deque[Logged] = field(init=False, metadata={"kept": False})

    def __post_init__(self) -> None:
        self.log = deque(maxlen=REMEMBERED_EVENTS)

    @property
    def key(self) -> str:
        return str(self.owner_id)

    def put(self, letter: "Letter") -> None:
        """File a letter here, under a number of its own."""
        self.last_message_id += 1
        self.letters[self.last_message_id] = letter
        letter.ids[self.owner_id] = self.last_message_id

    def take(self, letter: "Letter") -> int | None:
        """Take a letter out. Gives the number that it had."""
        number = letter.ids.pop(self.owner_id, None)
        if number is not None:
            del self.letters[number]
        return number

    def record(self, event: "Event", pts_count: int) -> Logged:
        """Log an event of the pts sequence."""
        self.pts += pts_count
        return self._log(Logged(event, self.pts, pts_count, 0))

    def record_secondary(self, event: "Event") -> Logged:
        """Log an event of the qts sequence, which tells bots of memberships."""
        self.qts += 1
        return self._log(Logged(event, self.pts, 0, self.qts))

    def _log(self, logged: Logged) -> Logged:
        self.log.append(logged)
        self.logged += 1
        return logged

    def since(self, pts: int, qts: int) -> list[Logged] | None:
        """What came after this state; None when that is no longer known."""
        if len(self.log) == self.log.maxlen:
            oldest_qts = next((entry.qts for entry in self.log if entry.qts), self.qts)
            if self.log[0].pts > pts + 1 or oldest_qts > qts + 1:
                return None
        return [entry for entry in self.log if (entry.pts > pts if entry.pts_count else entry.qts > qts)]
