"""The lines between clients and data centres, and the clock and disk behind them: all can be made bad."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Fields that may be less than zero.
_SIGNED: Final = frozenset({"clock_skew_s"})


@dataclass
class Network:
    """May be changed at any time. A rate of 0 is no limit.

    Of each connection: every packet to the client is held back `latency_s` and up to `jitter_s` more, in
    order; it carries `upload_bytes_s` from the client and `download_bytes_s` to it.
    `account_upload_bytes_s` is for all connections of one account together. The clock goes `clock_skew_s`
    before the true one. With `disk_full` no part of a file can be stored.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    upload_bytes_s: float = 0.0
    download_bytes_s: float = 0.0
    account_upload_bytes_s: float = 0.0
    clock_skew_s: float = 0.0
    disk_full: bool = False

    def change(self, values: Mapping[str, Any]) -> None:
        """Set fields out of a JSON object; the others stay. Raises ValueError, naming what is wrong."""
        if unknown := values.keys() - vars(self).keys():
            raise ValueError(f"a network has no {sorted(unknown)}")
        if wrong := sorted(name for name, value in values.items() if not self._fits(name, value)):
            raise ValueError(f"these fields of the network have impossible values: {wrong}")
        for name, value in values.items():
            setattr(self, name, value)

    def _fits(self, name: str, value: Any) -> bool:
        if isinstance(getattr(self, name), bool):
            return isinstance(value, bool)
        if type(value) not in (int, float) or not math.isfinite(value):
            return False
        return value >= 0 or name in _SIGNED
