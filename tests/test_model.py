"""The legal moves of a job, as one table."""

from uploader.model import ENDED, MOVES, JobState


def test_moves_when_read_as_a_table_are_these() -> None:
    """Each move is one on purpose; a new one has to be written here too."""
    assert {
        ("waiting_sponsors", "queued"),
        ("waiting_sponsors", "cancelled"),
        ("waiting_choice", "queued"),
        ("waiting_choice", "cancelled"),
        ("waiting_choice", "waiting_sponsors"),
        ("running", "waiting_choice"),
        ("queued", "running"),
        ("queued", "cancelled"),
        ("queued", "failed"),
        ("running", "done"),
        ("running", "failed"),
        ("running", "cancelled"),
        ("running", "queued"),
        ("running", "running"),
        ("failed", "queued"),
        ("failed", "waiting_sponsors"),
        ("cancelled", "queued"),
        ("cancelled", "waiting_sponsors"),
    } == {(source.value, target.value) for source, targets in MOVES.items() for target in targets}


def test_states_when_all_are_listed_either_end_a_job_or_lead_to_an_end() -> None:
    """No job can be stuck: from every state an end can be reached."""
    assert set(JobState) == set(MOVES)
    assert {JobState.DONE, JobState.FAILED, JobState.CANCELLED} == ENDED
    for state in JobState:
        reached = {state}
        for _ in JobState:
            reached |= {target for source in reached for target in MOVES[source]}
        assert reached & ENDED
