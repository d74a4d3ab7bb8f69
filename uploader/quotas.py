"""How much a person may ask for now, decided before anything costs much.

The pace of people is kept in memory, with a bound, and a start of the engine forgives. What they had today is
counted from rows, and so is what waits.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from cachetools import TTLCache

from uploader import limits
from uploader.batch import Why
from uploader.storage.rates import Day, Rates
from uploader.verdicts import Ignored, Refused, TooFast


@dataclass(slots=True)
class _Caller:
    calls: deque[float]  # when the last ones came, the oldest first
    until: float = 0.0  # no call is heard before
    ignored: int = 0  # calls since they were told to wait
    pushed: int = 0  # waits in a row in which they went on all the same


class Turnstile:
    """Lets `calls` of each person pass within `limits.PACE_S`, and cools down who goes on all the same."""

    def __init__(self, calls: int, reason: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`reason` names the text for who is stopped (see `Refused`)."""
        self._calls = calls
        self._reason = reason
        self._clock = clock
        self._callers: TTLCache[int, _Caller] = TTLCache(
            limits.PACED_PEOPLE, limits.LONGEST_COOL_DOWN_S, timer=clock
        )

    def knock(self, user_id: int) -> TooFast | Ignored | None:
        """None: pass. `TooFast` comes once for each wait, then `Ignored` until it is over."""
        now = self._clock()
        caller = self._callers.get(user_id) or _Caller(deque(maxlen=self._calls))
        self._callers[user_id] = caller  # anew: it is forgotten so long after the last call
        if now < caller.until:
            caller.ignored += 1
            return Ignored()
        if caller.until:
            self._judge(caller, now)
        calls = max(1, self._calls >> caller.pushed)
        recent = len(caller.calls) >= calls and now - caller.calls[-calls] < limits.PACE_S
        if not recent:
            caller.calls.append(now)
            return None
        wait_s = caller.calls[-calls] + limits.PACE_S - now
        if caller.pushed:
            wait_s = min(limits.LONGEST_COOL_DOWN_S, limits.COOL_DOWN_S * 2 ** (caller.pushed - 1))
        caller.until = now + wait_s
        return TooFast(reason=self._reason, wait_s=wait_s, count=calls)

    def _judge(self, caller: _Caller, now: float) -> None:
        """A wait is over: it was kept, or not."""
        was_kept = caller.ignored < limits.COOL_DOWN_CALLS
        if was_kept or now - caller.until > limits.LONGEST_COOL_DOWN_S:
            caller.pushed = 0
        else:
            caller.pushed = min(caller.pushed + 1, 16)
        caller.until, caller.ignored = 0.0, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What the operator grants. 0: no limit."""

    links_per_minute: int = 10
    files_per_day: int = 0
    bytes_per_day: int = 0
    queue_jobs: int = 0  # in all, not counting those that wait for sponsors


class Quotas:
    """The verdicts on links: too many at once, too much today, too many of all people."""

    def __init__(
        self, rates: Rates, allowance: Allowance, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = rates
        self._allowance = allowance
        self._links = Turnstile(allowance.links_per_minute, "too-fast", clock)

    def pace(self, user_id: int) -> TooFast | Ignored | None:
        """The verdict on how fast this person sends links; counts this one."""
        return self._links.knock(user_id) if self._allowance.links_per_minute else None

    async def room(self) -> Refused | None:
        """The verdict on how many jobs wait, told with when there may be room again."""
        if not self._allowance.queue_jobs:
            return None
        outlook = await self._rates.lately()
        if outlook.queued < self._allowance.queue_jobs:
            return None
        return Refused(reason="full", wait_s=outlook.wait_s(max(1, outlook.queued // 10)) or limits.PACE_S)

    async def day(self, user_id: int) -> Refused | None:
        """The verdict on what this person had within a day, told with when some of it is forgotten."""
        allowed = self._allowance
        if not allowed.files_per_day and not allowed.bytes_per_day:
            return None
        had = await self._rates.day_of(user_id)
        wait_s = used_up_s(had, allowed)
        return None if wait_s is None else Refused(reason="day", wait_s=wait_s)

    async def left(self, user_id: int, own: int = 0) -> list[tuple[int, Why]]:
        """What `room` and `day` still allow, in files; `own` of those that are open do not count."""
        allowed, bounds = self._allowance, list[tuple[int, Why]]()
        if allowed.queue_jobs:
            bounds.append((allowed.queue_jobs - (await self._rates.lately()).queued, "full"))
        if allowed.files_per_day or allowed.bytes_per_day:
            had = await self._rates.day_of(user_id)
            day = replace(had, open_files=max(0, had.open_files - own))
            if used_up_s(day, allowed) is not None:
                bounds.append((0, "day"))
            elif allowed.files_per_day:
                bounds.append((allowed.files_per_day - day.open_files - len(day.files), "day"))
        return bounds


def used_up_s(had: Day, allowed: Allowance) -> float | None:
    """Seconds until one more file is allowed; None: it is now."""
    files = had.open_files + len(had.files)
    size_bytes = had.open_bytes + sum(file.size_bytes for file in had.files)

    def over() -> bool:
        return (0 < allowed.files_per_day <= files) or (0 < allowed.bytes_per_day <= size_bytes)

    wait_s = None
    for file in had.files:
        if not over():
            return wait_s
        files, size_bytes = files - 1, size_bytes - file.size_bytes
        wait_s = max(0.0, limits.DAY_S - file.age_s)
    return limits.DAY_S if over() else wait_s
