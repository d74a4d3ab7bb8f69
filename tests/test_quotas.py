"""Who may ask for more now: the pace of a person, the day of a person, the length of the queue."""

import pytest

from uploader import limits
from uploader.quotas import Allowance, Turnstile, used_up_s
from uploader.storage.rates import Day, DayFile
from uploader.verdicts import Ignored, TooFast

HOUR_S = 3600.0


class Door:
    """A turnstile with a clock."""

    def __init__(self, calls: int = 3) -> None:
        self.now = 1000.0
        self._turnstile = Turnstile(calls, "too-fast", lambda: self.now)

    def knock(self, user_id: int = 1, after_s: float = 0.0) -> TooFast | Ignored | None:
        """One call, `after_s` later than the last."""
        self.now += after_s
        return self._turnstile.knock(user_id)


def test_turnstile_when_calls_are_few_lets_all_pass() -> None:
    """However long it goes on: it is the pace that counts."""
    door = Door()
    assert [None] * 20 == [door.knock(after_s=limits.PACE_S / 3 + 0.01) for _ in range(20)]


def test_turnstile_when_one_is_too_fast_stops_that_person_until_the_oldest_call_is_forgotten() -> None:
    """Told once with the true wait, then nothing is said; others do not notice."""
    door = Door()
    assert [None] * 3 == [door.knock(after_s=1.0) for _ in range(3)]
    assert TooFast(reason="too-fast", wait_s=limits.PACE_S - 3, count=3) == door.knock(after_s=1.0)
    assert Ignored() == door.knock()
    assert door.knock(user_id=2) is None
    assert Ignored() == door.knock(after_s=limits.PACE_S - 3.1)
    assert door.knock(after_s=0.2) is None


def test_turnstile_when_a_person_goes_on_all_the_same_answers_once_for_each_wait() -> None:
    """Each wait is as long as it was told, however often they ask within it; the next one is longer."""
    door = Door(calls=4)
    heard_at, waits_s = list[float](), list[tuple[float, float]]()
    for _ in range(4 * 3600 * 5):
        verdict = door.knock(after_s=0.2)
        if verdict is None:
            heard_at.append(door.now)
        elif isinstance(verdict, TooFast):
            waits_s.append((door.now, verdict.wait_s))
    told_s = [round(wait_s) for _, wait_s in waits_s]
    assert [59, 120, 240, 480, 960, 1920, 3600, 3600, 3600] == told_s
    for at, wait_s in waits_s:
        assert not [each for each in heard_at if at <= each < at + wait_s - 0.1]
    assert len(heard_at) <= 4 + 2 + 7


def test_turnstile_when_a_wait_was_kept_forgives() -> None:
    """Who waits as they were told has the whole pace again, and so has who was away for long."""
    door = Door()
    for _ in range(3 + 1 + limits.COOL_DOWN_CALLS):
        door.knock(after_s=0.01)
    assert door.knock(after_s=limits.PACE_S) is None
    assert TooFast(reason="too-fast", wait_s=limits.COOL_DOWN_S, count=1) == door.knock()
    assert [Ignored()] * 3 == [door.knock() for _ in range(3)]
    assert [None] * 3 == [door.knock(after_s=limits.COOL_DOWN_S / (1 + at)) for at in (0, 1000, 1000)]
    for _ in range(2 * limits.COOL_DOWN_CALLS):
        door.knock(after_s=0.01)
    assert [None] * 3 == [door.knock(after_s=at * limits.LONGEST_COOL_DOWN_S) for at in (1.1, 0, 0)]


GIB = 1024 * limits.MIB
THREE = tuple(DayFile(age_s=hours * HOUR_S, size_bytes=GIB) for hours in (20, 10, 1))


@pytest.mark.parametrize(
    ("had", "allowed", "expected"),
    [
        (Day(), Allowance(files_per_day=1, bytes_per_day=1), None),
        (Day(files=THREE), Allowance(), None),
        (Day(files=THREE), Allowance(files_per_day=4, bytes_per_day=3 * GIB + 1), None),
        (Day(files=THREE), Allowance(files_per_day=3), 4 * HOUR_S),
        (Day(files=THREE), Allowance(bytes_per_day=3 * GIB), 4 * HOUR_S),
        (Day(files=THREE), Allowance(bytes_per_day=2 * GIB), 14 * HOUR_S),
        (Day(files=THREE, open_files=1), Allowance(files_per_day=3), 14 * HOUR_S),
        (Day(files=THREE, open_bytes=GIB), Allowance(bytes_per_day=GIB), 24 * HOUR_S),
    ],
)
def test_used_up_when_a_day_is_full_lasts_until_enough_is_a_day_old(
    had: Day, allowed: Allowance, expected: float | None
) -> None:
    """Files and bytes are counted, delivered or under way; 0 is no limit."""
    assert expected == used_up_s(had, allowed)
