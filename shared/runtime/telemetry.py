"""Log format and metrics. No message's content ever enters either: it may name people."""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter

LOGGED = frozenset(
    {
        "event", "level", "timestamp", "logger", "service",
        "at", "attempts", "batch", "consumer", "count", "deliveries", "durable", "form", "http",
        "kind", "part", "period", "pid", "reason", "sequence", "stream", "unit", "version",
    }
)  # fmt: skip
"""The fields a log line may have; any other is dropped, so that none can carry a person."""

HANDLED = Counter("langnghe_messages_handled_total", "Messages acknowledged.", ["durable"])
RETRIED = Counter("langnghe_messages_retried_total", "Messages that failed once more.", ["durable"])
SET_ASIDE = Counter(
    "langnghe_messages_set_aside_total",
    "Messages set aside as dead letters.",
    ["durable", "reason"],
)


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
