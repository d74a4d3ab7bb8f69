"""Whose turn it is, judged by the sandbox's own limits; the clock is moved on by hand."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.world.clock import Clock
from sandbox.world.floodgate import Flooded, Floodgate, Limits
from uploader.telegram.turns import Turns, Urgency

#: What a network does to the gaps between messages: a little always, and now and then it stands still.
JITTER_S = 0.12
STILL_S = 1.5


class HandClock(Clock):
    """Time as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1000.0

    def now(self) -> float:
        """The time of this world."""
        return self.at


@dataclass
class Play:
    """Turns on one side, the data centre's floodgate on the other, and a network between them."""

    turns: Turns = field(default_factory=Turns)
    clock: HandClock = field(default_factory=HandClock)
    jitter: random.Random = field(default_factory=lambda: random.Random(1))
    wishes: list[tuple[float, int, int, Urgency]] = field(default_factory=list)  # at, number, chat, urgency
    followers: dict[int, deque[Urgency]] = field(default_factory=dict)  # what a chat sends after its turn
    waited_s: dict[Urgency, list[float]] = field(default_factory=lambda: {each: [] for each in Urgency})
    chat_waited_s: dict[int, list[float]] = field(default_factory=dict)
    arriving: list[tuple[float, int, bool]] = field(default_factory=list)
    progress: list[tuple[float, int]] = field(default_factory=list)
    shown: Counter[int] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=count)
    still_until: float = 0.0

    def __post_init__(self) -> None:
        self.gate = Floodgate(Limits(), self.clock)

    def wish(self, at: float, chat_id: int, urgency: Urgency) -> None:
        """Somebody will want to send then."""
        heappush(self.wishes, (at, next(self.numbers), chat_id, urgency))

    def run(self, until: float) -> float:
        """Play until nobody waits, or until then; returns when that was. Raises Flooded."""
        came: dict[int, float] = {}
        while self.clock.at < until:
            now = self.clock.at
            self._arrive(now)
            while self.wishes and self.wishes[0][0] <= now:
                _, _, chat_id, urgency = heappop(self.wishes)
                came[self.turns.enter(chat_id, urgency, now, now + 3600).number] = now
            for ticket, late_s in self.turns.due(now):
                assert not late_s
                waited_s = now - came.pop(ticket.number)
                self.waited_s[ticket.urgency].append(waited_s)
                self.chat_waited_s.setdefault(ticket.chat_id, []).append(waited_s)
                self._send(ticket.chat_id, edit=ticket.urgency is Urgency.EDIT)
                if followers := self.followers.get(ticket.chat_id):
                    self.wish(now, ticket.chat_id, followers.popleft())
            while self.progress and self.progress[0][0] <= now:
                self._show_progress(heappop(self.progress)[1])
            times = [each[0] for each in (*self.wishes[:1], *self.progress[:1], *self.arriving[:1])]
            next_at = min([*times, self.turns.next_at(now) or until], default=until)
            if not came and not times:
                break
            self.clock.at = max(next_at, now + 0.001)
        return self.clock.at

    def _show_progress(self, chat_id: int) -> None:
        """An edit that is tried again a second later, and made anew after five."""
        shown = self.turns.spare(chat_id, self.clock.at)
        if shown:
            self.shown[int(self.clock.at)] += 1
            self._send(chat_id, edit=True)
        heappush(self.progress, (self.clock.at + (5.0 if shown else 1.0), chat_id))

    def _send(self, chat_id: int, *, edit: bool) -> None:
        if self.jitter.random() < 0.005:
            self.still_until = self.clock.at + self.jitter.random() * STILL_S
        at = max(self.still_until, self.clock.at + self.jitter.random() * JITTER_S)
        heappush(self.arriving, (at, chat_id, edit))

    def _arrive(self, until: float) -> None:
        now = self.clock.at
        while self.arriving and self.arriving[0][0] <= until:
            self.clock.at, chat_id, edit = heappop(self.arriving)
            (self.gate.edit if edit else self.gate.send)(1, chat_id)
            self.turns.answered(self.clock.at)
        self.clock.at = now


def test_turns_when_two_thousand_messages_go_out_earn_no_wait_at_almost_full_pace() -> None:
    """300 chats and 20 groups: nothing is refused by the data centre, at 23 messages a second or more."""
    play = Play()
    chats = [*range(1, 301), *range(-20, 0)]
    for number in range(2000):
        play.followers.setdefault(chats[number % len(chats)], deque()).append(Urgency.BROADCAST)
    for chat_id, followers in play.followers.items():
        play.wish(1000.0, chat_id, followers.popleft())
    took_s = play.run(2000.0) - 1000.0
    assert 2000 == len(play.waited_s[Urgency.BROADCAST])
    assert 2000 / took_s >= 23


def test_turns_when_sixty_jobs_show_progress_answer_a_start_at_once() -> None:
    """The edits stay within their budget, and answers hardly wait: p99 under 300 ms."""
    play = Play()
    rest = random.Random(2)
    play.progress = sorted((1000.0 + rest.random() * 5, chat_id) for chat_id in range(1, 61))
    for at in range(300):
        play.wish(1001.0 + at * 0.4 + rest.random() / 4, 1000 + at, Urgency.ANSWER)
    play.run(1125.0)
    answers_s = play.waited_s[Urgency.ANSWER]
    assert 300 == len(answers_s)
    assert quantiles(answers_s, n=100)[98] < 0.3
    assert max(play.shown.values()) <= 12
    assert sum(play.shown.values()) / 125 <= 8.1
    assert sum(play.shown.values()) / 125 >= 6


def test_turns_when_many_wait_give_way_to_an_answer() -> None:
    """Whoever speaks to the bot is answered before what nobody waits for, and before edits and files."""
    play = Play()
    for chat_id in range(1, 501):
        play.wish(1000.0, chat_id, (Urgency.BROADCAST, Urgency.EDIT, Urgency.MESSAGE)[chat_id % 3])
    for at in range(10):
        play.wish(1001.0 + at, 1000 + at, Urgency.ANSWER)
    play.run(1100.0)
    assert max(play.waited_s[Urgency.ANSWER]) < 0.1
    assert max(play.waited_s[Urgency.MESSAGE]) < min(7.0, max(play.waited_s[Urgency.EDIT]))
    assert max(play.waited_s[Urgency.EDIT]) < max(play.waited_s[Urgency.BROADCAST])


def test_turns_when_forty_chats_flood_keep_the_account_for_the_others() -> None:
    """Who has had much waits behind who has had little: files and news of them go out, too, and at once."""
    play = Play()
    for chat_id in range(1, 41):
        for number in range(60):
            play.wish(1000.0 + number / 2, chat_id, Urgency.ANSWER)
    polite = range(1001, 1021)
    for chat_id in polite:
        for number, urgency in enumerate((Urgency.ANSWER, Urgency.MESSAGE, Urgency.EDIT)):
            play.wish(1012.0 + chat_id % 20 + number / 5, chat_id, urgency)
    play.run(1400.0)
    assert 3 * len(polite) == sum(len(play.chat_waited_s[chat_id]) for chat_id in polite)
    assert max(play.chat_waited_s[chat_id][0] for chat_id in polite) < 0.5
    assert max(max(play.chat_waited_s[chat_id]) for chat_id in polite) < 1.0


def test_turns_when_a_chat_has_had_much_go_before_broadcasts_all_the_same() -> None:
    """Nobody waits for a broadcast; who asks for too much waits for that as well."""
    turns = Turns()
    busy = [turns.enter(1, Urgency.ANSWER, 1000.0, 1060.0) for _ in range(20)]
    broadcast = turns.enter(2, Urgency.BROADCAST, 1000.0, 1060.0)
    too_fast = turns.enter(3, Urgency.TOO_FAST, 1000.0, 1060.0)
    assert [*busy, broadcast, too_fast] == sorted([too_fast, broadcast, *busy])
    assert turns.enter(1, Urgency.ANSWER, 1100.0, 1160.0) < busy[1]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20),
            st.sampled_from([1, 1, 1, 2, 3, 4, -5, -5, -6]),
            st.sampled_from(list(Urgency)),
            st.integers(1, 12),
        ),
        max_size=25,
    ),
    st.integers(),
)
def test_turns_when_anybody_sends_anything_earn_no_wait(
    bursts: list[tuple[float, int, Urgency, int]], seed: int
) -> None:
    """Whatever comes in whatever order: the data centre's limits hold, and everybody has a turn."""
    play = Play(jitter=random.Random(seed))
    for at, chat_id, urgency, number in bursts:
        for _ in range(number):
            play.wish(1000.0 + at, chat_id, urgency)
    play.run(5000.0)
    assert sum(number for *_, number in bursts) == sum(map(len, play.waited_s.values()))


def test_park_when_one_chat_floods_then_the_others_go_on() -> None:
    """The chat rests until its wait is over, and then has its turn."""
    turns = Turns()
    turns.park(1, 30.0, 1000.0)
    first, second = (turns.enter(chat_id, Urgency.MESSAGE, 1000.0, 1060.0) for chat_id in (1, 2))
    assert [(second, 0.0)] == turns.due(1000.0)
    assert not turns.spare(1, 1010.0)
    assert turns.spare(2, 1010.0)
    assert 1030.0 == turns.next_at(1010.0)
    assert [(first, 0.0)] == turns.due(1030.0)


def test_park_when_the_wait_is_longer_than_anybody_waits_then_says_so() -> None:
    """It is told at once, with the seconds, also to who waits already."""
    turns = Turns()
    turns.park(1, 300.0, 1000.0)
    ticket = turns.enter(1, Urgency.ANSWER, 1000.0, 1060.0)
    assert [(ticket, 300.0)] == turns.due(1000.0)
    assert turns.next_at(1000.0) is None


@pytest.mark.parametrize(("chats", "closed"), [((1, 2), False), ((1, 1, 1), False), ((1, 2, 3), True)])
def test_park_when_several_chats_flood_at_once_then_the_account_rests(
    chats: tuple[int, ...], closed: bool
) -> None:
    """Three chats within seconds are no accident of one of them."""
    turns = Turns()
    for chat_id in chats:
        turns.park(chat_id, 20.0, 1000.0)
    other = turns.enter(9, Urgency.ANSWER, 1000.0, 1060.0)
    assert ([] if closed else [(other, 0.0)]) == turns.due(1001.0)
    assert ([(other, 0.0)] if closed else []) == turns.due(1020.0)


def test_due_when_somebody_has_left_gives_the_turn_to_the_next() -> None:
    """A turn is not spent on who waits no longer."""
    turns = Turns()
    tickets = [turns.enter(chat_id, Urgency.MESSAGE, 1000.0, 1060.0) for chat_id in range(1, 6)]
    tickets[0].gone = tickets[2].gone = True
    assert [(tickets[at], 0.0) for at in (1, 3, 4)] == turns.due(1000.0)


def test_floodgate_when_the_turns_are_ignored_refuses() -> None:
    """The judge of these tests does judge."""
    gate = Floodgate(Limits(), HandClock())
    for chat_id in range(1, 31):
        gate.send(1, chat_id)
    with pytest.raises(Flooded):
        gate.send(1, 31)
