"""Log format and metrics. No message's content ever enters either: it may name people."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.contracts import COMMANDS, EVENTS, FEED
from shared.runtime.streams import ANNOUNCES

LOGGED = frozenset(
    {
        "event", "level", "timestamp", "logger", "service",
        "at", "attempts", "batch", "consumer", "count", "deliveries", "durable", "form", "http",
        "kind", "part", "period", "pid", "reason", "sequence", "stream", "unit", "version",
    }
)  # fmt: skip
"""The fields a log line may have; any other is dropped, so that none can carry a person."""

UNREADABLE, UNKNOWN, FAILED, CRASHED = "unreadable", "unknown", "failed", "crashed"
"""Why a message was set aside."""

HANDLED = Counter("langnghe_messages_handled_total", "Messages acknowledged.", ["durable"])
RETRIED = Counter("langnghe_messages_retried_total", "Messages that failed once more.", ["durable"])
SET_ASIDE = Counter(
    "langnghe_messages_set_aside_total",
    "Messages set aside as dead letters.",
    ["durable", "reason"],
)
ANNOUNCED = Counter(
    "langnghe_events_announced_total",
    "Events that their stream confirmed; one that is said again counts again.",
    ["type"],
)
ITEMS = Counter(
    "langnghe_items_total",
    "Sendings of parties and sources, by what became of them; a redelivery counts again.",
    ["entrance", "kind", "fate"],
)


def begin(durable: str) -> None:
    """Counts of a consumer are there from the start: from nothing to one is no increase."""
    HANDLED.labels(durable)
    RETRIED.labels(durable)
    for reason in (UNREADABLE, UNKNOWN, FAILED, CRASHED):
        SET_ASIDE.labels(durable, reason)


def begin_announcing(service: str) -> None:
    """Counts of all that the service announces are there from the start."""
    for type_ in ANNOUNCES.get(service, ()):
        if type_ in EVENTS:
            ANNOUNCED.labels(type_)


KNOWN_KINDS = frozenset((*FEED, *COMMANDS))
OTHER = "other"


def count_item(entrance: str, kind: str, fate: str) -> None:
    """`kind` is what a party calls its sending: one that no contract has counts as `other`."""
    ITEMS.labels(entrance, kind if kind in KNOWN_KINDS else OTHER, fate).inc()


@dataclass(frozen=True, slots=True)
class Gauges:
    """One metric of a look, and the names of its labels."""

    name: str
    said: str
    labels: tuple[str, ...] = ()


Figures = Mapping[str, Mapping[tuple[str, ...], float]]
"""By metric, by the values of its labels."""


class Seen(Collector):
    """What was seen at the last look, all of it at once: what is gone is not told any more."""

    def __init__(self, *gauges: Gauges, registry: CollectorRegistry = REGISTRY) -> None:
        self._gauges: Sequence[Gauges] = gauges
        self._figures: Figures = {}
        registry.register(self)

    def tell(self, figures: Figures) -> None:
        """Raises `KeyError` for a metric that was not declared."""
        if unknown := figures.keys() - {gauges.name for gauges in self._gauges}:
            raise KeyError(*sorted(unknown))
        self._figures = figures

    def forget(self) -> None:
        """What was seen is too old to be told."""
        self._figures = {}

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [GaugeMetricFamily(g.name, g.said, labels=g.labels) for g in self._gauges]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = self._figures
        for family in self.describe():
            for labels, figure in figures.get(family.name, {}).items():
                family.add_metric(labels, figure)
            yield family


def only_allowed_fields(
    _logger: Any,  # noqa: ANN401 - structlog's signature
    _method: str,
    entry: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Drop every field that is not in `LOGGED`."""
    return {name: value for name, value in entry.items() if name in LOGGED}


def configure_logging(service: str) -> None:
    """JSON lines on standard output; libraries' own messages from WARNING on, without arguments."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.get_logger(service).info("starting", service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Shape())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Shape(logging.Formatter):
    """A library's message as its format string and kind of error; arguments may quote content."""

    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        return json.dumps({"level": record.levelname.lower(), "logger": record.name, "kind": kind})
