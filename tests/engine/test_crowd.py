"""The hostile crowd at a size for every day: see `crowd.py`."""

from pathlib import Path

from tests.engine.crowd import Crowd

#: Bounds for machines on which much else goes on. What a quiet one must do, `crowd` itself says.
ANSWER_S = 12.0
CALLBACK_S = 0.4
GROWN_MIB = 150.0


async def test_polite_people_when_a_crowd_sends_the_worst_of_everything_are_answered(tmp_path: Path) -> None:
    """Nobody starves, nothing stands still, nothing breaks, and the engine stops in order."""
    seen = await Crowd(tmp_path, seconds=12.0, hostile=30, polite=20, seed=1).play()
    assert [] == seen.faults
    assert 0 == seen.exit_status
    assert 0 == seen.unanswered
    assert len(seen.first_answers_s) >= 20
    assert seen.first_answer_s(50) < ANSWER_S
    assert [] == [each for each in seen.worst_callbacks if each[0] > CALLBACK_S]
    assert seen.memory_mib[-1] - seen.memory_mib[1] < GROWN_MIB
    assert {} == seen.floods
