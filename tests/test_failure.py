"""What becomes of a job whose attempt failed: a decision, told apart from acting on it."""

import pytest

from uploader import limits
from uploader.errors import (
    AccountStopped,
    ChatUnreachable,
    FloodWait,
    Parked,
    PeykError,
    Reason,
    SiteFails,
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
        (FloodWait(77.0), Rest(wait_s=77.0, reason=Reason.TELEGRAM_WAITS)),
        (Parked(77.0), Rest(wait_s=77.0, reason=Reason.TELEGRAM_WAITS)),
        (AccountStopped(Reason.UPLOAD_FAILED), Rest(wait_s=60.0, reason=Reason.UPLOAD_FAILED)),
        (StorageUnavailable("away"), Rest(wait_s=0.0, reason=Reason.INTERNAL)),
        (RuntimeError("a bug"), Retry(wait_s=5.0, reason=Reason.INTERNAL)),
        (PeykError("unheard of"), Retry(wait_s=5.0, reason=Reason.INTERNAL)),
    ],
)
def test_judge_when_the_first_attempt_fails_follows_the_class_of_error(
    error: Exception, expected: Retry | Rest | GiveUp
) -> None:
    """Temporary causes are tried again, permanent ones are told at once."""
    assert expected == judge(error, failures=0)


@pytest.mark.parametrize(
    "error",
    [FloodWait(3.0), Parked(3.0), AccountStopped(Reason.UPLOAD_FAILED), StorageUnavailable("away")],
)
def test_judge_when_the_job_cannot_help_it_counts_no_attempt(error: Exception) -> None:
    """Telegram's waits, a login that an operator has to repair, our database: they do not use a job up."""
    assert isinstance(judge(error, failures=limits.ATTEMPTS - 1), Rest)


def test_judge_when_attempts_go_on_failing_waits_longer_and_gives_up() -> None:
    """The waits grow fourfold; the last attempt ends with the cause, not with a wait."""
    verdicts = [judge(SourceTemporary(Reason.SITE_BUSY), failures) for failures in range(limits.ATTEMPTS)]
    waits = [verdict.wait_s for verdict in verdicts if isinstance(verdict, Retry)]
    assert [5.0, 20.0, 80.0, 320.0] == waits
    assert GiveUp(reason=Reason.SITE_BUSY) == verdicts[-1]


def test_judge_when_telegram_or_the_database_fails_is_patient() -> None:
    """An outage of half an hour costs nobody a job; no wait is longer than ten minutes."""
    for error in (TransferTemporary(Reason.UPLOAD_FAILED), TelegramError("x")):
        verdicts = [judge(error, failures) for failures in range(limits.PATIENT_ATTEMPTS)]
        waits = [verdict.wait_s for verdict in verdicts if isinstance(verdict, Retry)]
        assert [5.0, 20.0, 80.0, 320.0, 600.0, 600.0, 600.0] == waits
        assert isinstance(verdicts[-1], GiveUp)


def test_judge_when_a_site_asks_for_a_longer_wait_obeys_it() -> None:
    """The attempt counts all the same: a site that always asks for time is given up like any other."""
    error = SiteFails(Reason.SITE_BUSY, wait_s=60.0)
    verdicts = [judge(error, failures) for failures in range(limits.ATTEMPTS)]
    assert [60.0, 60.0, 80.0, 320.0] == [each.wait_s for each in verdicts if isinstance(each, Retry)]
    assert isinstance(verdicts[-1], GiveUp)


def test_judge_when_many_fail_together_spreads_their_next_attempts() -> None:
    """By a quarter of the wait to either side."""
    verdicts = [judge(SourceTemporary(Reason.SITE_BUSY), 1, chance=chance) for chance in (0.0, 0.5, 1.0)]
    assert [15.0, 20.0, 25.0] == [verdict.wait_s for verdict in verdicts if isinstance(verdict, Retry)]


@pytest.mark.parametrize("error", [FloodWait(3.0), AccountStopped(Reason.UPLOAD_FAILED), RuntimeError("bug")])
def test_judge_when_a_day_has_passed_gives_up_whatever_it_waits_for(error: Exception) -> None:
    """A promise that cannot be kept is taken back, not kept open for ever."""
    assert isinstance(judge(error, 0, age_s=limits.PROMISE_S - 1), Rest | Retry)
    assert isinstance(judge(error, 0, age_s=limits.PROMISE_S + 1), GiveUp)
