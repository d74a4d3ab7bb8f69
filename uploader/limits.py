"""Every bound of the engine that is no rule of Telegram's own (those stand in `transfer.parts`)."""

from typing import Final

MIB: Final = 1024 * 1024

#: A worker renews its lease this often, and loses it after LEASE_S without renewal.
HEARTBEAT_S: Final = 3.0
LEASE_S: Final = 15.0

#: Jobs that run at once in one process, and of one person among them.
RUNNING_JOBS: Final = 8
RUNNING_JOBS_PER_PERSON: Final = 2

#: Jobs of one person that may wait (for sponsors or in the queue).
WAITING_JOBS_PER_PERSON: Final = 10

#: Attempts of one job, counting the first, and the wait before the next: 5 s, 20 s, 80 s ...
ATTEMPTS: Final = 5
RETRY_FIRST_S: Final = 5.0
RETRY_FACTOR: Final = 4.0

#: A job that waits for sponsors is kept this long.
WAITING_SPONSORS_S: Final = 24 * 3600.0

#: People waiting for sponsors who are looked at again, in turn, in case an update was lost.
WATCHED_PEOPLE: Final = 1000

#: Parts that Telegram acknowledged are kept by it "from several minutes to several hours".
#: https://core.telegram.org/api/files
CHECKPOINT_S: Final = 1800.0

#: How long running transfers may go on after a stop was asked for.
STOP_DEADLINE_S: Final = 20.0

#: The longest link that is looked at; browsers and servers agree on about this much.
LINK_CHARACTERS: Final = 2048


def retry_wait_s(attempt: int) -> float:
    """Seconds to wait after attempt number `attempt` (1 = the first) failed."""
    wait_s: float = RETRY_FIRST_S * RETRY_FACTOR ** (attempt - 1)
    return wait_s
