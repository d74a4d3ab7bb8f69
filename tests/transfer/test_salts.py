"""Salts: known ahead, shared by all sessions of a key, and changed in the middle of a file."""

import os
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import functions, types

from sandbox import DataCentre
from tests.transfer.courier import couriers, fingerprint
from tests.transfer.server import SALT, result
from tests.transfer.source import Source
from tests.transfer.test_session import NOW, Line, part
from uploader.transfer.parts import PART_BYTES, SMALL_FILE_BYTES, part_count
from uploader.transfer.salts import Salts

HALF_HOUR = 1800


@dataclass
class Clock:
    """A clock that a test moves."""

    at: float = NOW

    def __call__(self) -> float:
        """The time."""
        return self.at


def salt_of_part(line: Line) -> int:
    """The salt that the next part is sent with; its answer comes at once."""
    line.session.submit(part())
    sent = [heard for heard in line.sent() if not isinstance(heard.call, types.MsgsAck)]
    line.say(sent[-1], result(sent[-1].msg_id, True))
    return sent[-1].salt


def test_salts_when_a_session_lasts_then_the_next_are_asked_for_and_used_in_time() -> None:
    """No message is refused for its salt, over as many hours as the data centre told of."""
    clock = Clock()
    line = Line(clock)
    line.greet()
    assert SALT == salt_of_part(line)
    clock.at += 1300
    line.session.submit(part())
    asked = [heard for heard in line.sent() if isinstance(heard.call, functions.GetFutureSaltsRequest)]
    (question,) = asked
    salts = [
        types.FutureSalt(int(NOW) + n * HALF_HOUR, int(NOW) + (n + 2) * HALF_HOUR, 100 + n) for n in range(9)
    ]
    line.say(question, bytes(types.FutureSalts(question.msg_id, int(clock.at), salts)))
    for number in range(1, 9):
        clock.at = NOW + number * HALF_HOUR + 61
        assert 100 + number == salt_of_part(line)


def test_salts_when_one_session_knows_them_then_the_next_begins_with_the_right_one() -> None:
    """A further connection of the same key does not pay for learning it."""
    salts = Salts()
    Line(salts=salts).greet()
    (hello,) = Line(salts=salts).sent()
    assert SALT == hello.salt


def test_salts_when_the_answer_to_the_question_is_lost_then_it_is_asked_again_a_minute_later() -> None:
    """And not with every part until then."""
    salts = Salts()
    salts.learn(1, NOW)
    assert [False, True, False, False, True] == [salts.asks(NOW + s) for s in (0, 1200, 1201, 1259, 1260)]


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("learn"), st.integers(1, 5)),
            st.tuples(st.just("plan"), st.integers(0, 5)),
            st.tuples(st.just("wait"), st.integers(0, 4000)),
        ),
        max_size=30,
    )
)
def test_salts_when_anything_is_told_then_what_was_said_last_is_used_until_its_successor(
    steps: list[tuple[str, int]],
) -> None:
    """Right after the data centre named a salt it is the one in use; nothing is used before its time."""
    salts, now = Salts(), NOW
    begins: dict[int, float] = {}
    for what, value in steps:
        if what == "learn":
            salts.learn(value, now)
            begins[value] = now
            assert value == salts.current(now)
        elif what == "plan":
            planned = [(int(now) + n * HALF_HOUR, 10 * n + value) for n in range(value)]
            salts.plan(planned)
            begins.update({salt: min(since, begins.get(salt, since)) for since, salt in planned})
        else:
            now += value
        assert begins.get(salts.current(now), NOW) <= now


async def test_file_when_all_salts_change_in_the_middle_then_no_part_is_lost_or_saved_twice(
    dc: DataCentre,
) -> None:
    """Parts under way are refused once, told the new salt, and sent again."""
    content = os.urandom(SMALL_FILE_BYTES + 9 * PART_BYTES + 3)

    async def gate(offset: int) -> None:
        if offset > len(content) // 2 and not changed:
            changed.append(offset)
            dc.logins.replace_salts()

    changed: list[int] = []
    async with couriers(dc) as courier:
        uploaded = await courier.carry(Source(content, gate=gate))
        assert changed
        assert [1] * part_count(len(content)) == courier.arrivals(uploaded)
        assert fingerprint(content) == await courier.deliver(uploaded)
