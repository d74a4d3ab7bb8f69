"""From samples to figures: medians, percentiles, ratios, and the JSON of a run. Pure.

MB and GB are 10^6 and 10^9 bytes.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any, Final, Self

from sandbox.bench.plan import FIRST, LARGE, MANY, SINGLE, Regime

OURS: Final = "peyk"
LIMIT: Final = "limit"

#: What a client's entry under "regimes" holds.
_HEADLINE: Final = ("mb_s", "cpu_s_per_gb", "rss_mb", "lag_p99_ms", "chat_p99_ms")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Percentiles of some waits, in seconds."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, waits_s: Sequence[float]) -> Self | None:
        """By nearest rank; None of no waits."""
        if not waits_s:
            return None
        ranked = sorted(waits_s)
        return cls(p50=_ranked(ranked, 0.5), p99=_ranked(ranked, 0.99), most=ranked[-1])


def _ranked(ranked: Sequence[float], share: float) -> float:
    return ranked[math.ceil(share * len(ranked)) - 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What one client took for one order."""

    size_bytes: int  # of all files together
    seconds: float
    cpu_s: float  # of the client's process: all threads, user and system
    rss_idle_bytes: int  # connected, before its first upload; 0: cannot be told here
    rss_peak_bytes: int
    lag: Spread | None  # how late the event loop was
    chat: Spread | None  # of a small call on the main connection

    @property
    def bytes_s(self) -> float:
        """The rate."""
        return self.size_bytes / self.seconds

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The sample in a line that a client's process said. Raises ValueError."""
        try:
            told = json.loads(text)
            spreads = {name: told[name] and Spread(**told[name]) for name in ("lag", "chat")}
            return cls(**{**told, **spreads})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"no sample: {text[:200]!r}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The medians of one client's samples of one stage in one regime. None: was not measured."""

    mb_s: float
    cpu_s_per_gb: float
    rss_mb: float  # at its peak
    rss_idle_mb: float
    lag_p50_ms: float | None
    lag_p99_ms: float | None
    lag_max_ms: float | None
    chat_p50_ms: float | None  # without the delay of the regime itself
    chat_p99_ms: float | None
    size_mb: float  # of all files together
    rounds: int

    @classmethod
    def of(cls, samples: Sequence[Sample], regime: Regime) -> Self:
        """Of one sample or more."""
        lags = [sample.lag for sample in samples if sample.lag is not None]
        chats = [sample.chat for sample in samples if sample.chat is not None]
        return cls(
            mb_s=median(sample.bytes_s for sample in samples) / 1e6,
            cpu_s_per_gb=median(sample.cpu_s / sample.size_bytes for sample in samples) * 1e9,
            rss_mb=median(sample.rss_peak_bytes for sample in samples) / 1e6,
            rss_idle_mb=median(sample.rss_idle_bytes for sample in samples) / 1e6,
            lag_p50_ms=_middle_ms([lag.p50 for lag in lags]),
            lag_p99_ms=_middle_ms([lag.p99 for lag in lags]),
            lag_max_ms=max((lag.most for lag in lags), default=0.0) * 1e3 if lags else None,
            chat_p50_ms=_middle_ms([chat.p50 - regime.delay_s for chat in chats]),
            chat_p99_ms=_middle_ms([chat.p99 - regime.delay_s for chat in chats]),
            size_mb=median(sample.size_bytes for sample in samples) / 1e6,
            rounds=len(samples),
        )

    def as_json(self) -> dict[str, float | None]:
        """All of them, rounded."""
        return {
            field.name: None if (value := getattr(self, field.name)) is None else round(value, 3)
            for field in fields(self)
        }


def _middle_ms(waits_s: Sequence[float]) -> float | None:
    return median(waits_s) * 1e3 if waits_s else None


class Results:
    """All samples of a run."""

    def __init__(self) -> None:
        self._samples: dict[tuple[Regime, str, str], list[Sample]] = {}  # by regime, stage and client

    def add(self, regime: Regime, stage: str, client: str, sample: Sample) -> None:
        """Note what one client took."""
        self._samples.setdefault((regime, stage, client), []).append(sample)

    def regimes(self, stage: str) -> list[Regime]:
        """The networks in which a stage was measured."""
        return [regime for regime in Regime if any(key[:2] == (regime, stage) for key in self._samples)]

    def figures(self, regime: Regime, stage: str) -> dict[str, Figures]:
        """By client: ours first, then the fastest; the limit is not among them."""
        found = {
            client: Figures.of(samples, regime)
            for (of_regime, of_stage, client), samples in self._samples.items()
            if (of_regime, of_stage) == (regime, stage) and client != LIMIT
        }
        return dict(sorted(found.items(), key=lambda item: (item[0] != OURS, -item[1].mb_s)))

    def limit(self, regime: Regime, stage: str) -> Figures | None:
        """What the machine itself can do: seal and socket alone."""
        samples = self._samples.get((regime, stage, LIMIT))
        return Figures.of(samples, regime) if samples else None

    def as_json(self) -> dict[str, Any]:
        """{"regimes": …, "limit": …, "many": …}; the first and the large file under their own names."""
        written: dict[str, Any] = {
            "regimes": {regime: self._headlines(regime) for regime in self.regimes(SINGLE)},
            "limit": dict(self._limits(SINGLE)),
            "many": {regime: self._all(regime, MANY) for regime in self.regimes(MANY)},
        }
        for stage in (FIRST, LARGE):
            if regimes := self.regimes(stage):
                written[stage] = {
                    "regimes": {regime: self._all(regime, stage) for regime in regimes},
                    "limit": dict(self._limits(stage)),
                }
        return written

    def _all(self, regime: Regime, stage: str) -> dict[str, Any]:
        return {client: figures.as_json() for client, figures in self.figures(regime, stage).items()}

    def _headlines(self, regime: Regime) -> dict[str, Any]:
        """Of the single file; but nobody chatted then, so the chat's figure is that of the many files."""
        many = self._all(regime, MANY)
        return {
            client: {
                key: many.get(client, {}).get(key) if key == "chat_p99_ms" else every[key]
                for key in _HEADLINE
            }
            for client, every in self._all(regime, SINGLE).items()
        }

    def _limits(self, stage: str) -> Iterator[tuple[Regime, dict[str, float]]]:
        for regime in self.regimes(stage):
            limit = self.limit(regime, stage)
            if limit is not None:
                yield regime, {"mb_s": round(limit.mb_s, 3)}
