"""What the dashboard knows at one moment: the one value that all its widgets draw."""

from dataclasses import dataclass
from enum import StrEnum

from uploader.snapshot import Snapshot


class Standing(StrEnum):
    """How the engine stands, as the header says it."""

    CONNECTING = "connecting"
    SERVING = "serving"
    MAINTENANCE = "maintenance"
    STOPPING = "stopping"
    TROUBLED = "in trouble"
    AWAY = "away"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """The last snapshot, whether it still holds, and the time of the look at it."""

    snapshot: Snapshot | None = None  # None: the engine was never seen
    away: str | None = None  # why it cannot be reached; None: it can
    now: float = 0.0

    @property
    def standing(self) -> Standing:
        """Away beats stopping, stopping beats trouble, and trouble beats maintenance."""
        if self.away is not None:
            return Standing.AWAY
        if self.snapshot is None:
            return Standing.CONNECTING
        if self.snapshot.stopping:
            return Standing.STOPPING
        if self.snapshot.troubles:
            return Standing.TROUBLED
        return Standing.MAINTENANCE if self.snapshot.maintenance else Standing.SERVING

    @property
    def steerable(self) -> bool:
        """Whether the engine can be told anything now."""
        return self.snapshot is not None and self.away is None


NOTHING_YET = Picture()
