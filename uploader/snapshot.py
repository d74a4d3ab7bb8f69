"""The wire types of the control API: what the dashboard and `run.py status` see of the engine.

Nothing private is in here: of a link only its host, of a person only the numeric id.
Times are seconds since the epoch, durations seconds, sizes bytes.
"""

from pydantic import BaseModel, ConfigDict

#: Raised when a field changes its meaning; the dashboard says so when it meets another number.
WIRE_VERSION = 1


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class TransferRow(_Wire):
    """One running job."""

    job_id: int
    user_id: int
    host: str
    name: str | None
    phase: str  # a value of `model.Phase`
    done_bytes: int
    total_bytes: int | None
    speed_bytes_s: float
    eta_s: float | None
    parked_s: float = 0.0  # Telegram wants no parts for so long
    attempt: int
    started_at: float


class JobRow(_Wire):
    """One job that waits or has ended."""

    job_id: int
    user_id: int
    host: str
    name: str | None
    state: str  # a value of `model.JobState`
    reason: str | None  # a value of `errors.Reason`, for failed ones
    size_bytes: int | None
    attempt: int
    created_at: float
    updated_at: float
    run_at: float


class SponsorRow(_Wire):
    """One sponsor lock."""

    channel_id: int
    title: str
    username: str
    asked: int  # people who were shown the lock
    joined: int  # those of them who joined after it


class SiteRow(_Wire):
    """A site that failed again and again, and is not asked for now by this engine."""

    site: str
    wait_s: float  # 0: the next job tries it


class TelegramRow(_Wire):
    """How Telegram answers this engine."""

    silent_s: float = 0.0  # it has not answered for so long; 0: it does
    machine_ahead_s: float = 0.0  # the machine's clock is before Telegram's, or behind (negative); 0: right


class Snapshot(_Wire):
    """The engine at one moment."""

    wire_version: int = WIRE_VERSION
    at: float
    started_at: float
    bot_username: str
    maintenance: bool
    stopping: bool  # a stop was asked for: running transfers have a deadline
    counts: dict[str, int]  # jobs by state, every state present
    transfers: tuple[TransferRow, ...]  # oldest first
    queue: tuple[JobRow, ...]  # waiting and queued, next first; at most QUEUE_ROWS
    recent: tuple[JobRow, ...]  # ended, newest first; at most RECENT_ROWS
    sponsors: tuple[SponsorRow, ...]
    resting: tuple[SiteRow, ...] = ()  # at most SITE_ROWS
    troubles: tuple[str, ...] = ()  # what keeps it from serving now, a sentence each; empty: all is well
    telegram: TelegramRow = TelegramRow()


class MaintenanceSwitch(_Wire):
    """Body of `POST /api/maintenance`."""

    on: bool


QUEUE_ROWS = 50
SITE_ROWS = 20
RECENT_ROWS = 20
