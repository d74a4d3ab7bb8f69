"""Numbers of messages and salts: the rules by themselves, with a clock that the tests wind."""

import contextlib
import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.mtproto.messages import BadMessage
from sandbox.mtproto.numbers import Received, check_time
from sandbox.mtproto.salts import MAX_AHEAD, PERIOD_S, Salts


def _code(received: Received, message_id: int, seq_no: int) -> int:
    """The code that a message is refused with; 0: it is taken."""
    try:
        received.take(message_id, seq_no)
    except BadMessage as error:
        return error.code
    return 0


def _numbered(contents: list[bool]) -> list[tuple[int, int]]:
    """The numbers that a client gives to messages with and without content."""
    numbers, count = [], 0
    for at, content in enumerate(contents):
        numbers.append((4 * (at + 1), count * 2 + content))
        count += content
    return numbers


@given(data=st.data(), contents=st.lists(st.booleans(), min_size=1, max_size=40))
def test_messages_when_they_arrive_in_any_order_are_taken(data: st.DataObject, contents: list[bool]) -> None:
    """What a client numbered by the rules is never refused, however the network shuffles it."""
    received = Received()
    for message_id, seq_no in data.draw(st.permutations(_numbered(contents))):
        assert 0 == _code(received, message_id, seq_no)
        assert message_id in received


@given(data=st.data(), contents=st.lists(st.booleans(), min_size=2, max_size=20))
def test_message_when_numbered_out_of_order_is_refused_by_its_neighbour(
    data: st.DataObject, contents: list[bool]
) -> None:
    """Lower than an earlier one, or equal to it and odd: 32; and the other way round: 33."""
    numbers = _numbered(contents)
    at = data.draw(st.integers(0, len(numbers) - 1))
    seq_no = data.draw(st.integers(0, 2 * len(numbers)))
    received = Received()
    for message_id, known in numbers[:at] + numbers[at + 1 :]:
        received.take(message_id, known)
    before = [known for _, known in numbers[:at]]
    after = [known for _, known in numbers[at + 1 :]]
    too_low = any(known > seq_no or (known == seq_no and known % 2) for known in before)
    too_high = any(known < seq_no or (known == seq_no and known % 2) for known in after)
    assert (32 if too_low else 33 if too_high else 0) == _code(received, numbers[at][0], seq_no)


def test_message_when_older_than_all_that_is_remembered_is_refused() -> None:
    """Whether it came before cannot be told: 20. What is remembered is bounded."""
    received = Received()
    for number in range(1, 2000):
        received.take(number * 4, number * 2)
    assert (20, False) == (_code(received, 4, 1), 4 in received)
    assert 1999 * 4 in received
    states = [received.state(message_id) for message_id in (4, 1999 * 4 - 2, 2000 * 4, 1999 * 4)]
    assert [1, 2, 3, 4 + 16] == states


def test_state_when_a_message_wants_an_answer_is_received() -> None:
    """An odd number is acknowledged by the answer, an even one wants none."""
    received = Received()
    assert 3 == received.state(4)
    received.take(4, 1)
    received.take(8, 2)
    assert [4, 4 + 16] == [received.state(4), received.state(8)]


@pytest.mark.parametrize(
    ("age_s", "low_bits", "code"),
    [(0, 0, 0), (301, 0, 16), (299, 0, 0), (-31, 0, 17), (-29, 0, 0), (0, 2, 18)],
)
def test_message_id_when_it_is_not_of_now_is_refused(age_s: int, low_bits: int, code: int) -> None:
    """300 s late and 30 s early, and divisible by four."""
    now = 1_700_000_000
    with contextlib.ExitStack() as stack:
        caught = stack.enter_context(pytest.raises(BadMessage)) if code else None
        check_time((now - age_s) * 2**32 + low_bits, now)
    assert code == (caught.value.code if caught is not None else 0)


@given(steps=st.lists(st.integers(0, 3 * PERIOD_S), max_size=30))
def test_salts_when_time_goes_by_always_have_one_that_client_and_server_know(steps: list[int]) -> None:
    """The current one is taken, and so is the one before it for as long again; a random one never."""
    now = 1_700_000_000.0
    salts = Salts(77, now)
    assert 77 == salts.current(now)
    for step_s in steps:
        told = salts.current(now)
        now += step_s
        assert salts.accepts(salts.current(now), now)
        if step_s <= PERIOD_S:
            assert salts.accepts(told, now)
        assert not salts.accepts(int.from_bytes(os.urandom(8), "little", signed=True), now)


@given(count=st.integers(-5, 200), later_s=st.integers(0, 10 * PERIOD_S))
def test_salts_when_asked_for_ahead_follow_each_other(count: int, later_s: int) -> None:
    """As many as were asked for and the protocol allows; each overlaps the next; each comes true."""
    now = 1_700_000_000.0
    salts = Salts(77, now)
    now += later_s
    planned = salts.ahead(count, now)
    assert max(1, min(count, MAX_AHEAD)) == len(planned)
    assert salts.current(now) == planned[0].value
    assert all(one.since + PERIOD_S == other.since < one.until for one, other in pairwise(planned))
    for salt in planned:
        assert salt.value == salts.current(salt.since)


def test_salts_when_replaced_or_forgotten_are_new() -> None:
    """By hand, after hours, and when the clock is set back."""
    now = 1_700_000_000.0
    salts = Salts(77, now)
    salts.replace(now)
    assert not salts.accepts(77, now)
    told = salts.current(now)
    assert not salts.accepts(told, now + 100 * PERIOD_S)
    told = salts.current(now + 100 * PERIOD_S)
    assert not salts.accepts(told, now)
    assert salts.accepts(salts.current(now), now)
