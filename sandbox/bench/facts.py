"""On what a run was measured, and what else the machine did meanwhile."""

import datetime
import os
import platform
import resource
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("telethon", "cryptg", "isal", "kurigram", "tgcrypto", "cryptography")
_CPU_INFO: Final = Path("/proc/cpuinfo")
_CPU_TIMES: Final = Path("/proc/stat")
#: Beyond this share of the machine for others, the figures are not to be trusted.
BUSY_SHARE: Final = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Where and when; `busy_share` is how much of all cores others used meanwhile, None: cannot be told."""

    when: str
    machine: str
    versions: str
    busy_share: float | None

    @property
    def is_quiet(self) -> bool:
        """Whether the figures can be trusted."""
        return self.busy_share is not None and self.busy_share < BUSY_SHARE

    def lines(self) -> list[str]:
        """For people."""
        busy = "cannot be told" if self.busy_share is None else f"{self.busy_share:.0%} of all cores"
        lines = [self.machine, self.versions, f"{self.when}; used by other programs meanwhile: {busy}"]
        if not self.is_quiet:
            lines.append("PRELIMINARY: the machine was not quiet. Trust ratios and CPU-s/GB more than MB/s.")
        return lines


class Clock:
    """Runs from the beginning of a run to its end."""

    def __init__(self) -> None:
        self._begin_s = time.monotonic()
        self._all_s = _busy_s()
        self._ours_s = _ours_s()

    def facts(self) -> Facts:
        """At the end."""
        busy_share = None
        if self._all_s is not None and (all_s := _busy_s()) is not None:
            others_s = all_s - self._all_s - (_ours_s() - self._ours_s)
            available_s = (time.monotonic() - self._begin_s) * (os.cpu_count() or 1)
            busy_share = max(0.0, others_s / available_s)
        return Facts(
            when=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            machine=f"{os.cpu_count()} x {_processor()}, {platform.system()} {platform.release()}, "
            f"Python {platform.python_version()}",
            versions=", ".join(_versions()),
            busy_share=busy_share,
        )


def _ours_s() -> float:
    """CPU time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _busy_s() -> float | None:
    """CPU time that the machine has spent on work, all cores together."""
    with suppress(OSError):
        # user, nice, system, idle, waiting, interrupts, soft interrupts, stolen
        ticks = [int(item) for item in _CPU_TIMES.read_text().split("\n", 1)[0].split()[1:9]]
        return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
    return None


def _processor() -> str:
    with suppress(OSError):
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _versions() -> list[str]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return found
