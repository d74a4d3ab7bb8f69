"""Who is looked at again, when, and how many at once."""

from dataclasses import replace

from tests.sponsors.conftest import NEWS, SARA, Gate
from tests.storage.arrivals import Arrivals
from uploader import limits
from uploader.errors import FloodWait
from uploader.model import Dues, JobState
from uploader.sponsors import OWED_AT_ONCE, WATCHED_AT_ONCE, membership

CROWD = OWED_AT_ONCE + 10


async def crowd(gate: Gate, dues: Dues) -> None:
    """People who wait, and see what they owe."""
    for user_id in range(1, CROWD + 1):
        await gate.people.see(replace(SARA, user_id=user_id))
        await Arrivals(gate.jobs).job(user_id, JobState.WAITING_SPONSORS)
        await gate.holds.shown(await gate.holds.of(user_id), dues)


async def queued(gate: Gate) -> int:
    """How many jobs go on."""
    return (await gate.jobs.counts())[JobState.QUEUED]


async def test_looks_when_many_wait_take_them_in_turn(gate: Gate) -> None:
    """A lost update costs a while; the safety net costs no flood of questions."""
    await crowd(gate, Dues(missing=(NEWS,)))
    for _ in range(3):
        await gate.locks.looks()
    assert WATCHED_AT_ONCE == len(gate.telegram.asked)
    gate.now[0] += limits.WATCH_S
    await gate.locks.looks()
    assert 2 * WATCHED_AT_ONCE == len(set(gate.telegram.asked))


async def test_looks_when_telegram_may_tell_again_then_ask_about_all_who_were_in_doubt(gate: Gate) -> None:
    """Not before the wait is over, and then all of them within seconds; also after a restart."""
    await crowd(gate, Dues(unsure=(NEWS,)))
    gate.telegram.failure = FloodWait(60.0)
    gate.locks = gate.engine()
    for _ in range(3):
        await gate.locks.looks()
    assert 0 == await queued(gate)
    gate.telegram.failure = None
    gate.telegram.inside.update((NEWS.channel_id, user_id) for user_id in range(1, CROWD + 1))
    gate.now[0] += 60.0
    for _ in range(2):
        await gate.locks.looks()
    assert CROWD == await queued(gate)


async def test_looks_when_a_lock_is_removed_or_changes_then_take_all_who_wait_for_it(gate: Gate) -> None:
    """Nobody waits for their turn to hear of it."""
    await crowd(gate, Dues(missing=(NEWS,)))
    await gate.locks.looks()
    gate.now[0] += membership.STRANGER_S
    await gate.sponsors.remove(NEWS.username)
    gate.locks.look_at_all()
    for _ in range(2):
        await gate.locks.looks()
    assert CROWD == await queued(gate)
