"""What becomes of a job whose attempt failed: a decision, told apart from acting on it."""

import pytest

from uploader import limits
from uploader.errors import (
    AccountStopped,
    ChatUnreachable,
    FloodWait,
    PeykError,
    Reason,
    SourceError,
    SourceTemporary,
    StorageUnavailable,
    TelegramError,
    TransferError,
    TransferTemporary,
)
from uploader.failure import GiveUp, Rest, Retry, judge


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SourceError(Reason.NOT_FOUND), GiveUp(reason=Reason.NOT_FOUND)),
        (SourceError(Reason.TOO_LARGE), GiveUp(reason=Reason.TOO_LARGE)),
        (TransferError(Reason.UPLOAD_FAILED), GiveUp(reason=Reason.UPLOAD_FAILED)),
        (ChatUnreachable("blocked"), GiveUp(reason=Reason.CHAT_UNREACHABLE)),
        (SourceTemporary(Reason.TIMED_OUT), Retry(wait_s=5.0, reason=Reason.TIMED_OUT)),
        (TransferTemporary(Reason.UPLOAD_FAILED), Retry(wait_s=5.0, reason=Reason.UPLOAD_FAILED)),
        (TelegramError("INTERNAL"), Retry(wait_s=5.0, reason=Reason.UPLOAD_FAILED)),
        (FloodWait(77.0), Rest(wait_s=77.0, reason=Reason.UPLOAD_FAILED)),
        (AccountStopped(Reason.UPLOAD_FAILED), Rest(wait_s=60.0, reason=Reason.UPLOAD_FAILED)),
        (StorageUnavailable("away"), Retry(wait_s=5.0, reason=Reason.INTERNAL)),
        (RuntimeError("a bug"), Retry(wait_s=5.0, reason=Reason.INTERNAL)),
        (PeykError("unheard of"), Retry(wait_s=5.0, reason=Reason.INTERNAL)),
    ],
)
def test_judge_when_the_first_attempt_fails_follows_the_class_of_error(
    error: Exception, expected: Retry | Rest | GiveUp
) -> None:
    """Temporary causes are tried again, permanent ones are told at once."""
    assert expected == judge(error, failures=0)


@pytest.mark.parametrize("error", [FloodWait(3.0), AccountStopped(Reason.UPLOAD_FAILED)])
def test_judge_when_telegram_asks_to_wait_counts_no_attempt(error: Exception) -> None:
    """Waits of any number, and a login that an operator has to repair, do not use a job up."""
    assert isinstance(judge(error, failures=limits.ATTEMPTS - 1), Rest)


def test_judge_when_attempts_go_on_failing_waits_longer_and_gives_up() -> None:
    """The waits grow fourfold; the last attempt ends with the cause, not with a wait."""
    verdicts = [judge(SourceTemporary(Reason.SITE_BUSY), failures) for failures in range(limits.ATTEMPTS)]
    waits = [verdict.wait_s for verdict in verdicts if isinstance(verdict, Retry)]
    assert [5.0, 20.0, 80.0, 320.0] == waits
    assert GiveUp(reason=Reason.SITE_BUSY) == verdicts[-1]
