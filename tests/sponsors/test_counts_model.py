"""What is billed, in every order of asking, coming, going, telling and dying, against a model of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.sponsors.conftest import NEWS, SARA, Gate, Telegram
from uploader.model import Dues
from uploader.sponsors import Move, membership
from uploader.storage import tables
from uploader.storage.database import Database

#: Later than any of the times at which the example begins would be believed.
BEGIN: Final = 1_000_000.0
USERS: Final = (1, 1, 2)
STEPS: Final = (
    *("ask", "ask and die", "look and die", "join", "leave", "press", "hear", "hear and die"),
    *("hear twice", "hear last first", "lose", "restart", "wait"),
)


@dataclass
class Truth:
    """What was so, and what of it Peyk could know."""

    asked_at: dict[int, float] = field(default_factory=dict)
    inside_since: dict[int, float] = field(default_factory=dict)
    stays: list[tuple[int, float, float]] = field(default_factory=list)  # who, from, until
    known: set[int] = field(default_factory=set)
    untold: list[Move] = field(default_factory=list)
    told: list[Move] = field(default_factory=list)

    def hears(self, move: Move) -> None:
        """An update tells of a time at which somebody was inside."""
        at = move.at if move.inside else move.since
        asked_at = self.asked_at.get(move.user_id)
        if asked_at is not None and at is not None and asked_at <= at:
            self.known.add(move.user_id)

    def was_inside_after_being_asked(self, user_id: int, now: float) -> bool:
        """Whether there is anything to bill at all."""
        stays = [*self.stays, *((user, since, now) for user, since in self.inside_since.items())]
        asked_at = self.asked_at[user_id]
        return any(user == user_id and until >= asked_at for user, _, until in stays)


class Events:
    """One order of events, a second apart each. `gate.now` is everybody's clock."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.truth = Truth()

    async def step(self, what: str, user_id: int) -> None:
        """Something happens."""
        self.gate.now[0] += 1
        await getattr(self, what.replace(" ", "_"))(user_id)

    @contextmanager
    def questions(self, user_id: int) -> Iterator[None]:
        """What Telegram answers meanwhile is known."""
        before = len(self.gate.telegram.asked)
        yield
        asked = self.gate.telegram.asked[before:]
        if user_id in self.truth.asked_at and user_id in self.truth.inside_since and asked:
            self.truth.known.add(user_id)

    async def _dues(self, user_id: int) -> Dues:
        with self.questions(user_id):
            return await self.gate.locks.dues(user_id)

    async def ask(self, user_id: int) -> None:
        """A link comes: whoever is outside is shown the card."""
        dues = await self._dues(user_id)
        if dues.missing:
            await self.gate.locks.ask(user_id, dues)
            self.truth.asked_at.setdefault(user_id, self.gate.now[0])

    async def ask_and_die(self, user_id: int) -> None:
        """Killed between the row and the card: it is shown after the start, to somebody who counts once."""
        await self.ask(user_id)
        await self.restart(user_id)

    async def look_and_die(self, user_id: int) -> None:
        """Killed before the row."""
        await self._dues(user_id)
        await self.restart(user_id)

    async def press(self, user_id: int) -> None:
        """The button of the card."""
        await self._dues(user_id)

    async def join(self, user_id: int) -> None:
        """They come in, and Telegram has an update of it."""
        if user_id not in self.truth.inside_since:
            now = self.gate.now[0]
            self.truth.inside_since[user_id] = now
            self.gate.telegram.inside.add((NEWS.channel_id, user_id))
            self.truth.untold.append(Move(channel_id=NEWS.channel_id, user_id=user_id, inside=True, at=now))

    async def leave(self, user_id: int) -> None:
        """They leave, and the update says since when they were in."""
        since = self.truth.inside_since.pop(user_id, None)
        if since is not None:
            now = self.gate.now[0]
            self.truth.stays.append((user_id, since, now))
            self.gate.telegram.inside.discard((NEWS.channel_id, user_id))
            self.truth.untold.append(
                Move(channel_id=NEWS.channel_id, user_id=user_id, inside=False, at=now, since=since)
            )

    async def _tell(self, move: Move) -> None:
        await self.gate.locks.moved(move)
        self.truth.hears(move)
        self.truth.told.append(move)

    async def hear(self, _user_id: int) -> None:
        """The oldest update comes."""
        if self.truth.untold:
            await self._tell(self.truth.untold.pop(0))

    async def hear_last_first(self, _user_id: int) -> None:
        """The newest update overtakes the others."""
        if self.truth.untold:
            await self._tell(self.truth.untold.pop())

    async def hear_twice(self, _user_id: int) -> None:
        """What was told long ago is told again."""
        if self.truth.told:
            await self._tell(self.truth.told[0])

    async def hear_and_die(self, _user_id: int) -> None:
        """Killed while it is seen to; it is told again after the start."""
        if self.truth.untold:
            move = self.truth.untold.pop(0)
            seen_to = asyncio.ensure_future(self.gate.locks.moved(move))  # noqa: TID251 - a kill has no owner
            for _ in range(3):
                await asyncio.sleep(0)
            seen_to.cancel()
            await asyncio.wait([seen_to])
            await self.restart(0)
            await self._tell(move)

    async def lose(self, _user_id: int) -> None:
        """An update comes to nobody, ever."""
        if self.truth.untold:
            self.truth.untold.pop(0)

    async def restart(self, _user_id: int) -> None:
        """kill -9, and a start."""
        self.gate.locks = self.gate.engine()

    async def wait(self, _user_id: int) -> None:
        """So long that nothing is believed any more."""
        self.gate.now[0] += membership.MEMBER_S


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the database of all examples lies."""
    return tmp_path_factory.mktemp("counts")


#: Orders in which a simpler rule would count one too many, or one too few.
HARD: Final = (
    ("join", "leave", "ask", "hear"),  # told of a stay before the card
    ("join", "hear", "leave", "hear", "ask", "hear twice"),  # told of it again
    ("ask", "join", "lose", "leave", "hear"),  # a leave tells of the join
    ("ask", "join", "lose", "restart", "press"),  # Telegram says so when asked
    ("ask", "join", "lose", "restart", "press", "leave", "hear", "join", "hear"),
    ("ask and die", "join", "hear and die", "leave", "hear"),
    ("join", "lose", "press", "leave", "lose", "wait", "ask"),
)


def hard(test: Callable[..., None]) -> Callable[..., None]:
    """Always play these orders too."""
    for order in HARD:
        test = example([(step, 1) for step in order])(test)
    return test


@hard
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(USERS)), min_size=12, max_size=40))
def test_counts_when_anything_happens_in_any_order_are_what_could_be_known_each_once(
    folder: Path, steps: list[tuple[str, int]]
) -> None:
    """Joined are those of the asked of whom Telegram told that they were inside after that; no other."""
    asyncio.run(_play(folder, steps))


async def _play(folder: Path, steps: list[tuple[str, int]]) -> None:
    now = [BEGIN]
    async with await Database.open(f"sqlite:///{folder / 'peyk.db'}", clock=lambda: now[0]) as database:
        for table in (tables.sponsors, tables.sponsor_asks):
            await database.once(sa.delete(table))
        gate = Gate(database, Telegram(), now)
        await gate.sponsors.add(NEWS, added_by=9)
        for user_id in set(USERS):
            await gate.people.see(replace(SARA, user_id=user_id))
        events = Events(gate)
        for what, user_id in steps:
            await events.step(what, user_id)
        truth = events.truth
        assert [(len(truth.asked_at), len(truth.known))] == await gate.counts()
        assert all(truth.was_inside_after_being_asked(user_id, now[0]) for user_id in truth.known)
