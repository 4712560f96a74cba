"""What is told of measured values: min, median and max; percentiles; ratios within one run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the rounds of one run."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float], digits: int = 1) -> "Spread":
        return cls(*(round(v, digits) for v in (min(values), median(values), max(values))))

    def __str__(self) -> str:
        return f"{self.min:,g} / {self.median:,g} / {self.max:,g}"


def ratio(ours: Sequence[float], other: Sequence[float]) -> Spread:
    """Round by round: each pair was measured one right after the other."""
    return Spread.of([a / b for a, b in zip(ours, other, strict=True)], 3)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latency":
        ordered = sorted(seconds)
        last = len(ordered) - 1
        at = [ordered[min(int(len(ordered) * share), last)] * 1e3 for share in SHARES]
        return cls(round(at[0], 1), round(at[1], 1), round(at[2], 1), len(ordered))


SHARES = (0.50, 0.95, 0.99)


@dataclass(slots=True)
class Lane:
    """What was measured of one lane: a value a round."""

    events_per_s: list[float] = field(default_factory=list)
    cpu_us: list[dict[str, float]] = field(default_factory=list)
    """Microseconds of processor time for one event, by process."""

    def as_dict(self) -> dict[str, Any]:
        names = self.cpu_us[0] if self.cpu_us else {}
        return {
            "events_per_s": asdict(Spread.of(self.events_per_s)),
            "cpu_us_per_event": {
                name: asdict(Spread.of([one[name] for one in self.cpu_us])) for name in names
            },
        }

    def cpu_in_all(self) -> list[float]:
        return [sum(one.values()) for one in self.cpu_us]
