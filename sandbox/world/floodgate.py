"""How fast an account may ask: Telegram's limits, and the waits that it enforces.

Telegram documents little of this; each figure says where it comes from.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from sandbox.world.clock import Clock

#: What is counted at once for all accounts and chats; the longest idle goes first.
_METERS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bots may do, but `lookups`, which hold for everybody."""

    #: Messages and edits in a private chat: about one a second, short bursts are let pass.
    #: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this ; tdlib/td#3034: shared
    chat: Rate = Rate(40, 30.0)
    #: Messages in a group or channel. https://core.telegram.org/bots/faq
    group: Rate = Rate(20, 60.0)
    #: Edits in one chat: every 2 s earned waits, every 4 s did not (APecme/Telegram_Depiler#3);
    #: 20 a minute in groups (grammyjs/website#1076)
    edits: Rate = Rate(20, 60.0)
    #: Messages and edits in all. https://core.telegram.org/bots/faq#broadcasting-to-users
    account: Rate = Rate(30, 1.0)
    #: auth.importBotAuthorization: waits of half an hour were seen (EverythingSuckz/TG-FileStreamBot#87)
    logins: Rate = Rate(10, 1800.0)
    #: contacts.resolveUsername: waits of 210 to 390 s were seen (YarmolenkoD/notpixel#115)
    lookups: Rate = Rate(30, 300.0)


class Flooded(Exception):
    """Too fast. The next try may come in `wait_s` seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"FLOOD_WAIT_{wait_s}")
        self.wait_s = wait_s


@dataclass(eq=False, slots=True)
class _Meter:
    """When the latest came, and until when nothing may."""

    times: deque[float] = field(default_factory=deque)
    until: float = 0.0
    wait_s: int = 0


class Floodgate:
    """Counts what accounts do. `limits` may be changed at any time; None: everything passes."""

    def __init__(self, limits: Limits | None, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock
        self._meters: OrderedDict[Hashable, _Meter] = OrderedDict()

    def send(self, account_id: int, peer_id: int, count: int = 1) -> None:
        """Messages of a bot to a chat (marked id). Raises Flooded."""
        if self.limits is not None:
            chat = self.limits.chat if peer_id > 0 else self.limits.group
            self._pass({(account_id, peer_id): chat, account_id: self.limits.account}, count)

    def edit(self, account_id: int, peer_id: int) -> None:
        """A bot changes a message in a chat. Raises Flooded."""
        if self.limits is not None:
            rates = {(account_id, peer_id, "edits"): self.limits.edits, account_id: self.limits.account}
            if peer_id > 0:
                rates[account_id, peer_id] = self.limits.chat
            self._pass(rates, 1)

    def log_in(self, bot_id: int) -> None:
        """A bot shows its token. Raises Flooded."""
        if self.limits is not None:
            self._pass({(bot_id, "logins"): self.limits.logins}, 1)

    def look_up(self, account_id: int) -> None:
        """Somebody asks whose a username is. Raises Flooded."""
        if self.limits is not None:
            self._pass({(account_id, "lookups"): self.limits.lookups}, 1)

    def _pass(self, rates: "dict[Hashable, Rate]", count: int) -> None:
        """All of the meters let it pass and count it, or none does."""
        now = self._clock.now()
        meters = {self._meter(key): rate for key, rate in rates.items()}
        for meter, rate in meters.items():
            self._check(meter, rate, min(count, rate.count), now)
        for meter, rate in meters.items():
            meter.times.extend([now] * min(count, rate.count))

    def _meter(self, key: Hashable) -> _Meter:
        meter = self._meters.pop(key, None) or _Meter()
        self._meters[key] = meter
        while len(self._meters) > _METERS:
            self._meters.popitem(last=False)
        return meter

    def _check(self, meter: _Meter, rate: Rate, count: int, now: float) -> None:
        if now < meter.until:
            # who asks too early waits the whole time again
            self._block(meter, meter.wait_s, now)
        while meter.times and meter.times[0] <= now - rate.seconds:
            meter.times.popleft()
        excess = len(meter.times) + count - rate.count
        if excess > 0:
            self._block(meter, math.ceil(meter.times[excess - 1] + rate.seconds - now), now)

    def _block(self, meter: _Meter, wait_s: int, now: float) -> None:
        meter.wait_s = max(1, wait_s)
        meter.until = now + meter.wait_s
        raise Flooded(meter.wait_s)
