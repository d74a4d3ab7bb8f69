"""What `intake` decides about what people send and wish: it is to be said to them."""

from dataclasses import dataclass

from uploader.errors import Reason
from uploader.model import Dues, Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a queued job stands."""

    ahead: int  # jobs that will be claimed before it
    wait_s: float | None = None  # as the last jobs went; None: not known, or it starts at once
    behind_own: bool = False  # as many jobs of this person run as may: it waits for one of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The job is queued."""

    job: Job
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The job waits for what its person wants: they are to be asked (`Job.offer`)."""

    job: Job


@dataclass(frozen=True, kw_only=True, slots=True)
class NeedsSponsors:
    """The job is kept until the person owes nothing."""

    job: Job
    dues: Dues


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Nothing was kept. `reason` names a text: `refused-<reason>`; `wait_s`: when it may go better."""

    reason: str
    wait_s: float = 0.0
    count: int = 0  # the bound that was met, where the text names it


@dataclass(frozen=True, kw_only=True, slots=True)
class TooFast(Refused):
    """This person asks for more than may be: nothing is heard for `wait_s`, and nothing more is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignored:
    """The person was told to wait, and goes on: nothing is kept, nothing is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoLink:
    """The text holds no link, or one that cannot be fetched (`reason` says why)."""

    reason: Reason | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AlreadySeen:
    """The same message came in before: nothing to do, nothing to say."""
