"""What is measured: the networks, the files, and how much of them a slow client carries. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MIB: Final = 1024 * 1024

#: The sink takes any application.
API_ID: Final = 1
API_HASH: Final = "0" * 32

#: What every client carries before all else, uncounted: it shows how fast it is.
WARM_UP_BYTES: Final = 12 * MIB

#: Never less than this, so that the file is a big one for Telegram (https://core.telegram.org/api/files).
LEAST_BYTES: Final = 11 * MIB


class Regime(StrEnum):
    """A network between client and data centre."""

    LOOPBACK = "loopback"  # nothing in between: the machine itself is the limit
    RTT50 = "rtt50"  # every answer comes 50 ms later
    CAPPED = "capped"  # the same, and no connection carries more than 10 MB/s

    @property
    def heading(self) -> str:
        """Its name for people."""
        return {
            Regime.LOOPBACK: "loopback",
            Regime.RTT50: "+50 ms",
            Regime.CAPPED: "+50 ms, 10 MB/s each",
        }[self]

    @property
    def delay_s(self) -> float:
        """How long every answer is held back."""
        return 0.0 if self is Regime.LOOPBACK else 0.05

    @property
    def cap_bytes_s(self) -> float:
        """What one connection carries in a second; 0: no cap."""
        return 10e6 if self is Regime.CAPPED else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Files that are carried at once, and whether somebody chats meanwhile."""

    name: str
    files: int = 1
    size_bytes: int  # of each file
    chat: bool = False
    #: left out by a client that would take longer than its time: for the question whether size matters
    whole: bool = False
    #: how much of a stage's time it may take
    share: float = 1.0

    def size_for(self, rate_bytes_s: float, time_s: float) -> int:
        """How much of each file is carried at this rate: all, or what there is time for."""
        affordable = int(rate_bytes_s * time_s * self.share / self.files) // MIB * MIB
        return min(self.size_bytes, max(LEAST_BYTES, affordable))


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One benchmark. `time_s` is what a stage may take about; slower clients carry less of the file."""

    rounds: int
    time_s: float
    stages: tuple[Stage, ...]

    @property
    def largest_bytes(self) -> int:
        """The largest file that is needed."""
        return max(stage.size_bytes for stage in self.stages)


#: A client's first file: it may still learn how many connections pay. The others find it in full swing.
FIRST: Final = "first"
SINGLE: Final = "single"
LARGE: Final = "large"
MANY: Final = "many"

FULL: Final = Plan(
    rounds=3,
    time_s=10.0,
    stages=(
        Stage(name=FIRST, size_bytes=1024 * MIB, share=0.4),
        Stage(name=SINGLE, size_bytes=256 * MIB),
        Stage(name=LARGE, size_bytes=1024 * MIB, whole=True),
        Stage(name=MANY, files=8, size_bytes=64 * MIB, chat=True),
    ),
)
QUICK: Final = Plan(
    rounds=1,
    time_s=3.0,
    stages=(
        Stage(name=FIRST, size_bytes=256 * MIB, share=0.4),
        Stage(name=SINGLE, size_bytes=128 * MIB),
        Stage(name=MANY, files=8, size_bytes=16 * MIB, chat=True),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a client connects, and as whom: the first line that its process is told."""

    host: str
    port: int
    dc_id: int
    auth_key_hex: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a client carries next: each further line."""

    path: str
    size_bytes: int
    like_bytes: int  # parts are as large as the client takes for a file of this size
    files: int  # uploads of this file at once
    chat: bool
