"""What is done about each answer."""

import pytest

from uploader.transfer.tl import Refusal
from uploader.transfer.verdict import Again, Halt, Park, Saved, Stop, Verdict, judge


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (True, Saved()),
        (False, Again("the part was not saved")),
        (Refusal(code=420, name="FLOOD_WAIT_115"), Park(115)),
        (Refusal(code=420, name="FLOOD_PREMIUM_WAIT_3"), Park(3)),
        (Refusal(code=420, name="FLOOD_WAIT_999999999"), Park(999_999_999)),
        (Refusal(code=420, name="FLOOD_WAIT_"), Again("420 FLOOD_WAIT_")),
        (Refusal(code=500, name="WORKER_BUSY_TOO_LONG_RETRY"), Again("500 WORKER_BUSY_TOO_LONG_RETRY")),
        (Refusal(code=-503, name="Timeout"), Again("-503 Timeout")),
        (Refusal(code=401, name="AUTH_KEY_UNREGISTERED"), Halt("401 AUTH_KEY_UNREGISTERED")),
        (Refusal(code=406, name="AUTH_KEY_DUPLICATED"), Halt("406 AUTH_KEY_DUPLICATED")),
        (Refusal(code=400, name="FILE_PART_TOO_BIG"), Stop("400 FILE_PART_TOO_BIG")),
        (Refusal(code=303, name="USER_MIGRATE_4"), Stop("303 USER_MIGRATE_4")),
    ],
)
def test_judge_when_answered_then_decides_by_the_class_of_the_answer(
    outcome: bool | Refusal, expected: Verdict
) -> None:
    """Floods park, hiccups repeat, a dead login stops the account, everything else is final."""
    assert expected == judge(outcome)
