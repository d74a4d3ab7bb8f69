"""What becomes of a job whose attempt failed: a decision, on which the worker acts."""

from dataclasses import dataclass

from uploader import limits
from uploader.errors import (
    AccountStopped,
    ChatUnreachable,
    FloodWait,
    NotYet,
    Parked,
    PeykError,
    Reason,
    ReasonedError,
    SiteFails,
    SourceTemporary,
    StorageUnavailable,
    TelegramError,
    TransferTemporary,
)
from uploader.machine import is_scarce


class Exhausted(ReasonedError):
    """All attempts of the job are used up."""


class CancelAsked(PeykError):
    """The person asked to stop this job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """Try again after `wait_s`; `reason` is what went wrong."""

    wait_s: float
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """Nothing is wrong with the job: try again after `wait_s`, and do not count this attempt."""

    wait_s: float
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """The job failed for good."""

    reason: Reason


def judge(
    error: Exception, failures: int, *, age_s: float = 0.0, chance: float = 0.5
) -> Retry | Rest | GiveUp:
    """What becomes of a job whose attempt ended with `error`, after `failures` failed attempts before it.

    The job was accepted `age_s` seconds ago; `chance`, one from 0 to 1, spreads jobs that failed together.
    """
    reason = _reason(error)
    if isinstance(error, ChatUnreachable):
        return GiveUp(reason=Reason.CHAT_UNREACHABLE)
    if age_s > limits.PROMISE_S:
        return GiveUp(reason=reason)
    if isinstance(error, FloodWait | NotYet | Parked):
        return Rest(wait_s=error.wait_s, reason=reason)
    if isinstance(error, StorageUnavailable):
        return Rest(wait_s=0.0, reason=reason)
    if is_scarce(error):
        return Rest(wait_s=limits.SCARCE_REST_S, reason=reason)
    if isinstance(error, AccountStopped):
        return Rest(wait_s=limits.ACCOUNT_REST_S, reason=reason)
    if failures + 1 >= _attempts(error):
        return GiveUp(reason=reason)
    asked_s = error.wait_s if isinstance(error, SiteFails) else 0.0
    return Retry(wait_s=max(asked_s, limits.retry_wait_s(failures + 1, chance)), reason=reason)


def _reason(error: Exception) -> Reason:
    """What a person may be told of it."""
    if isinstance(error, ReasonedError):
        return error.reason
    if is_scarce(error):
        return Reason.NO_ROOM
    if isinstance(error, FloodWait):
        return Reason.TELEGRAM_WAITS
    return Reason.UPLOAD_FAILED if isinstance(error, TelegramError) else Reason.INTERNAL


def _attempts(error: Exception) -> int:
    """How many attempts an error of this class is worth."""
    if isinstance(error, TransferTemporary | TelegramError):
        return limits.PATIENT_ATTEMPTS
    if isinstance(error, ReasonedError) and not isinstance(error, SourceTemporary):
        return 1
    return limits.ATTEMPTS
