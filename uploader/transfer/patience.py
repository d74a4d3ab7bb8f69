"""How long an upload session waits, and how often a part is sent again."""

import random
from dataclasses import dataclass

from uploader import limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Seconds and counts; see `Pace.limit_s` for how `answer_s` grows on slow lines."""

    connect_s: float = 15.0  # for TCP (and the proxy), and again for the answer to the hello
    answer_s: float = 15.0  # from a part's sealing to its answer, at least; a slower connection is replaced
    answer_most_s: float = 600.0  # ... at most, and while nothing is known of the line's pace
    stall_s: float = 20.0  # no byte leaves and none comes though answers are due: the connection is replaced
    ping_s: float = 20.0  # a connection that hears nothing is pinged this often
    idle_s: float = 90.0  # a connection that is not used is closed after this
    parked_s: float = limits.PARKED_S  # a longer wait for leave to send is no matter of this upload's
    tries_lost: int = 12  # of one part: lost connections
    tries_refused: int = 8  # of one part: `false` answers and errors 500
    backoff_first_s: float = 0.25  # before the second try; doubles ...
    backoff_most_s: float = 8.0  # ... up to this

    def backoff_s(self, tries: int) -> float:
        """The wait after that many failed tries; random within a half, so that parts do not come in step."""
        wait_s = min(self.backoff_most_s, self.backoff_first_s * 2.0 ** min(tries - 1, 30))
        return wait_s * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


class Tries:
    """Counts the failed tries of one part, by class."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._lost = self._refused = self._hollow = 0

    def hollow_s(self) -> float:
        """The wait after a flood wait of no length; such may come for ever, and count as no failure."""
        self._hollow += 1
        return self._patience.backoff_s(self._hollow)

    def wait_s(self, *, lost: bool) -> float | None:
        """The wait before the next try; None: no more. `lost`: the connection was, else the answer was no."""
        self._lost += lost
        self._refused += not lost
        if self._lost >= self._patience.tries_lost or self._refused >= self._patience.tries_refused:
            return None
        return self._patience.backoff_s(self._lost + self._refused)
